import { limits } from '../contract/index.ts'
import type { Disk } from '../disk/disk.ts'
import type { SegmentHeader } from '../log/segment.ts'
import { segmentHeaderBytes, segmentSeed } from '../log/segment.ts'
import { headerBytes, readLsn } from '../record/batch.ts'
import type { OutcomeViews } from '../record/records.ts'
import { findLaterBatch, lsnsBehind } from '../recovery/scan.ts'
import type { SegmentFile } from './files.ts'
import { findSegment, isAbsent, isDamage, readSegmentBytes, segmentNumbers, viewSegment } from './files.ts'
import type { LogReading } from './reading.ts'
import type { LogFaultKind } from './report.ts'
import { judgeStart } from './survey.ts'

/** One look at a segment: what it holds from some place on, as far as it can be followed. */
export interface Look {
  readonly file: SegmentFile
  readonly header: SegmentHeader
  readonly views: OutcomeViews
  /** Where the batches that follow on end. */
  readonly end: number
  /** Whether it was ended in order. */
  readonly full: boolean
  /** Why it cannot be read beyond `end`, where that is clear from this segment alone. */
  readonly fault: { readonly kind: LogFaultKind; readonly why: string } | null
}

/** The first whole batch behind the place where a segment can be read no further, there or in a later segment. */
export async function findLaterInLog(
  { disk, directory }: { readonly disk: Disk; readonly directory: string },
  { files, log, lsn, verdicts }: Pick<LogReading, 'files' | 'log' | 'lsn' | 'verdicts'>,
  number: number,
  look: Look,
): Promise<{ file: string; at: number; lsn: number } | null> {
  let bytes = look.views.bytes.length - look.end
  const at = findLaterBatch(look.views, look.end, segmentSeed(look.header), lsnsBehind(lsn, bytes))
  if (at >= 0) return { file: look.file.file, at, lsn: readLsn(look.views.view, at) }
  // One that a repair writes anew has a page at least, and a start judges what comes behind it by that.
  if (verdicts.has(number)) bytes = Math.max(bytes, limits.segmentMinimumBytes)
  let before = number
  for (const later of segmentNumbers(files)) {
    if (later <= number) continue
    const file = findSegment(files, later)!
    // Files that are missing in between may have been of any size.
    bytes += (later - before - 1) * limits.segmentMaximumBytes
    bytes += file.archived ? limits.segmentMaximumBytes : file.bytes + headerBytes
    before = later
    const read = await readSegmentBytes(disk, directory, file).catch(error => {
      if (isDamage(error) || isAbsent(error)) return null
      throw error
    })
    if (read === null) continue
    const { header, verdict } = judgeStart(read, log, file)
    if (verdict?.kind === 'foreign' || verdict?.kind === 'format') continue
    const views = viewSegment(read)
    const found = findLaterBatch(views, segmentHeaderBytes, segmentSeed(header), lsnsBehind(lsn, bytes))
    if (found >= 0) return { file: file.file, at: found, lsn: readLsn(views.view, found) }
  }
  return null
}
