import type { ItemIndexes } from '../contract/index.ts'
import type { SegmentHeader } from '../log/segment.ts'
import { segmentHeaderBytes, segmentSeed } from '../log/segment.ts'
import { headerBytes, readHeader } from '../record/batch.ts'
import { MalformedBytes } from '../record/bytes.ts'
import type { OutcomeViews, RecordVisitor, SealReason } from '../record/records.ts'
import { visitRecords } from '../record/records.ts'
import type { LsnRange } from '../recovery/scan.ts'
import { findLaterBatch, isTerminated, walkBatches } from '../recovery/scan.ts'
import type { SegmentFile } from './files.ts'
import type { SegmentEnd, SegmentReport } from './report.ts'

/** Visits every whole batch from `from` on, passing over what cannot be read. Returns the place behind the last. */
export function visitWholeBatches(
  views: OutcomeViews,
  from: number,
  seed: number,
  lsns: LsnRange,
  visit: (at: number) => void,
): number {
  let end = walkBatches(views, from, seed, visit)
  for (;;) {
    const later = findLaterBatch(views, end, seed, lsns)
    if (later < 0) return end
    end = walkBatches(views, later, seed, visit)
  }
}

/** Counts draws and remembers a seal, and cares for nothing else in a batch. */
class BatchCounter implements RecordVisitor {
  drawCount = 0
  sealReason: SealReason | null = null

  read(views: OutcomeViews, at: number): void {
    const { length, records } = readHeader(views.view, at)
    this.drawCount = 0
    this.sealReason = null
    try {
      visitRecords(views, at + headerBytes, at + length, records, this)
    } catch (error) {
      if (!(error instanceof MalformedBytes)) throw error
    }
  }

  draws(_pool: number, _items: ItemIndexes, _start: number, count: number): void {
    this.drawCount += count
  }

  request(pool: number, items: ItemIndexes, start: number, count: number): void {
    this.draws(pool, items, start, count)
  }

  keyPolicy(): void {}
  put(): void {}
  item(): void {}
  status(): void {}
  delete(): void {}

  seal(reason: SealReason): void {
    this.sealReason = reason
  }
}

/** A report of a segment as it grows, batch by batch. */
export class SegmentTally {
  readonly #file: SegmentFile
  #batches = 0
  #firstLsn: number | null = null
  #lastLsn: number | null = null
  #firstDraw: number | null = null
  #lastDraw: number | null = null

  constructor(file: SegmentFile) {
    this.#file = file
  }

  get batches(): number {
    return this.#batches
  }

  add(lsn: number, firstDraw: number, draws: number): void {
    this.#batches++
    this.#firstLsn ??= lsn
    this.#lastLsn = lsn
    if (draws === 0) return
    this.#firstDraw ??= firstDraw
    this.#lastDraw = firstDraw + draws - 1
  }

  report(end: SegmentEnd, replayed: boolean): SegmentReport {
    return {
      ...this.#file,
      batches: this.#batches,
      firstLsn: this.#firstLsn,
      lastLsn: this.#lastLsn,
      firstDraw: this.#firstDraw,
      lastDraw: this.#lastDraw,
      end,
      replayed,
    }
  }
}

/** Looks at a segment that the replay does not come to, batch by batch. */
export function scanSegment(
  views: OutcomeViews,
  header: SegmentHeader,
  file: SegmentFile,
  lsns: LsnRange,
): SegmentReport {
  const tally = new SegmentTally(file)
  const counter = new BatchCounter()
  const seed = segmentSeed(header)
  const end = visitWholeBatches(views, segmentHeaderBytes, seed, lsns, at => {
    const { lsn, firstDraw } = readHeader(views.view, at)
    counter.read(views, at)
    tally.add(lsn, firstDraw, counter.drawCount)
  })
  return tally.report(endOf(counter.sealReason, tally.batches, isTerminated(views, end)), false)
}

export function endOf(sealed: SealReason | null, batches: number, terminated: boolean): SegmentEnd {
  if (sealed === 'full') return 'full'
  if (!terminated) return 'unreadable'
  return batches === 0 ? 'empty' : (sealed ?? 'open')
}
