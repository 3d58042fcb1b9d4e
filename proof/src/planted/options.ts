import { parseArgs } from 'node:util'
import { UsageError } from '../command/command.ts'
import { readAboveZero } from '../command/numbers.ts'
import { plantedBugs } from './bugs/index.ts'
import { type LayerName, layerNames, type PlantedBug } from './planted-bug.ts'

export const usage = `Plants deliberate bugs in a copy of the sources, one at a time, and demands that a layer of
proof finds each.

    npm run planted -- [--only NAME,...] [--layer LAYER] [options]

  --only A,B     these bugs
  --layer L      this layer alone: ${layerNames.join(', ')}
  --minutes M    time for each layer of each bug, default 10, with --quick 5
  --every        all layers of each bug, not only those up to the first that finds it
  --quick        the bugs that are found within seconds, each by its quickest layer
  --markdown     prints the table that stands in docs/reliability.md
  --list         prints the bugs and does nothing
  --help

The exit code is 0 where each bug was found, 1 where one was not or where a layer finds something with nothing planted,
2 for wrong usage.
`

export interface PlantedOptions {
  readonly bugs: readonly PlantedBug[]
  readonly layer: LayerName | ''
  readonly minutes: number
  readonly every: boolean
  readonly quick: boolean
  readonly markdown: boolean
  readonly list: boolean
}

/** Reads the command line. Null asks for the usage; throws what is wrong with it. */
export function parseOptions(args: readonly string[]): PlantedOptions | null {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: 'string', default: '' },
      layer: { type: 'string', default: '' },
      minutes: { type: 'string' },
      every: { type: 'boolean', default: false },
      quick: { type: 'boolean', default: false },
      markdown: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return null
  const { only, every, quick, markdown, list } = values
  const minutes = readAboveZero('--minutes', values.minutes ?? (quick ? '5' : '10'))
  const layer = values.layer === '' ? '' : layerNames.find(name => name === values.layer)
  if (layer === undefined) throw new UsageError(`--layer: expected one of ${layerNames.join(', ')}`)
  const named = only === '' ? plantedBugs : only.split(',').map(findBug)
  const bugs = quick ? named.filter(bug => bug.quick !== undefined) : named
  return { bugs, layer, minutes, every, quick, markdown, list }
}

function findBug(name: string): PlantedBug {
  const found = plantedBugs.find(bug => bug.name === name)
  if (found === undefined) throw new UsageError(`--only: there is no "${name}"; see --list`)
  return found
}
