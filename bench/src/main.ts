import type { ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Group, Row } from './group.ts'
import { groups } from './groups/index.ts'
import type { Options } from './options.ts'
import { parseOptions, UsageError, usage } from './options.ts'
import { formatGroup, formatHeading, formatTargets } from './report/report.ts'
import { reportRow } from './report/row.ts'
import { judge } from './report/targets.ts'
import { runCommand } from './run-command.ts'
import { runGroup } from './run-group.ts'

let child: ChildProcess | null = null
let directory = ''

function cleanUp(): void {
  if (directory !== '') rmSync(directory, { recursive: true, force: true })
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    const end = (): never => {
      cleanUp()
      process.exit(signal === 'SIGINT' ? 130 : 143)
    }
    if (child === null || child.exitCode !== null || child.signalCode !== null) end()
    child!.once('exit', end)
    child!.kill('SIGKILL')
  })
}

function chosenGroups({ only }: Options): Group[] {
  return groups.filter(
    ({ name, contestants }) =>
      name.includes(only) || contestants.some(one => one.rows.some(row => row.includes(only))),
  )
}

async function run(options: Options): Promise<number> {
  const { mode, rounds, only, json } = options
  const chosen = chosenGroups(options)
  if (chosen.length === 0) throw new UsageError(`--only ${only}: there is no such row`)
  directory = mkdtempSync(join(options.directory, 'kuji-bench-'))
  const print = (text: string): void =>
    void (json === '-' ? process.stderr : process.stdout).write(`${text}\n\n`)
  print(formatHeading(mode, rounds))
  const rows: Row[] = []
  const broken: string[] = []
  for (const group of chosen) {
    const progress = (text: string): void => void process.stderr.write(`${group.name}: ${text}\n`)
    const run = runGroup({ group: group.name, mode, rounds, only, directory }, progress)
    child = run.child
    const result = await run.done
    rows.push(...result.rows)
    broken.push(...result.broken)
    if (result.rows.length > 0) print(formatGroup(group, result.rows.map(reportRow)))
  }
  // A pass with next to no draws says nothing about speed.
  const targets = mode === 'smoke' ? [] : judge(rows)
  if (targets.length > 0) print(formatTargets(targets, rows.map(reportRow)))
  const text = `${JSON.stringify(rows.map(reportRow), null, 2)}\n`
  if (json === '-') process.stdout.write(text)
  else if (json !== '') writeFileSync(json, text)
  for (const failure of broken) process.stderr.write(`BROKEN ${failure}\n`)
  return broken.length === 0 ? 0 : 1
}

await runCommand({ usage, parse: parseOptions, run, clear: cleanUp })
