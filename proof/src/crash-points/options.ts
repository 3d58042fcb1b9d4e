import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { UsageError } from '../command/command.ts'
import { readRange, readWhole } from '../command/numbers.ts'
import type { Crash } from './explore.ts'
import { scripts } from './scripts.ts'

const names = Object.keys(scripts).join(', ')
/** A run of so many takes a day. */
const seedsMost = 10_000

export const usage = `Lets the power go in the middle of every call of the disk and behind it, and leaves of what
was not synced each subset that there is; starts the engine on each disk that comes of it, and holds it against a model.

    npm run crash-points -- [options]

  --second N           also N crashes in the middle of the starts that follow
  --script S           one script alone: ${names}
  --seed N             one seed: how long calls take, and so what comes between what
  --seeds A..B         these seeds; 1..4 where nothing is said
  --sectors B          one size of sectors, 512 or 4096; default both
  --jobs N             threads, default as many as there are processors
  --crash P:K          one crash of one script, seed and size of sectors, with its trace
  --second-crash P:K   and one in the start that follows
  --help

The exit code is 0 where all states passed, 1 where one failed, 2 for wrong usage.
`

export interface Options {
  readonly second: number
  readonly scripts: readonly string[]
  readonly seeds: readonly number[]
  readonly sectors: readonly (512 | 4096)[]
  readonly jobs: number
  readonly crash: Crash | null
  readonly secondCrash: Crash | null
}

/** Reads the command line. Null asks for the usage; throws what is wrong with it. */
export function parseOptions(args: readonly string[]): Options | null {
  const text = { type: 'string' } as const
  const { values } = parseArgs({
    args: [...args],
    options: {
      ...{ second: text, script: text, seed: text, seeds: text, sectors: text, jobs: text },
      ...{ crash: text, 'second-crash': text },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return null
  const { script, sectors } = values
  if (script !== undefined && !Object.hasOwn(scripts, script))
    throw new UsageError(`--script: there is no ${script}`)
  if (sectors !== undefined && sectors !== '512' && sectors !== '4096')
    throw new UsageError('--sectors: expected 512 or 4096')
  const seeds = readSeeds(values.seed, values.seeds)
  const crash = readCrash('--crash', values.crash)
  if (crash !== null && (script === undefined || sectors === undefined || seeds.length > 1))
    throw new UsageError('--crash: goes with --script, --seed and --sectors')
  if (crash !== null && values.second !== undefined)
    throw new UsageError('--second: looks at many crashes, --crash at one')
  const secondCrash = readCrash('--second-crash', values['second-crash'])
  if (secondCrash !== null && crash === null) throw new UsageError('--second-crash: goes with --crash')
  return {
    second: readWhole('--second', values.second ?? '0', 0),
    scripts: script === undefined ? Object.keys(scripts) : [script],
    seeds,
    sectors: sectors === undefined ? [512, 4096] : [sectors === '512' ? 512 : 4096],
    jobs: readWhole('--jobs', values.jobs ?? String(availableParallelism())),
    crash,
    secondCrash,
  }
}

function readSeeds(seed: string | undefined, seeds: string | undefined): number[] {
  if (seed !== undefined && seeds !== undefined) throw new UsageError('--seed or --seeds, not both')
  if (seed !== undefined) return [readWhole('--seed', seed)]
  const [first, last] = readRange('--seeds', seeds ?? '1..4')
  if (last - first >= seedsMost) throw new UsageError(`--seeds: expected at most ${seedsMost} of them`)
  return Array.from({ length: last - first + 1 }, (_, place) => first + place)
}

function readCrash(option: string, value: string | undefined): Crash | null {
  if (value === undefined) return null
  const [, point = '', kept = ''] = /^(\d+):(0x[\da-f]+)$/.exec(value) ?? []
  if (kept === '') throw new UsageError(`${option}: expected P:K, as in 12:0x3f`)
  return { point: readWhole(option, point, 0), kept: BigInt(kept) }
}
