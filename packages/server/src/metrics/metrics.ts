import type { BatchReport } from '@kuji/engine'
import type { EngineEvent } from '@kuji/engine/contract'
import { Counter, collectDefaultMetrics, Gauge, type Metric, Registry } from 'prom-client'
import { type Health, states } from '../health.ts'
import { version } from '../version.ts'
import { DoorMeter, type Protocol } from './meter.ts'
import { PlainHistogram } from './plain-histogram.ts'

/** 1, 4, 16 … up to the draws that one `drawMany` may make. */
const drawBounds = Array.from({ length: 11 }, (_, power) => 4 ** power)
/** 64 bytes, 256, 1 KiB … 64 MiB. */
const byteBounds = Array.from({ length: 11 }, (_, power) => 64 * 4 ** power)
const secondBounds = [
  ...[
    0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5,
  ],
  10,
]

/**
 * What a server counts, and how it tells it. Whatever happens often (draws, requests, batches) is added to plain
 * numbers by those who do it; they are read when `/metrics` is scraped, and that is when the work is done.
 */
export class Metrics {
  readonly #registry = new Registry()
  readonly #meters: DoorMeter[] = []
  readonly #batchDraws = new PlainHistogram(
    'kuji_batch_draws',
    'Draws of a durable batch: those that shared one write.',
    drawBounds,
  )
  readonly #batchBytes = new PlainHistogram(
    'kuji_batch_bytes',
    'Bytes of a durable batch in the log.',
    byteBounds,
  )
  readonly #writeSeconds = new PlainHistogram(
    'kuji_log_write_seconds',
    'From handing a batch to the log until it was durable.',
    secondBounds,
  )
  readonly #events = new Map<string, { readonly labels: Record<string, string>; count: number }>()
  #snapshotAt: number | null = null

  /** `health` tells how the server is doing when asked, and is asked at every scrape. */
  constructor(health: () => Health) {
    collectDefaultMetrics({ register: this.#registry })
    for (const histogram of [this.#batchDraws, this.#batchBytes, this.#writeSeconds]) {
      // The registry asks for a name and for `get`; its type wants the whole class.
      this.#registry.registerMetric(histogram as unknown as Metric)
    }
    this.#addBuild()
    this.#addDoors()
    this.#addEvents()
    this.#addHealth(health)
  }

  get contentType(): string {
    return this.#registry.contentType
  }

  /** In the text format of Prometheus. */
  text(): Promise<string> {
    return this.#registry.metrics()
  }

  /** The meter of a door that is being opened. */
  meterOf(protocol: Protocol): DoorMeter {
    const meter = new DoorMeter(protocol)
    this.#meters.push(meter)
    return meter
  }

  countBatch({ draws, bytes, writeMs }: BatchReport): void {
    this.#batchDraws.observe(draws)
    this.#batchBytes.observe(bytes)
    this.#writeSeconds.observe(writeMs / 1000)
  }

  countEvent({ type, level }: EngineEvent): void {
    if (type === 'snapshot-written') this.#snapshotAt = Date.now()
    const entry = this.#events.get(type)
    if (entry === undefined) this.#events.set(type, { labels: { type, level }, count: 1 })
    else entry.count++
  }

  #addBuild(): void {
    const info = this.#gauge('kuji_build_info', 'Always 1; the labels tell the version.', ['version', 'node'])
    info.set({ version, node: process.versions.node }, 1)
  }

  #addDoors(): void {
    const counts = [
      ['kuji_requests_total', 'Requests that have arrived.', 'requests'],
      ['kuji_draws_total', 'Draws that were made and answered; receipts given again do not count.', 'draws'],
      ['kuji_replayed_draws_total', 'Draws of receipts that were given again for their key.', 'replayed'],
    ] as const
    for (const [name, help, field] of counts) {
      this.#counter(name, help, ['protocol'], counter => {
        for (const meter of this.#meters) counter.inc({ protocol: meter.protocol }, meter[field])
      })
    }
    this.#counter('kuji_refusals_total', 'Answers that were errors.', ['protocol', 'code'], counter => {
      for (const { protocol, refusals } of this.#meters)
        for (const [code, count] of refusals) counter.inc({ protocol, code }, count)
    })
    this.#gauge('kuji_connections', 'Connections that are open.', ['protocol'], gauge => {
      for (const { protocol, connections } of this.#meters) gauge.set({ protocol }, connections)
    })
  }

  #addEvents(): void {
    const help = 'Events of the engine: recovery, snapshots, alarms.'
    this.#counter('kuji_events_total', help, ['type', 'level'], counter => {
      for (const { labels, count } of this.#events.values()) counter.inc(labels, count)
    })
    this.#gauge(
      'kuji_snapshot_timestamp_seconds',
      'When this process has last written a snapshot; absent before.',
      [],
      gauge => setOrRemove(gauge, this.#snapshotAt === null ? undefined : this.#snapshotAt / 1000),
    )
  }

  #addHealth(health: () => Health): void {
    const numbers = [
      ['kuji_queue_depth', 'Requests that wait or are under way.', 'queued'],
      ['kuji_lsn', 'The last LSN that is durable.', 'lsn'],
      ['kuji_draw_number', 'The last draw number that is durable.', 'drawNumber'],
      ['kuji_idempotency_keys', 'Idempotency keys that are kept.', 'keys'],
      ['kuji_idempotency_key_bytes', 'Memory that they take with their receipts.', 'keyBytes'],
      ['kuji_heap_bytes', 'What pools and the item lists of kept receipts take of the heap.', 'heapBytes'],
      [
        'kuji_heap_bytes_most',
        'The most that they may; a put that would make it more is refused.',
        'heapBytesMost',
      ],
      ['kuji_segment', 'The log file that is being written.', 'segment'],
      ['kuji_snapshot_lsn', 'LSN of the newest snapshot, 0 before the first.', 'snapshotLsn'],
    ] as const
    for (const [name, help, field] of numbers)
      this.#gauge(name, help, [], gauge => {
        const now = health()
        // No number is known before the log has been read, and 0 would look like a loss.
        setOrRemove(gauge, now.state === 'recovering' ? undefined : now[field])
      })
    const early = 'Idempotency keys that had to go before their time, since the start.'
    this.#counter('kuji_idempotency_keys_forgotten_early_total', early, [], counter =>
      counter.inc(health().keysForgottenEarly),
    )
    const oldest = 'Age of the oldest idempotency key that is kept; absent without keys.'
    this.#gauge('kuji_idempotency_oldest_key_seconds', oldest, [], gauge => {
      const { oldestKeyMs } = health()
      setOrRemove(gauge, oldestKeyMs === undefined ? undefined : oldestKeyMs / 1000)
    })
    this.#gauge(
      'kuji_state',
      '1 for the state that the server is in, 0 for the others.',
      ['state'],
      gauge => {
        const { state: present } = health()
        for (const state of states) gauge.set({ state }, state === present ? 1 : 0)
      },
    )
  }

  #gauge(
    name: string,
    help: string,
    labelNames: readonly string[],
    collect: (gauge: Gauge) => void = () => {},
  ): Gauge {
    const registers = [this.#registry]
    return new Gauge({
      name,
      help,
      labelNames,
      registers,
      collect() {
        collect(this)
      },
    })
  }

  /** A counter of what is counted elsewhere. */
  #counter(
    name: string,
    help: string,
    labelNames: readonly string[],
    collect: (counter: Counter) => void,
  ): void {
    new Counter({
      name,
      help,
      labelNames,
      registers: [this.#registry],
      collect() {
        this.reset()
        collect(this)
      },
    })
  }
}

function setOrRemove(gauge: Gauge, value: number | undefined): void {
  if (value === undefined) gauge.remove()
  else gauge.set(value)
}
