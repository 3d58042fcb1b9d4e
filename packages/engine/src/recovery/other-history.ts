import { hashBatch } from '../log/frame.ts'
import { type SegmentHeader, segmentHeaderBytes, segmentSeed } from '../log/segment.ts'
import { readLsn } from '../record/batch.ts'
import type { OutcomeViews } from '../record/records.ts'
import type { LogPosition } from './replay.ts'
import { walkBatches } from './scan.ts'

/**
 * The LSN that a segment goes on to where a snapshot behind it is of a copy that has gone another way, or 0. Damage in
 * the segment says nothing: the snapshot may have left it behind.
 */
export function findOtherHistory(
  views: OutcomeViews,
  header: SegmentHeader,
  { lsn, hash }: Pick<LogPosition, 'lsn' | 'hash'>,
): number {
  let last = 0
  const end = walkBatches(views, segmentHeaderBytes, segmentSeed(header), at => {
    last = at
  })
  if (last === 0) return 0
  const logged = readLsn(views.view, last)
  const isSame = logged === lsn && Buffer.compare(hashBatch(views.bytes.subarray(last, end)), hash) === 0
  return isSame || logged < lsn ? 0 : logged
}
