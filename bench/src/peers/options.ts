import { tmpdir } from 'node:os'
import { parseArgs } from 'node:util'
import { UsageError } from '../options.ts'

export interface PeerOptions {
  readonly smoke: boolean
  readonly rounds: number
  /** Of each side in each round. */
  readonly seconds: number
  /** Part of a bout's name; all bouts when empty. */
  readonly only: string
  readonly directory: string
  /** Where the report goes as JSON, or '' for nowhere. */
  readonly json: string
  /** Servers and load on cores of their own. */
  readonly pin: boolean
  /** A contest whose programs are missing fails the run. */
  readonly strict: boolean
}

export const usage = `npm run bench:peers -- [options]

  --smoke         every bout for an instant, 1 round: shows that it runs, judges nothing
  --only PATTERN  bouts whose name contains PATTERN
  --rounds N      times that both sides take turns, 1 to 99 (default 5)
  --seconds S     of each side in each round, 1 to 600 (default 3)
  --dir DIR       where logs and data go (default: the system's temporary directory)
  --json FILE     also write the figures as JSON to FILE
  --no-pin        leave it to the kernel which cores servers and load run on
  --strict        exit code 1 where a program is missing and a contest is skipped
  --help
`

const smokeSeconds = 0.2

/** Null asks for help. Throws a UsageError. */
export function parsePeerOptions(args: readonly string[]): PeerOptions | null {
  const flag = { type: 'boolean' } as const
  const text = { type: 'string' } as const
  let values: Record<string, string | boolean | undefined>
  try {
    const flags = { smoke: flag, 'no-pin': flag, strict: flag, help: flag }
    const settings = { only: text, rounds: text, seconds: text, dir: text, json: text }
    values = parseArgs({ args: [...args], options: { ...flags, ...settings }, strict: true }).values
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
  if (values.help === true) return null
  const smoke = values.smoke === true
  const number = (name: string, most: number, absent: number): number => {
    const given = values[name]
    if (given === undefined) return absent
    const value = /^[1-9]\d*$/.test(String(given)) ? Number(given) : 0
    if (value >= 1 && value <= most) return value
    throw new UsageError(`--${name} ${given}: expected a whole number from 1 to ${most}`)
  }
  return {
    smoke,
    rounds: number('rounds', 99, smoke ? 1 : 5),
    seconds: number('seconds', 600, smoke ? smokeSeconds : 3),
    only: String(values.only ?? ''),
    directory: String(values.dir ?? tmpdir()),
    json: String(values.json ?? ''),
    pin: values['no-pin'] !== true,
    strict: values.strict === true,
  }
}
