import { readFileSync, writeFileSync } from 'node:fs'
import { UsageError } from '../options.ts'
import { runCommand } from '../run-command.ts'
import type { Bout } from './contest.ts'
import { contests } from './contests/index.ts'
import { splitCores } from './cores.ts'
import type { PeerOptions } from './options.ts'
import { parsePeerOptions, usage } from './options.ts'
import { findProgram, installCommand, versionOf } from './programs.ts'
import type { BoutReport, Surroundings } from './report.ts'
import { formatContest, formatHeading, machineName, reportBout } from './report.ts'
import { runContest } from './run-contest.ts'
import { Stage } from './stage.ts'

/** The contest under way, to be cleared away whichever way the process ends. */
let stage: Stage | null = null

async function clear(): Promise<void> {
  await stage?.close()
  stage = null
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void clear().finally(() => process.exit(signal === 'SIGINT' ? 130 : 143)))
}

function print(text: string): void {
  process.stdout.write(`${text}\n\n`)
}

function surroundings({ rounds, seconds, pin }: PeerOptions): Surroundings {
  const manifest = new URL('../../package.json', import.meta.url)
  const { version } = JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }
  const others = (['redis-server', 'wrk', 'postgres'] as const)
    .map(name => [name, versionOf(name)] as const)
    .filter(([, found]) => found !== '')
  return {
    date: new Date().toISOString().slice(0, 10),
    machine: machineName(),
    versions: { kuji: version, Node: process.versions.node, ...Object.fromEntries(others) },
    rounds,
    seconds,
    cores: pin ? splitCores() : null,
  }
}

async function run(options: PeerOptions): Promise<number> {
  const isChosen = ({ name }: Bout): boolean => name.includes(options.only)
  const chosen = contests.filter(({ bouts }) => bouts.some(isChosen))
  if (chosen.length === 0) throw new UsageError(`--only ${options.only}: there is no such bout`)
  const around = surroundings(options)
  print(formatHeading(around))
  const reports: BoutReport[] = []
  const broken: string[] = []
  const skipped: string[] = []
  const onProgress = (text: string): void => void process.stderr.write(`${text}\n`)
  for (const contest of chosen) {
    const missing = contest.programs.filter(name => findProgram(name) === undefined)
    if (missing.length > 0) {
      skipped.push(`${contest.name}: ${missing.join(', ')} not found; ${installCommand(missing)}`)
      continue
    }
    const { smoke, rounds, seconds, directory } = options
    stage = new Stage({ within: directory, smoke, seconds, cores: contest.pinned ? around.cores : null })
    const order = { rounds, seconds, warmUpSeconds: smoke ? 0 : 1, isChosen, onProgress }
    const outcome = await runContest(contest, stage, order).catch(error => ({
      results: [],
      broken: [`${contest.name}: ${(error as Error).message}`],
    }))
    await clear()
    const bouts = outcome.results.map(result => reportBout(result, !smoke))
    reports.push(...bouts)
    broken.push(...outcome.broken)
    if (bouts.length > 0) print(formatContest(contest, bouts))
  }
  for (const line of skipped) print(`SKIPPED ${line}`)
  for (const line of broken) process.stderr.write(`BROKEN ${line}\n`)
  if (options.json !== '')
    writeFileSync(options.json, `${JSON.stringify({ ...around, bouts: reports, skipped }, null, 2)}\n`)
  return broken.length > 0 || (options.strict && skipped.length > 0) ? 1 : 0
}

await runCommand({ usage, parse: parsePeerOptions, run, clear })
