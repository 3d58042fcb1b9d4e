import { checkFrame } from '../log/frame.ts'
import { headerBytes, readLength, readLsn, terminatorBytes } from '../record/batch.ts'
import type { OutcomeViews } from '../record/records.ts'

/**
 * Walks the whole batches of a segment from `start`. `visit` sees each; the place behind the last is returned, where
 * the log ends or something is wrong.
 */
export function walkBatches(
  views: OutcomeViews,
  start: number,
  seed: number,
  visit: (at: number) => void,
): number {
  let at = start
  for (;;) {
    const length = checkFrame(views.bytes, views.view, at, seed)
    if (length === 0) return at
    visit(at)
    at += length
  }
}

/** Which LSNs a batch that stands behind a given place can have. */
export interface LsnRange {
  readonly least: number
  readonly most: number
}

/** A log that has come to `lsn` holds no later LSN in its next `bytes` than as many batches as find room there. */
export function lsnsBehind(lsn: number, bytes: number): LsnRange {
  return { least: lsn + 1, most: lsn + Math.ceil(bytes / headerBytes) }
}

/**
 * Looks behind `from` for a batch of this segment that is whole and has one of these LSNs: proof that what stands
 * before it was once written, so that a bad batch is damage and not the torn end. Returns its offset, or -1.
 * Batches start at multiples of 8, and the LSN is compared before the CRC is computed: zeros cost little, and so do
 * outcomes, in which a length of many megabytes is easily read (with no upper bound of the LSN, a torn batch of 1 MiB
 * took two minutes of checksums, and a recycled file hours).
 */
export function findLaterBatch(views: OutcomeViews, from: number, seed: number, lsns: LsnRange): number {
  const { bytes, view } = views
  for (let at = (from + 7) & ~7; at + headerBytes <= bytes.length; at += 8) {
    if (view.getUint32(at + 4, true) === 0 || readLength(view, at) === 0) continue
    const lsn = readLsn(view, at)
    if (lsn < lsns.least || lsn > lsns.most) continue
    if (checkFrame(bytes, view, at, seed) > 0) return at
  }
  return -1
}

/** Whether the log ends at `at` as it does between two writes: with zeros, or at the end of the file. */
export function isTerminated(views: OutcomeViews, at: number): boolean {
  return isZero(views.bytes, at, Math.min(at + terminatorBytes, views.bytes.length))
}

function isZero(bytes: Uint8Array, at: number, end: number): boolean {
  for (let i = at; i < end; i++) if (bytes[i] !== 0) return false
  return true
}
