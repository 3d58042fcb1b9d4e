import { tmpdir } from 'node:os'
import { parseArgs } from 'node:util'

export type Mode = 'smoke' | 'quick' | 'targets' | 'default' | 'full'

export interface Options {
  readonly mode: Mode
  readonly rounds: number
  /** Part of a group's or row's name; all rows when empty. */
  readonly only: string
  readonly directory: string
  /** Where the rows go as JSON, or '' for nowhere. */
  readonly json: string
}

export const usage = `npm run bench -- [options]

  --targets       only the rows that the targets need, 5 rounds (some three minutes)
  --quick         the same, smaller and in 2 rounds (under 90 seconds)
  --smoke         every row with next to no draws, 1 round: shows that it runs, judges nothing
  --full          every count and durability at every pool size (a quarter of an hour)
  --only PATTERN  groups or rows whose name contains PATTERN
  --rounds N      rounds of each group, 1 to 99 (default 3)
  --dir DIR       where the log directories go (default: the system's temporary directory)
  --json FILE     also write the rows as JSON to FILE, or to standard output where it is "-"
  --help
`

/** Wrong usage: its message says what. */
export class UsageError extends Error {}

const modes = ['smoke', 'quick', 'targets', 'full'] as const
const defaultRounds: Readonly<Record<Mode, number>> = { smoke: 1, quick: 2, targets: 5, default: 3, full: 3 }

/** Null asks for help. Throws a UsageError. */
export function parseOptions(args: readonly string[]): Options | null {
  const flag = { type: 'boolean' } as const
  const text = { type: 'string' } as const
  let values: Record<string, string | boolean | undefined>
  try {
    const options = { smoke: flag, quick: flag, targets: flag, full: flag, help: flag }
    const settings = { only: text, rounds: text, dir: text, json: text }
    values = parseArgs({ args: [...args], options: { ...options, ...settings }, strict: true }).values
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
  if (values.help === true) return null
  const chosen = modes.filter(mode => values[mode] === true)
  if (chosen.length > 1) throw new UsageError(`--${chosen.join(' and --')} exclude each other`)
  const mode = chosen[0] ?? 'default'
  const { only = '', dir = tmpdir(), json = '' } = values
  return {
    mode,
    rounds: values.rounds === undefined ? defaultRounds[mode] : parseRounds(String(values.rounds)),
    only: String(only),
    directory: String(dir),
    json: String(json),
  }
}

function parseRounds(text: string): number {
  if (!/^[1-9]\d?$/.test(text)) throw new UsageError(`--rounds ${text}: expected a whole number from 1 to 99`)
  return Number(text)
}
