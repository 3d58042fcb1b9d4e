import type { ItemIndexes } from '../contract/index.ts'
import type { Disk } from '../disk/disk.ts'
import { segmentHeaderBytes, segmentSeed } from '../log/segment.ts'
import type { Rules } from '../pool/manifest.ts'
import type { ItemChange, State } from '../pool/state.ts'
import { headerBytes, readHeader } from '../record/batch.ts'
import { MalformedBytes } from '../record/bytes.ts'
import type { OutcomeViews, RecordVisitor, SealReason } from '../record/records.ts'
import { visitRecords } from '../record/records.ts'
import { isTerminated } from '../recovery/scan.ts'
import { readSegmentBytes, viewSegment } from './files.ts'
import type { LogReading } from './reading.ts'
import type { RepairPlan } from './repair-plan.ts'
import type { LogLosses, LostPool } from './report.ts'
import { visitWholeBatches } from './scan-segment.ts'
import { judgeStart } from './survey.ts'

interface KnownPool {
  readonly id: string
  readonly itemIds: readonly string[]
  /** How many holes there were when these rules were read. */
  readonly holes: number
}

interface Count {
  readonly known: KnownPool | null
  readonly assumed: boolean
  draws: number
  /** By item: an index that was never one may be as large as it likes. */
  readonly items: Map<number, number>
}

/**
 * Counts what stands in whole batches behind the place where a log breaks off. Draw numbers and LSNs have no gap, so
 * the last whole batch tells how many there were; which items they are, only whole batches tell.
 */
class LossCounter implements RecordVisitor {
  readonly #state: State
  readonly #from: { lsn: number; drawNumber: number }
  /** By pool number; null where it was deleted. */
  readonly #pools = new Map<number, KnownPool | null>()
  readonly #counts = new Map<number, Count[]>()
  readonly #changes: LogLosses['changes'][number][] = []
  #lsn: number
  #lastDraw: number
  #readable = 0
  #batchDraws = 0
  #holes = 0
  /** The seal that the last whole batch is. */
  sealed: SealReason | null = null

  constructor(state: State, from: { lsn: number; drawNumber: number }) {
    this.#state = state
    this.#from = from
    this.#lsn = from.lsn
    this.#lastDraw = from.drawNumber
  }

  get lsn(): number {
    return this.#lsn
  }

  /** Counts a whole batch. One that was counted already, or stands in what is kept, does not count. */
  add(views: OutcomeViews, at: number): void {
    const { length, lsn, firstDraw, records } = readHeader(views.view, at)
    if (lsn <= this.#lsn) return
    if (lsn !== this.#lsn + 1) this.#holes++
    this.#lsn = lsn
    this.#batchDraws = 0
    this.sealed = null
    try {
      visitRecords(views, at + headerBytes, at + length, records, this)
    } catch (error) {
      // What makes no sense is a hole like any other.
      if (!(error instanceof MalformedBytes)) throw error
      this.#holes++
    }
    this.#readable += this.#batchDraws
    this.#lastDraw = Math.max(this.#lastDraw, firstDraw - 1 + this.#batchDraws)
  }

  #known(number: number): KnownPool | null {
    const read = this.#pools.get(number)
    if (read !== undefined) return read
    const pool = this.#state.byNumber.get(number)
    return pool === undefined ? null : { id: pool.id, itemIds: pool.itemIds, holes: 0 }
  }

  draws(number: number, items: ItemIndexes, start: number, count: number): void {
    this.#batchDraws += count
    const known = this.#known(number)
    const assumed = known !== null && known.holes < this.#holes
    const counts = this.#counts.get(number) ?? []
    this.#counts.set(number, counts)
    let own = counts.at(-1)
    if (own === undefined || own.known?.itemIds !== known?.itemIds || own.assumed !== assumed) {
      own = { known, assumed, draws: 0, items: new Map() }
      counts.push(own)
    }
    own.draws += count
    for (let k = start; k < start + count; k++) own.items.set(items[k]!, (own.items.get(items[k]!) ?? 0) + 1)
  }

  request(number: number, items: ItemIndexes, start: number, count: number): void {
    this.draws(number, items, start, count)
  }

  keyPolicy(): void {}

  #change(type: LogLosses['changes'][number]['type'], number: number): void {
    this.#changes.push({ lsn: this.#lsn, type, pool: this.#known(number)?.id ?? null })
  }

  put(number: number, rules: Rules): void {
    this.#pools.set(number, { id: rules.id, itemIds: rules.itemIds, holes: this.#holes })
    this.#change('put', number)
  }

  item(number: number, _change: ItemChange): void {
    this.#change('update', number)
  }

  status(number: number): void {
    this.#change('status', number)
  }

  delete(number: number): void {
    this.#change('delete', number)
    this.#pools.set(number, null)
  }

  seal(reason: SealReason): void {
    this.sealed = reason
  }

  result(complete: boolean): LogLosses {
    const lostLsns = this.#lsn > this.#from.lsn
    const draws = this.#lastDraw - this.#from.drawNumber
    const pools = [...this.#counts].flatMap(([number, counts]) =>
      counts.map(count => describe(number, count)),
    )
    return {
      firstLsn: lostLsns ? this.#from.lsn + 1 : null,
      lastLsn: lostLsns ? this.#lsn : null,
      firstDraw: draws > 0 ? this.#from.drawNumber + 1 : null,
      lastDraw: draws > 0 ? this.#lastDraw : null,
      draws,
      readableDraws: this.#readable,
      complete,
      pools,
      changes: this.#changes,
    }
  }
}

function describe(number: number, { known, assumed, draws, items }: Count): LostPool {
  const sorted = [...items].sort(([a], [b]) => a - b)
  const counted = sorted.map(([index, count]) => ({
    item: known?.itemIds[index] ?? null,
    index,
    draws: count,
  }))
  return { pool: known?.id ?? null, number, draws, assumed, items: counted }
}

/** Counts what a cut at the reading's stop loses, in the segment that is cut and in those behind it. */
export async function countLosses(
  disk: Disk,
  directory: string,
  reading: LogReading,
  plan: RepairPlan | null,
): Promise<LogLosses> {
  const { lsn, drawNumber, log, stop } = reading
  const counter = new LossCounter(reading.replayer.state, { lsn, drawNumber })
  // The end of the log is known where nothing was written behind its last whole batch.
  let complete = plan === null || plan.impossible !== '' || !plan.cut
  let last = lsn
  for (const file of plan?.lost ?? []) {
    const read = await readSegmentBytes(disk, directory, file).catch(() => new Uint8Array(0))
    const { header, verdict } = judgeStart(read, log, file)
    const views = viewSegment(verdict?.kind === 'foreign' ? new Uint8Array(0) : read)
    const from = file.number === stop?.number ? stop.offset : segmentHeaderBytes
    const end = visitWholeBatches(views, from, segmentSeed(header), reading.plausibleLsns, at =>
      counter.add(views, at),
    )
    const ended = verdict === null && isTerminated(views, end)
    complete = ended && (complete || counter.lsn > last)
    last = counter.lsn
  }
  return counter.result(complete && counter.sealed !== 'full')
}
