import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Durability } from '@kuji/engine/contract'
import { type Command, InvalidArgumentError } from 'commander'
import { type Measurement, measure } from '../measure.ts'
import { command, printJson } from './outcome.ts'
import { formatTable } from './table.ts'

interface Options {
  readonly seconds: number
  readonly tmp: string
  readonly json?: true
}

const examples = `
Examples:
  kuji bench                      about five seconds, in a temporary directory
  kuji bench --tmp /srv           on the disk that counts: many systems keep /tmp in memory
  kuji bench --seconds 3 --json

Draws from a weighted pool of six items, in this process, with nothing between: what a server adds comes
on top.`

export function addBenchCommand(program: Command): void {
  program
    .command('bench')
    .description('Measure draws a second on this machine, quickly.')
    .option('--seconds <s>', 'time for each row', parseSeconds, 0.5)
    .option('--tmp <dir>', 'where the temporary directory is made', tmpdir())
    .option('--json', 'print JSON')
    .addHelpText('after', examples)
    .action(
      command(async (options: Options) => {
        const rows: Measurement[] = []
        for (const durability of ['none', 'os', 'sync'] as const) {
          rows.push(
            ...(await inTemporaryDirectory(options.tmp, dir => measure(dir, durability, options.seconds))),
          )
        }
        if (options.json) printJson({ node: process.version, seconds: options.seconds, rows })
        else process.stdout.write(formatRows(rows))
      }),
    )
}

function parseSeconds(text: string): number {
  const seconds = Number(text)
  if (seconds > 0 && seconds <= 3600) return seconds
  throw new InvalidArgumentError('expected a number of seconds above 0, at most 3600.')
}

async function inTemporaryDirectory<Result>(
  parent: string,
  use: (dir: string) => Promise<Result>,
): Promise<Result> {
  const dir = await mkdtemp(join(parent, 'kuji-bench-'))
  try {
    return await use(dir)
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}

const durabilityNames: Record<Durability, string> = {
  none: 'none (memory)',
  os: 'os (kernel)',
  sync: 'sync (device)',
}

function formatRows(rows: readonly Measurement[]): string {
  return formatTable(
    [{ heading: 'DURABILITY' }, { heading: 'WAY' }, { heading: 'DRAWS/S', right: true }],
    rows.map(({ durability, way, drawsPerSecond }) => [
      durabilityNames[durability],
      way,
      Math.round(drawsPerSecond).toLocaleString('en'),
    ]),
  )
}
