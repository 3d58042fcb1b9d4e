import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { UsageError } from '../command/command.ts'
import { readAboveZero, readRange, readWhole } from '../command/numbers.ts'
import type { PlanLimits } from './plan.ts'
import { parseFaults, wholePlan } from './plan.ts'

export const usage = `Runs the engine on a simulated machine that fails in every way, and holds it against a model.

    npm run sim -- [--seed N | --seeds A..B | --minutes M] [options]

  --seed N          one seed, its trace printed where it fails
  --seeds A..B      these seeds, 1..1000 where nothing is said
  --minutes M       as many seeds as there is time for, from a seed that the clock gives (or from --seed)
  --operations N    operations of each run, default ${wholePlan.operations}
  --without A,B     leaves faults out: kill, power, recovery, close, errors, lapse, short, full, slow, clock,
                    damage
  --clients N       at most so many clients
  --jobs N          seeds at a time, default as many as there are processors
  --trace           with --seed: prints the whole trace, whatever comes of it
  --help

The exit code is 0 where all seeds passed, 1 where one failed, 2 for wrong usage.
`

export interface SimOptions {
  readonly first: number
  /** Infinity with a time limit. */
  readonly last: number
  readonly minutes: number
  readonly jobs: number
  readonly trace: boolean
  readonly limits: PlanLimits
}

/** Reads the command line. Null asks for the usage; throws what is wrong with it. */
export function parseOptions(args: readonly string[]): SimOptions | null {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seed: { type: 'string' },
      seeds: { type: 'string' },
      minutes: { type: 'string' },
      operations: { type: 'string' },
      without: { type: 'string' },
      clients: { type: 'string' },
      jobs: { type: 'string' },
      trace: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return null
  refuseTogether(values, ['seeds', 'seed'], ['seeds', 'minutes'], ['seeds', 'trace'], ['minutes', 'trace'])
  const { operations, without, clients, jobs, trace } = values
  const limits: PlanLimits = {
    operations: readWhole('--operations', operations ?? String(wholePlan.operations)),
    without: without === undefined ? [] : parseFaults(without),
    clients: clients === undefined ? wholePlan.clients : readWhole('--clients', clients),
  }
  const rest = { jobs: readWhole('--jobs', jobs ?? String(availableParallelism())), trace, limits }
  const endless = Number.POSITIVE_INFINITY
  if (values.minutes !== undefined) {
    const first = readWhole('--seed', values.seed ?? String(Date.now()))
    return { first, last: endless, minutes: readAboveZero('--minutes', values.minutes), ...rest }
  }
  const seed = values.seed === undefined ? undefined : readWhole('--seed', values.seed)
  const [first, last] = seed === undefined ? readRange('--seeds', values.seeds ?? '1..1000') : [seed, seed]
  return { first, last, minutes: endless, ...rest }
}

/** Options of which one would be passed over. */
function refuseTogether(values: Record<string, unknown>, ...pairs: readonly [string, string][]): void {
  for (const [one, other] of pairs)
    if (values[one] && values[other]) throw new UsageError(`--${one} and --${other} do not go together`)
}
