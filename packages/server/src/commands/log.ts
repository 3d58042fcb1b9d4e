import { stat } from 'node:fs/promises'
import type { LogFault, LogObserver, LogReport } from '@kuji/engine'
import { inspectLog, KujiError, repairLog } from '@kuji/engine'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { systemReason } from '../failure.ts'
import { DrawLines, jsonLines, textLines } from './draw-lines.ts'
import { formatChecks, formatFault, formatFiles, formatRepair } from './log-text.ts'
import { command, exitCodes, printJson } from './outcome.ts'

interface JsonOption {
  readonly json?: true
}

const needsNoStop =
  'Reads archive and live files as one log. Takes no lock and changes nothing: a server may be running.'

export function addLogCommand(program: Command): void {
  const log = program.command('log').description('Look into a data directory, and repair it.')
  addList(log)
  addDump(log)
  addVerify(log)
  addRepair(log)
}

function addList(log: Command): void {
  log
    .command('ls')
    .description('List segments and snapshots.')
    .argument('<dir>', 'data directory')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
Examples:
  kuji log ls ./data
  kuji log ls ./data --json

${needsNoStop}`,
    )
    .action(
      command(async (dir: string, { json }: JsonOption) => {
        const report = await inspect(dir, withProgress('reading'))
        if (json) return printJson(report)
        process.stdout.write(formatFiles(report))
        for (const fault of faultsOf(report)) process.stderr.write(`kuji: ${formatFault(fault)}\n`)
      }),
    )
}

interface DumpOptions {
  readonly format: 'text' | 'ndjson'
  readonly pool?: string
  readonly from: number
  readonly to: number
}

function addDump(log: Command): void {
  log
    .command('dump')
    .description('Print the draws, and every other record too as NDJSON.')
    .argument('<dir>', 'data directory')
    .addOption(
      new Option(
        '--format <format>',
        'text: DRAW <number> <item>, one line a draw · ndjson: one object a record',
      )
        .choices(['text', 'ndjson'])
        .default('text'),
    )
    .option('--pool <pool>', 'of this pool alone')
    .option('--from <n>', 'from this draw number on', parseNumber, 1)
    .option('--to <n>', 'up to this draw number', parseNumber, Number.MAX_SAFE_INTEGER)
    .addHelpText(
      'after',
      `
Examples:
  kuji log dump ./data                             every draw there ever was
  kuji log dump ./data --pool summer | head -20
  kuji log dump ./data --format ndjson --from 1000 --to 1999

${needsNoStop}
What cannot be read is told on stderr; where draws are missing because of it, the exit code is 1.`,
    )
    .action(command(dump))
}

function parseNumber(text: string): number {
  const number = Number(text)
  if (/^\d+$/.test(text) && number >= 1 && Number.isSafeInteger(number)) return number
  throw new InvalidArgumentError('expected a whole number from 1.')
}

async function dump(dir: string, { format, pool, from, to }: DumpOptions): Promise<void> {
  const lines = new DrawLines(format === 'text' ? textLines : jsonLines)
  let found = pool === undefined
  let reading = true
  const observer: LogObserver = {
    draws(draws) {
      if (pool !== undefined && draws.pool !== pool) return
      found = true
      lines.add(draws, from, to)
    },
    settled({ drawNumber }) {
      const chunks = lines.settle()
      if (chunks.length > 0) return flush(chunks, drawNumber)
      return drawNumber >= to ? 'stop' : undefined
    },
    ...(format === 'text' && pool === undefined ? {} : { change }),
  }
  function change(told: Parameters<NonNullable<LogObserver['change']>>[0]): void {
    if (pool !== undefined && (!('pool' in told) || told.pool !== pool)) return
    found = true
    const { nextDraw, at, type, ...rest } = told
    if (format === 'text' || nextDraw < from || nextDraw > to) return
    lines.addLine(`${JSON.stringify({ type, ...rest, at: new Date(at).toISOString() })}\n`)
  }
  async function flush(
    chunks: readonly Buffer<ArrayBuffer>[],
    drawNumber: number,
  ): Promise<'stop' | undefined> {
    for (const chunk of chunks) reading = reading && (await write(chunk))
    lines.giveBack(chunks)
    return !reading || drawNumber >= to ? 'stop' : undefined
  }
  const report = await inspect(dir, observer)
  if (reading) await write(lines.rest())
  if (report.stopped) return
  if (!found) throw new KujiError('POOL_NOT_FOUND', `no record in ${dir} names the pool "${pool}"`)
  tellMissing(report, from)
}

/** Writes to stdout; the next chunk waits until this one is gone. False where nobody reads any more. */
function write(chunk: Buffer): Promise<boolean> {
  return new Promise(resolve => process.stdout.write(chunk, error => resolve(!error)))
}

/** Says which draws a dump does not have, and fails where they should have been there. */
function tellMissing(report: LogReport, from: number): void {
  if (report.startDrawNumber >= from) {
    const message = `draws up to ${report.startDrawNumber} stood in segments that were removed`
    process.stderr.write(`kuji: note: ${message}\n`)
  }
  for (const fault of faultsOf(report)) {
    const missing = fault.firstLsn !== null && fault.kind !== 'torn'
    if (missing) process.exitCode = exitCodes.refused
    process.stderr.write(`kuji: ${missing ? 'CORRUPT' : 'note'}: ${formatFault(fault)}\n`)
  }
}

function addVerify(log: Command): void {
  log
    .command('verify')
    .description('Replay the whole log and check everything in it.')
    .argument('<dir>', 'data directory')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
Examples:
  kuji log verify ./data
  kuji log verify /backup/data --json

Checks every checksum, the hash chain, LSNs and draw numbers, state hashes, stock, and each snapshot against the replay.
${needsNoStop}
Exit code 1 with file, offset and LSNs where anything is wrong: also where a start would get along, as with a damaged
archive, a bad snapshot or a torn last batch.`,
    )
    .action(
      command(async (dir: string, { json }: JsonOption) => {
        const report = await inspect(dir, withProgress('verifying'))
        const faults = faultsOf(report)
        if (json) printJson({ ok: faults.length === 0, ...report })
        else if (report.fault === null) process.stdout.write(formatChecks(report))
        else process.stdout.write(`Read up to LSN ${report.lsn}, draw ${report.drawNumber}.\n`)
        if (faults.length > 0) process.exitCode = exitCodes.refused
        else if (!json) process.stdout.write('OK\n')
        for (const fault of faults) process.stderr.write(`kuji: CORRUPT: ${formatFault(fault)}\n`)
        if (report.fault !== null && report.fault.kind !== 'torn')
          process.stderr.write(
            `kuji: a start refuses this; \`kuji log repair ${dir}\` tells what can be saved\n`,
          )
      }),
    )
}

interface RepairOptions extends JsonOption {
  readonly yes?: true
}

function addRepair(log: Command): void {
  log
    .command('repair')
    .description('Make a directory that a start refuses open again; without --yes, tell what would be lost.')
    .argument('<dir>', 'data directory; no server may have it open')
    .option('--yes', 'do it')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
Examples:
  kuji log repair ./data          what can be saved, and exactly what would be lost
  kuji log repair ./data --yes    do it

Restoring the damaged file from a copy is better: a repair loses what cannot be read, and all that came after it. What
is replaced or dropped is kept in a folder broken-<n> in the directory. A torn last batch needs no repair.`,
    )
    .action(command(repair))
}

async function repair(dir: string, { yes, json }: RepairOptions): Promise<void> {
  await checkDirectory(dir)
  const report = await repairLog(dir, { dryRun: yes !== true })
  if (json) printJson(report)
  if (!report.needed) {
    const { fault } = report.before
    if (!json) process.stdout.write(`Nothing to repair${fault === null ? '' : `: ${formatFault(fault)}`}.\n`)
    return
  }
  if (report.impossible !== '') {
    throw new KujiError('CORRUPT', `nothing can be done, and nothing was changed: ${report.impossible}`)
  }
  if (!json) process.stdout.write(formatRepair(report))
  if (report.done) {
    if (!json) process.stdout.write('\nDone: the directory opens.\n')
    return
  }
  process.exitCode = exitCodes.refused
  process.stderr.write('kuji: nothing was changed; add --yes to do this\n')
}

/** The fault, and what a start gets along with. */
function faultsOf({ fault, warnings }: LogReport): LogFault[] {
  return fault === null ? [...warnings] : [fault, ...warnings]
}

async function inspect(dir: string, observer: LogObserver): Promise<LogReport> {
  await checkDirectory(dir)
  return inspectLog(dir, observer)
}

async function checkDirectory(dir: string): Promise<void> {
  const found = await stat(dir).catch((error: unknown) => {
    throw new KujiError('INVALID', `cannot read ${dir}: ${systemReason(error)}`)
  })
  if (!found.isDirectory()) throw new KujiError('INVALID', `${dir} is not a directory`)
}

/** Tells on stderr how far it has come, every second. */
function withProgress(doing: string): LogObserver {
  let told = performance.now()
  return {
    settled({ part, lsn, drawNumber }) {
      const now = performance.now()
      if (now - told < 1000) return undefined
      told = now
      process.stderr.write(`kuji: ${doing}: ${Math.floor(part * 100)} %, LSN ${lsn}, draw ${drawNumber}\n`)
      return undefined
    },
  }
}
