import type { Row, Sample } from '../group.ts'
import { median } from './row.ts'
import { figure } from './table.ts'

export interface TargetReport {
  readonly name: string
  readonly wanted: string
  readonly measured: string
  /** Null: quoted, not judged. */
  readonly met: boolean | null
  readonly figures: string
}

/** What the original Go program does with one item, on a machine of the same kind: quoted, not measured here. */
const original = { memory: 6.5e6, fileLog: 0.47e6 }

const speed = ({ draws, seconds }: Sample): number => draws / seconds
const heap = ({ heapBytes, draws }: Sample): number => heapBytes / draws
const logBytes = ({ logBytes: bytes, draws }: Sample): number => bytes! / draws
const p50 = ({ latency }: Sample): number => latency!.p50
const p99 = ({ latency }: Sample): number => latency!.p99
const seconds = (sample: Sample): number => sample.seconds

/** Looks the figures of rows up; null where a row was not run. */
class Figures {
  readonly #rows: ReadonlyMap<string, Row>

  constructor(rows: readonly Row[]) {
    this.#rows = new Map(rows.map(row => [row.name, row]))
  }

  of(name: string, figureOf: (sample: Sample) => number): number | null {
    const row = this.#rows.get(name)
    return row === undefined ? null : median(row.samples.map(figureOf))
  }

  /** Ratio round by round, then the median: both sides of each quotient saw the same machine. */
  ratio(above: string, below: string, figureOf: (sample: Sample) => number): number | null {
    const [first, second] = [this.#rows.get(above), this.#rows.get(below)]
    if (first === undefined || second === undefined) return null
    const rounds = Math.min(first.samples.length, second.samples.length)
    const ratios = Array.from(
      { length: rounds },
      (_, round) => figureOf(first.samples[round]!) / figureOf(second.samples[round]!),
    )
    return median(ratios)
  }

  /** The highest median speed of these rows. */
  peak(names: readonly string[]): string | null {
    const run = names.filter(name => this.#rows.has(name))
    const best = run.sort((a, b) => this.of(b, speed)! - this.of(a, speed)!)[0]
    return best ?? null
  }
}

const bulk = (durability: string): string => `drawMany-10000/6-items/${durability}/32-in-flight`
const draw = (durability: string, inFlight: number): string =>
  `draw/6-items/${durability}/${inFlight}-in-flight`
const millions = (value: number | null): string => `${figure(value === null ? null : value / 1e6)} M/s`
const times = (value: number): string => `${value.toFixed(2)} ×`

interface Target {
  readonly name: string
  readonly bound: number
  /** Whether the bound is the least or the most. */
  readonly atLeast: boolean
  readonly unit: (value: number) => string
  readonly value: (figures: Figures) => number | null
  readonly figures: (figures: Figures) => string
}

function ratioTarget(
  name: string,
  wanted: { readonly bound: number; readonly atLeast: boolean },
  above: string,
  below: string,
  figureOf: (sample: Sample) => number,
  unit: (value: number | null) => string,
): Target {
  return {
    name,
    ...wanted,
    unit: times,
    value: figures => figures.ratio(above, below, figureOf),
    figures: figures => `${unit(figures.of(above, figureOf))} : ${unit(figures.of(below, figureOf))}`,
  }
}

function plainTarget(
  name: string,
  wanted: { readonly bound: number; readonly atLeast: boolean },
  row: string,
  figureOf: (sample: Sample) => number,
  unit: (value: number | null) => string,
): Target {
  return { name, ...wanted, unit, value: figures => figures.of(row, figureOf), figures: () => row }
}

const microseconds = (value: number | null): string => `${figure(value)} µs`
const bytes = (value: number | null): string => `${figure(value)} B`
const nanoseconds = (sample: Sample): number => (sample.seconds * 1e9) / sample.draws
const milliseconds = (value: number | null): string => `${figure(value)} ms`
const note =
  (name: string) =>
  ({ notes }: Sample): number =>
    notes![name]!
const snapshotRow = (shape: string, when: string): string =>
  `snapshots/${shape}/draw/sync/64-in-flight/${when}`

function keepsPace(durability: string): Target {
  const rows = [1, 64, 1024, 4096, 16_384].map(inFlight => draw(durability, inFlight))
  const last = rows.at(-1)!
  return {
    name: `draws, ${durability}: 16,384 in flight beside the peak`,
    bound: 0.8,
    atLeast: true,
    unit: times,
    value: figures => figures.ratio(last, figures.peak(rows) ?? last, speed),
    figures: figures =>
      `${millions(figures.of(last, speed))} : ${millions(figures.of(figures.peak(rows) ?? last, speed))}`,
  }
}

const targets: readonly Target[] = [
  {
    name: "drawMany in memory, 6 items, beside the original's 6.5 M/s (quoted)",
    bound: 8,
    atLeast: true,
    unit: times,
    value: figures => {
      const value = figures.of(bulk('none'), speed)
      return value === null ? null : value / original.memory
    },
    figures: figures => `${millions(figures.of(bulk('none'), speed))} : ${millions(original.memory)}`,
  },
  ratioTarget(
    'drawMany in memory beside the bare sampler',
    { bound: 0.7, atLeast: true },
    bulk('none'),
    'bare/sampler/6-items',
    speed,
    millions,
  ),
  ratioTarget(
    'drawMany(10,000), sync beside no log',
    { bound: 0.8, atLeast: true },
    bulk('sync'),
    bulk('none'),
    speed,
    millions,
  ),
  ratioTarget(
    'draws at 4,096 in flight, sync beside no log',
    { bound: 0.7, atLeast: true },
    draw('sync', 4096),
    draw('none', 4096),
    speed,
    millions,
  ),
  plainTarget(
    'draws at 4,096 in flight, sync',
    { bound: 3e6, atLeast: true },
    draw('sync', 4096),
    speed,
    millions,
  ),
  plainTarget(
    'keyed draws at 4,096 in flight, sync',
    { bound: 0.5e6, atLeast: true },
    'draw-keyed/6-items/sync/4096-in-flight',
    speed,
    millions,
  ),
  plainTarget(
    'bookkeeping a key at 10 M keys',
    { bound: 64, atLeast: false },
    'keys/10M-keys',
    note('bytes_a_key'),
    bytes,
  ),
  plainTarget(
    'longest pause on the way to 10 M keys',
    { bound: 5, atLeast: false },
    'keys/10M-keys',
    note('longest_pause_ms'),
    milliseconds,
  ),
  keepsPace('sync'),
  keepsPace('none'),
  plainTarget(
    'log bytes a draw, batches of 1,000',
    { bound: 1.1, atLeast: false },
    'drawMany-1000/6-items/sync/1-in-flight',
    logBytes,
    bytes,
  ),
  plainTarget(
    'log bytes of a batch of one',
    { bound: 96, atLeast: false },
    'draw/6-items/sync/one-at-a-time',
    logBytes,
    bytes,
  ),
  plainTarget('heap bytes a draw, drawMany', { bound: 1, atLeast: false }, bulk('none'), heap, bytes),
  plainTarget('heap bytes a draw, drawMany, sync', { bound: 1, atLeast: false }, bulk('sync'), heap, bytes),
  plainTarget('heap bytes a promise draw', { bound: 350, atLeast: false }, draw('none', 4096), heap, bytes),
  plainTarget(
    'heap bytes a promise draw, sync',
    { bound: 350, atLeast: false },
    draw('sync', 4096),
    heap,
    bytes,
  ),
  ratioTarget(
    'a single draw at a time beside a bare fs.write, p50',
    { bound: 1.15, atLeast: false },
    'draw/6-items/sync/one-at-a-time',
    'bare/fs.write-96-bytes',
    p50,
    microseconds,
  ),
  plainTarget(
    'recovery, draws replayed from runs',
    { bound: 20e6, atLeast: true },
    'recovery/50M-draws-in-bulk',
    speed,
    millions,
  ),
  ...['from-log', 'from-snapshot'].map(source =>
    plainTarget(
      `a pool of 1,000,000 items, open ${source.replace('-', ' the ')} and draw once`,
      { bound: 2, atLeast: false },
      `open/1000000-items/${source}`,
      seconds,
      value => `${figure(value)} s`,
    ),
  ),
  ratioTarget(
    '1,000,000 items beside six, time a weighted draw, one promise each',
    { bound: 3, atLeast: false },
    'draw/weighted-1000000/none/1024-in-flight',
    'draw/weighted-6/none/1024-in-flight',
    nanoseconds,
    value => `${figure(value)} ns`,
  ),
  ratioTarget(
    '1,000,000 items beside six, time a weighted draw, 10,000 a call',
    { bound: 3, atLeast: false },
    'drawMany-10000/weighted-1000000/none/32-in-flight',
    'drawMany-10000/weighted-6/none/32-in-flight',
    nanoseconds,
    value => `${figure(value)} ns`,
  ),
  ...['8-MiB-segments', '8-MiB-segments-100000-items', '32-KiB-segments'].map(shape =>
    ratioTarget(
      `p99 of draws during snapshots, ${shape}`,
      { bound: 1.5, atLeast: false },
      snapshotRow(shape, 'during-snapshots'),
      snapshotRow(shape, 'no-rotation'),
      p99,
      microseconds,
    ),
  ),
]

/** Judges each target whose rows were run, and quotes the original beside them. */
export function judge(rows: readonly Row[]): TargetReport[] {
  const figures = new Figures(rows)
  const judged = targets.flatMap(target => {
    const value = target.value(figures)
    if (value === null) return []
    const met = target.atLeast ? value >= target.bound : value <= target.bound
    const wanted = `${target.atLeast ? '≥' : '≤'} ${target.unit(target.bound)}`
    return [
      { name: target.name, wanted, measured: target.unit(value), met, figures: target.figures(figures) },
    ]
  })
  if (judged.length === 0) return []
  const quoted = { wanted: '-', met: null, figures: 'quoted, not measured here' }
  return [
    ...judged,
    { name: 'the original Go program, 1 item, no log', measured: millions(original.memory), ...quoted },
    { name: 'the original Go program, 1 item, file log', measured: millions(original.fileLog), ...quoted },
  ]
}
