import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { runCommand, UsageError } from '../command/command.ts'
import { runOnThreads } from '../command/threads.ts'
import { Judge, type Outcome } from './judge.ts'
import { countCases, type Kind, kinds, mutate } from './mutations.ts'
import { type End, ends, makeSample, type Sample } from './sample.ts'
import type { Batch, BatchReport } from './worker.ts'

const usage = `Damages a data directory in one way after the other, and starts the engine on each damaged copy: it must
come up with what was answered, or refuse with CORRUPT.

    npm run bit-flips -- [options]

  --stride N        one case in N, default 1: all of them
  --kinds A,B       of ${kinds.join(', ')}; default all
  --ends A,B        directories as an idle log (idle) or an orderly end (shutdown) leaves them; default both
  --log-bytes N     bytes of log behind the snapshots, default 65536
  --jobs N          threads, default as many as there are processors
  --case KIND:N     one case alone
  --help

The exit code is 0 where all cases passed, 1 where one failed, 2 for wrong usage.
`

/** Cases that a thread is handed at a time. */
const batchCases = 200
const progressMs = 10_000
const failuresShown = 10

const print = (text: string): void => void process.stdout.write(`${text}\n`)

interface Options {
  readonly stride: number
  readonly kinds: readonly Kind[]
  readonly ends: readonly End[]
  readonly logBytes: number
  readonly jobs: number
  readonly case: { readonly kind: Kind; readonly place: number } | null
}

function parseOptions(args: readonly string[]): Options | null {
  const text = { type: 'string' } as const
  const { values } = parseArgs({
    args: [...args],
    options: {
      ...{ stride: text, kinds: text, ends: text, 'log-bytes': text, jobs: text, case: text },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return null
  const [kind = '', place = ''] = values.case?.split(':') ?? []
  const logBytes = readWhole(values['log-bytes'], 'log-bytes', 65_536)
  if (logBytes % 16_384 !== 0) throw new UsageError('--log-bytes: expected a multiple of 16384')
  return {
    stride: readWhole(values.stride, 'stride', 1),
    kinds: readNames(values.kinds, 'kinds', kinds),
    ends: readNames(values.ends, 'ends', ends),
    logBytes,
    jobs: readWhole(values.jobs, 'jobs', availableParallelism()),
    case:
      values.case === undefined ? null : { kind: readNames(kind, 'case', kinds)[0]!, place: Number(place) },
  }
}

function readWhole(value: string | undefined, name: string, otherwise: number): number {
  const number = Number(value ?? otherwise)
  if (!Number.isSafeInteger(number) || number < 1)
    throw new UsageError(`--${name}: expected a whole number from 1`)
  return number
}

function readNames<T extends string>(
  value: string | undefined,
  name: string,
  all: readonly T[],
): readonly T[] {
  if (value === undefined) return all
  return value.split(',').map(word => {
    const found = all.find(each => each === word)
    if (found === undefined) throw new UsageError(`--${name}: expected some of ${all.join()}`)
    return found
  })
}

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
