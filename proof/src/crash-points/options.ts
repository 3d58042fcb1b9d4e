import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { UsageError } from '../command/command.ts'
import type { Crash } from './explore.ts'
import { scripts } from './scripts.ts'

const names = Object.keys(scripts).join(', ')

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
  const { script, seed, sectors } = values
  if (script !== undefined && !(script in scripts)) throw new UsageError(`--script: there is no ${script}`)
  if (sectors !== undefined && sectors !== '512' && sectors !== '4096')
    throw new UsageError('--sectors: expected 512 or 4096')
  const [from, to] = readRange(values.seeds ?? (seed === undefined ? '1..4' : `${seed}..${seed}`))
  const crash = readCrash(values.crash, 'crash')
  if (crash !== null && (script === undefined || sectors === undefined || from !== to))
    throw new UsageError('--crash: goes with --script, --seed and --sectors')
  return {
    second: readWhole(values.second, 'second', 0),
    scripts: script === undefined ? Object.keys(scripts) : [script],
    seeds: Array.from({ length: to - from + 1 }, (_, place) => from + place),
    sectors: sectors === undefined ? [512, 4096] : [sectors === '512' ? 512 : 4096],
    jobs: Math.max(1, readWhole(values.jobs, 'jobs', availableParallelism())),
    crash,
    secondCrash: readCrash(values['second-crash'], 'second-crash'),
  }
}

function readWhole(value: string | undefined, name: string, otherwise: number): number {
  const number = Number(value ?? otherwise)
  if (!Number.isSafeInteger(number) || number < 0) throw new UsageError(`--${name}: expected a whole number`)
  return number
}

function readRange(value: string): [number, number] {
  const [, from, to] = /^(\d+)\.\.(\d+)$/.exec(value) ?? []
  const [first, last] = [Number(from), Number(to)]
  if (!(first >= 1 && last >= first)) throw new UsageError('--seeds: expected A..B, as in 1..4')
  return [first, last]
}

function readCrash(value: string | undefined, name: string): Crash | null {
  if (value === undefined) return null
  const [, point, kept] = /^(\d+):(0x[\da-f]+)$/.exec(value) ?? []
  if (point === undefined || kept === undefined)
    throw new UsageError(`--${name}: expected P:K, as in 12:0x3f`)
  return { point: Number(point), kept: BigInt(kept) }
}
