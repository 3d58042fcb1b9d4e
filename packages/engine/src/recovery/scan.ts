import { checkFrame } from '../log/frame.ts'
import { headerBytes, readLength, readLsn } from '../record/batch.ts'
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

/**
 * Looks behind `from` for a batch of this segment that is whole and no older than `lsn`: proof that what stands
 * before it was once written, so that a bad batch is damage and not the torn end. Returns its offset, or -1.
 * Batches start at multiples of 8, and the LSN is compared before the CRC is computed, so zeros and the leftovers of
 * a file used for the second time cost little.
 */
export function findLaterBatch(views: OutcomeViews, from: number, lsn: number, seed: number): number {
  const { bytes, view } = views
  for (let at = (from + 7) & ~7; at + headerBytes <= bytes.length; at += 8) {
    if (view.getUint32(at + 4, true) === 0) continue
    if (readLength(view, at) === 0 || readLsn(view, at) < lsn) continue
    if (checkFrame(bytes, view, at, seed) > 0) return at
  }
  return -1
}

/** Whether everything from `at` on is zero. */
export function isZero(bytes: Uint8Array, at: number, end = bytes.length): boolean {
  for (let i = at; i < end; i++) if (bytes[i] !== 0) return false
  return true
}
