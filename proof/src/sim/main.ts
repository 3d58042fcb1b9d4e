import { runCommand } from '../command/command.ts'
import { runOnThreads } from '../command/threads.ts'
import { describeFailure } from './failure.ts'
import { type Minimised, minimise } from './minimise.ts'
import type { SimOptions } from './options.ts'
import { parseOptions, usage } from './options.ts'
import { makePlan, type PlanLimits, wholePlan } from './plan.ts'
import type { SeedReport } from './seed-worker.ts'
import { simulate } from './simulation.ts'
import { Tally } from './tally.ts'

/** Counter-examples that are made smaller and printed; those beyond are named. */
const failuresShown = 3
const progressMs = 5_000
/** Seeds in which everything has to happen that is to be tried. */
const seedsForAll = 1000
/** Lines of a trace printed where it is not asked for whole. */
const traceLines = 60

const print = (text: string): void => void process.stdout.write(`${text}\n`)

/** The command that runs a seed again. */
function commandOf(seed: number, { operations, without, clients }: PlanLimits): string {
  const words = [`npm run sim -- --seed ${seed}`]
  if (operations !== wholePlan.operations) words.push(`--operations ${operations}`)
  if (without.length > 0) words.push(`--without ${without.join()}`)
  if (clients !== wholePlan.clients) words.push(`--clients ${clients}`)
  return words.join(' ')
}

/** Runs the seeds on some threads. */
async function runSeeds({ first, last, minutes, jobs, limits }: SimOptions): Promise<Tally> {
  const tally = new Tally()
  const until = performance.now() + minutes * 60_000
  let next = first
  const timer = setInterval(() => print(tally.line), progressMs)
  await runOnThreads<number, SeedReport>({
    module: new URL('./seed-worker.ts', import.meta.url),
    count: Math.min(jobs, last - first + 1),
    workerData: limits,
    next: () => {
      const isOver = next > last || performance.now() >= until || tally.failed.length >= failuresShown
      return isOver ? undefined : next++
    },
    onReport: report => {
      tally.add(report)
      if (report.violation !== '') print(`seed ${report.seed}: ${report.violation}`)
    },
  })
  clearInterval(timer)
  return tally
}

function tellMinimised(seed: number, { limits, report, tries }: Minimised): void {
  const { faults, durability, segmentBytes, sectorBytes, clients } = report.plan
  const { violation } = report
  print(`\nseed ${seed}: ${violation === null ? 'does not fail again' : describeFailure(violation)}`)
  print(
    `made smaller in ${tries} runs: ${limits.operations} operations, ${clients} clients, durability ${durability}, ` +
      `segments of ${segmentBytes}, sectors of ${sectorBytes}, faults: ${[...faults].join() || 'none'}`,
  )
  print(report.trace.lines.slice(-traceLines).join('\n'))
  print(`\nagain: ${commandOf(seed, limits)}`)
}

async function main(options: SimOptions): Promise<number> {
  const { first, last, limits, trace } = options
  if (trace) {
    const report = await simulate(makePlan(first, limits), { keepTrace: true })
    print(report.trace.lines.join('\n'))
    const { violation, end } = report
    print(`trace ${report.trace.hash}, ended: ${violation === null ? end : describeFailure(violation)}`)
    return violation === null ? 0 : 1
  }
  const upTo = last === Number.POSITIVE_INFINITY ? '' : ` to ${last}`
  print(`seeds from ${first}${upTo}, ${limits.operations} operations each`)
  const tally = await runSeeds(options)
  print(tally.counts)
  print(tally.line)
  for (const { seed, kind } of tally.failed.slice(0, failuresShown))
    tellMinimised(seed, await minimise(seed, limits, kind))
  const isWhole = limits.operations >= wholePlan.operations && limits.without.length === 0
  const missing = isWhole && tally.seeds >= seedsForAll ? tally.missing : []
  for (const what of missing) print(`never happened: ${what}`)
  print(`${tally.seeds - tally.failed.length} passed, ${tally.failed.length} failed`)
  return tally.failed.length + missing.length === 0 ? 0 : 1
}

await runCommand(usage, parseOptions, main)
