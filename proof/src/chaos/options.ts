import { parseArgs } from 'node:util'
import { UsageError } from '../command/command.ts'
import { readWhole } from '../command/numbers.ts'

export const usage = `npm run chaos -- [--kills N] [--seed S] [--durability sync|os] [--only WORDS] [--answers N]
                  [--keep]
npm run chaos -- --check DIR

A real server under load from real clients, killed N times (50), and otherwise mishandled; then all answers are held
against each other and against the log.

  --durability  one of them; without it they take turns
  --only        no mishaps beside kills but those whose name has these words in it
  --answers     lets each client have so many before the end, however slow the machine is
  --keep        leaves the directories of what passed, too
  --check       compares once more what was left behind
  --help

The exit code is 0 where all was right, 1 where something was not, 2 for wrong usage.
`

export interface ChaosOptions {
  readonly kills: number
  readonly seed: number
  /** Both in turn where none is given. */
  readonly durability?: 'sync' | 'os'
  /** Words in the names of the mishaps beside kills; '' for all. */
  readonly only: string
  /** What each client is to have before the end of each directory. */
  readonly answers: number
  readonly keep: boolean
  /** A directory to be checked once more, or ''. */
  readonly check: string
}

/** Null where help is asked for; throws `UsageError` for what is not in the usage. */
export function parseOptions(words: readonly string[]): ChaosOptions | null {
  const { values } = parseArgs({
    args: [...words],
    options: {
      kills: { type: 'string', default: '50' },
      seed: { type: 'string', default: String(Date.now() % 1_000_000) },
      durability: { type: 'string' },
      only: { type: 'string', default: '' },
      answers: { type: 'string', default: '0' },
      keep: { type: 'boolean', default: false },
      check: { type: 'string', default: '' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return null
  const kills = readWhole('--kills', values.kills)
  const answers = readWhole('--answers', values.answers, 0)
  const { durability, only, keep, check } = values
  if (durability !== undefined && durability !== 'sync' && durability !== 'os')
    throw new UsageError('--durability: expected sync or os')
  const seed = readWhole('--seed', values.seed)
  return { kills, seed, only, answers, keep, check, ...(durability === undefined ? {} : { durability }) }
}
