import { parseArgs } from 'node:util'
import { UsageError } from '../command/command.ts'
import { readAboveZero, readWhole } from '../command/numbers.ts'
import type { TargetPlace } from './target.ts'
import { places } from './targets/places.ts'

export const usage = `Feeds kuji's readers with bytes that nobody would send, and keeps those that are told apart.

    npm run fuzz -- [--target T] [--minutes M | --runs N] [options]
    npm run fuzz -- --target T --input FILE

  --target T      one of ${places.map(({ name }) => name).join(', ')}; all in turn where none is given
  --minutes M     for each target, default 1
  --runs N        so many for each target instead, and no look at the coverage: the same seed, the same runs
  --seed S        default 1
  --jobs N        threads, default 1
  --grow          adds inputs that came to new code to proof/corpus/T, and takes out those that are not needed for it
  --limit-ms N    how long one input may take, default 10000
  --input FILE    runs one input, and nothing else
  --help

What is wrong is made smaller and saved in proof/corpus/T/found/. The exit code is 0 where nothing is, 1 where
something is, 2 for wrong usage.
`

export interface FuzzOptions {
  readonly targets: readonly TargetPlace[]
  readonly milliseconds: number
  readonly runs: number
  readonly seed: number
  readonly jobs: number
  readonly grow: boolean
  readonly limitMs: number
  /** A file, or ''. */
  readonly input: string
}

/** Reads the command line. Null asks for the usage; throws what is wrong with it. */
export function parseOptions(args: readonly string[]): FuzzOptions | null {
  const { values } = parseArgs({
    args: [...args],
    options: {
      target: { type: 'string' },
      minutes: { type: 'string' },
      runs: { type: 'string' },
      seed: { type: 'string', default: '1' },
      jobs: { type: 'string', default: '1' },
      grow: { type: 'boolean', default: false },
      'limit-ms': { type: 'string', default: '10000' },
      input: { type: 'string', default: '' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return null
  const { target, grow, input } = values
  const targets = places.filter(({ name }) => target === undefined || name === target)
  if (targets.length === 0) throw new UsageError(`--target: "${target}" is none`)
  if (input !== '' && targets.length > 1) throw new UsageError('--input: whose is it? Say --target too')
  const minutes = readAboveZero('--minutes', values.minutes ?? '1')
  const limited = values.runs !== undefined
  if (limited && values.minutes !== undefined) throw new UsageError('--minutes or --runs, not both')
  return {
    targets,
    milliseconds: limited ? Number.POSITIVE_INFINITY : minutes * 60_000,
    runs: limited ? readWhole('--runs', values.runs!) : Number.POSITIVE_INFINITY,
    seed: readWhole('--seed', values.seed),
    jobs: readWhole('--jobs', values.jobs),
    grow,
    limitMs: readWhole('--limit-ms', values['limit-ms']),
    input,
  }
}
