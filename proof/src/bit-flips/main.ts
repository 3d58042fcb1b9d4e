import { runCommand, UsageError } from '../command/command.ts'
import { runOnThreads } from '../command/threads.ts'
import { Judge, type Outcome } from './judge.ts'
import { countCases, mutate } from './mutations.ts'
import { type Options, parseOptions, usage } from './options.ts'
import { type End, makeSample, type Sample } from './sample.ts'
import type { Batch, BatchReport } from './worker.ts'

/** Cases that a thread is handed at a time. */
const batchCases = 200
const progressMs = 10_000
const failuresShown = 10

const print = (text: string): void => void process.stdout.write(`${text}\n`)

type Failure = BatchReport['failures'][number]

/** What the cases of one directory came to. */
class Tally {
  readonly #began = performance.now()
  readonly outcomes: Record<Outcome, number> = { right: 0, refused: 0, 'end lost': 0 }
  readonly failures: Failure[] = []
  readonly #all: number

  constructor(all: number) {
    this.#all = all
  }

  /** Tells of failures at once: a run takes minutes. */
  add({ outcomes, failures }: BatchReport, tellFailure: (failure: Failure) => void): void {
    for (const [outcome, count] of Object.entries(outcomes)) this.outcomes[outcome as Outcome] += count
    for (const failure of failures) {
      if (this.failures.length < failuresShown) tellFailure(failure)
      this.failures.push(failure)
    }
  }

  get passed(): number {
    return Object.values(this.outcomes).reduce((sum, count) => sum + count, 0)
  }

  get line(): string {
    const seconds = (performance.now() - this.#began) / 1000
    const { right, refused, 'end lost': lost } = this.outcomes
    const done = this.passed + this.failures.length
    const parts = `${right} recovered right, ${refused} refused, ${lost} with the end lost`
    return `${done} of ${this.#all} in ${seconds.toFixed(0)} s: ${parts}, ${this.failures.length} failed`
  }
}

function* listBatches(sample: Sample, { kinds: wanted, stride }: Options): Generator<Batch> {
  for (const kind of wanted) {
    const cases = countCases(sample, kind)
    for (let first = 0; first < cases; first += batchCases * stride)
      yield { kind, first, end: Math.min(cases, first + batchCases * stride), stride }
  }
}

async function damage(end: End, sample: Sample, options: Options): Promise<Tally> {
  const { kinds: wanted, stride, jobs, logBytes } = options
  const tally = new Tally(wanted.reduce((sum, kind) => sum + Math.ceil(countCases(sample, kind) / stride), 0))
  const batches = listBatches(sample, options)
  const timer = setInterval(() => print(tally.line), progressMs)
  await runOnThreads<Batch, BatchReport>({
    module: new URL('./worker.ts', import.meta.url),
    count: jobs,
    workerData: { end, logBytes },
    next: () => batches.next().value ?? undefined,
    onReport: report => tally.add(report, failure => tellFailure(end, logBytes, failure)),
  })
  clearInterval(timer)
  return tally
}

function tellFailure(end: End, logBytes: number, { kind, place, why }: Failure): void {
  const size = logBytes === 65_536 ? '' : ` --log-bytes ${logBytes}`
  print(`  ${why}\n    again: npm run bit-flips -- --ends ${end} --case ${kind}:${place}${size}`)
}

async function runOne(
  end: End,
  sample: Sample,
  { kind, place }: NonNullable<Options['case']>,
): Promise<boolean> {
  const cases = countCases(sample, kind)
  if (place >= cases) throw new UsageError(`--case: ${kind} has cases 0 to ${cases - 1}`)
  const mutant = mutate(sample, kind, place)
  try {
    const outcome = await (await Judge.of(sample)).judge(mutant)
    print(`${end}: ${mutant.what}: ${outcome}`)
    return true
  } catch (error) {
    print(`${end}: ${mutant.what}: ${error instanceof Error ? error.stack : error}`)
    return false
  }
}

async function main(options: Options): Promise<number> {
  let [passed, failed] = [0, 0]
  for (const end of options.ends) {
    const sample = await makeSample(end, options.logBytes)
    if (options.case !== null) {
      if (await runOne(end, sample, options.case)) passed++
      else failed++
      continue
    }
    const tally = await damage(end, sample, options)
    print(`${end}: ${tally.line}`)
    passed += tally.passed
    failed += tally.failures.length
  }
  print(`${passed} passed, ${failed} failed`)
  return failed === 0 ? 0 : 1
}

await runCommand(usage, parseOptions, main)
