import { Worker } from 'node:worker_threads'
import { type Minimised, minimise } from './minimise.ts'
import type { SimOptions } from './options.ts'
import { parseOptions, usage } from './options.ts'
import { makePlan, type PlanLimits, wholePlan } from './plan.ts'
import type { SeedReport } from './seed-worker.ts'
import { simulate } from './simulation.ts'

/** Counter-examples that are made smaller and printed; those beyond are named. */
const failuresShown = 3
const progressMs = 5_000
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

/** What a number of seeds came to. */
class Tally {
  readonly #began = performance.now()
  readonly #counts: Record<string, number> = {}
  readonly failed: SeedReport[] = []
  seeds = 0
  operations = 0
  simulatedMs = 0

  add(report: SeedReport): void {
    this.seeds++
    this.operations += report.operations
    this.simulatedMs += report.simulatedMs
    if (report.violation !== '') this.failed.push(report)
    for (const [what, count] of Object.entries({ ...report.counts, [`ended: ${report.end}`]: 1 }))
      this.#counts[what] = (this.#counts[what] ?? 0) + count
  }

  get line(): string {
    const seconds = (performance.now() - this.#began) / 1000
    const times = Math.round(this.simulatedMs / 1000 / seconds)
    const hours = (this.simulatedMs / 3_600_000).toFixed(1)
    return (
      `${this.seeds} seeds, ${this.operations} operations, ${hours} simulated hours in ${seconds.toFixed(0)} s ` +
      `(${times} times real time), ${this.failed.length} failed`
    )
  }

  get counts(): string {
    const entries = Object.entries(this.#counts).sort(([, a], [, b]) => b - a)
    return entries.map(([what, count]) => `${String(count).padStart(12)}  ${what}`).join('\n')
  }
}

/** Runs the seeds on some threads. */
async function runSeeds({ first, last, minutes, jobs, limits }: SimOptions): Promise<Tally> {
  const tally = new Tally()
  const until = performance.now() + minutes * 60_000
  let next = first
  const hasNext = (): boolean =>
    next <= last && performance.now() < until && tally.failed.length < failuresShown
  const timer = setInterval(() => print(tally.line), progressMs)
  const runOn = (worker: Worker): Promise<void> =>
    new Promise((resolve, reject) => {
      const give = (): void => {
        if (hasNext()) worker.postMessage(next++)
        else void worker.terminate().then(() => resolve())
      }
      worker.on('message', (report: SeedReport) => {
        tally.add(report)
        if (report.violation !== '') print(`seed ${report.seed}: ${report.violation}`)
        give()
      })
      worker.on('error', reject)
      give()
    })
  const threads = Math.min(jobs, last - first + 1)
  const url = new URL('./seed-worker.ts', import.meta.url)
  await Promise.all(Array.from({ length: threads }, () => runOn(new Worker(url, { workerData: limits }))))
  clearInterval(timer)
  return tally
}

function tellMinimised(seed: number, { limits, report, tries }: Minimised): void {
  const { faults, durability, segmentBytes, sectorBytes, clients } = report.plan
  print(`\nseed ${seed}: ${report.violation?.message}`)
  print(
    `made smaller in ${tries} runs: ${limits.operations} operations, ${clients} clients, durability ${durability}, ` +
      `segments of ${segmentBytes}, sectors of ${sectorBytes}, faults: ${[...faults].join() || 'none'}`,
  )
  print(report.trace!.slice(-traceLines).join('\n'))
  print(`\nagain: ${commandOf(seed, limits)}`)
}

async function main(options: SimOptions): Promise<number> {
  const { first, last, limits, trace } = options
  if (trace) {
    const report = await simulate(makePlan(first, limits), { keepTrace: true })
    print(report.trace!.join('\n'))
    print(`trace ${report.hash}, ended: ${report.violation?.message ?? report.end}`)
    return report.violation === null ? 0 : 1
  }
  const upTo = last === Number.POSITIVE_INFINITY ? '' : ` to ${last}`
  print(`seeds from ${first}${upTo}, ${limits.operations} operations each`)
  const tally = await runSeeds(options)
  print(tally.counts)
  print(tally.line)
  for (const { seed } of tally.failed.slice(0, failuresShown))
    tellMinimised(seed, await minimise(seed, limits))
  print(`${tally.seeds - tally.failed.length} passed, ${tally.failed.length} failed`)
  return tally.failed.length === 0 ? 0 : 1
}

try {
  const options = parseOptions(process.argv.slice(2))
  if (options === null) print(usage)
  else process.exitCode = await main(options)
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n\n${usage}`)
  process.exitCode = 2
}
