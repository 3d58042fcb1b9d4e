import type { Row, Sample } from '../group.ts'

/** A row as the JSON has it: medians over the rounds. Null: not measured for this row. */
export interface RowReport {
  readonly name: string
  readonly group: string
  readonly draws_per_sec: number
  readonly ns_per_draw: number
  /** Processor time of the drawing thread. */
  readonly cpu_ns_per_draw: number | null
  readonly heap_bytes_per_draw: number | null
  readonly gc_count: number | null
  readonly gc_ms: number | null
  readonly wal_bytes_per_draw: number | null
  readonly wal_file_size: number | null
  readonly draws_per_batch: number | null
  readonly p50_us: number | null
  readonly p99_us: number | null
  readonly p99_9_us: number | null
  readonly result_hash: string
  readonly draws: number
  readonly rounds: number
  /** Lowest and highest round. */
  readonly draws_per_sec_range: readonly [number, number]
  readonly notes: Readonly<Record<string, number>>
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

export function reportRow({ name, group, samples }: Row): RowReport {
  const first = samples[0]!
  const middle = (of: (sample: Sample) => number | undefined): number | null => {
    const values = samples.map(sample => of(sample) ?? Number.NaN)
    return values.some(value => Number.isNaN(value)) ? null : median(values)
  }
  const speeds = samples.map(({ draws, seconds }) => draws / seconds)
  const notes: Record<string, number> = {}
  for (const note of Object.keys(first.notes ?? {}))
    notes[note] = median(samples.map(one => one.notes![note]!))
  return {
    name,
    group,
    draws_per_sec: median(speeds),
    ns_per_draw: 1e9 / median(speeds),
    cpu_ns_per_draw: middle(one =>
      one.cpuSeconds === undefined ? undefined : (one.cpuSeconds * 1e9) / one.draws,
    ),
    heap_bytes_per_draw: middle(one => one.heapBytes / one.draws),
    gc_count: middle(one => one.gcCount),
    gc_ms: middle(one => one.gcMs),
    wal_bytes_per_draw: middle(one => (one.logBytes === undefined ? undefined : one.logBytes / one.draws)),
    wal_file_size: middle(one => one.fileBytes),
    draws_per_batch: middle(one => (one.batches === undefined ? undefined : one.draws / one.batches)),
    p50_us: middle(one => one.latency?.p50),
    p99_us: middle(one => one.latency?.p99),
    p99_9_us: middle(one => one.latency?.p999),
    result_hash: first.hash,
    draws: first.draws,
    rounds: samples.length,
    draws_per_sec_range: [Math.min(...speeds), Math.max(...speeds)],
    notes,
  }
}
