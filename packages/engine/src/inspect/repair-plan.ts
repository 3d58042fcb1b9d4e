import { limits } from '../contract/index.ts'
import { segmentHeaderBytes, segmentName } from '../log/segment.ts'
import { findExhausted, findOverdrawn } from '../recovery/judge.ts'
import type { SegmentFile } from './files.ts'
import { segmentNumbers } from './files.ts'
import type { LogReading } from './reading.ts'

/** A segment to be written anew with what can be read of it, or empty. */
export interface Rewrite {
  readonly number: number
  /** Null where there is none of it to be read. */
  readonly source: SegmentFile | null
  /** Where its readable batches end. */
  readonly end: number
  /** Size of the new file. */
  readonly bytes: number
}

/** What makes a directory open again with all that the log can be read to. */
export interface RepairPlan {
  readonly impossible: string
  /** Whether the log is cut, and so loses something. */
  readonly cut: boolean
  /** Kept as copies before they are replaced. */
  readonly copies: readonly SegmentFile[]
  /** Names of snapshots that are bad or contradict the log. */
  readonly snapshots: readonly string[]
  /** The segment behind which a snapshot is built from the log (the archive, then), where none is left; or 0. */
  readonly build: number
  readonly rewrites: readonly Rewrite[]
  /** Segments behind the cut, the last first. */
  readonly later: readonly SegmentFile[]
  /** Segments before a gap that a snapshot has bridged, the first first. */
  readonly older: readonly SegmentFile[]
  /** Segments whose content the repair loses, in order. */
  readonly lost: readonly SegmentFile[]
}

const nothing = {
  cut: false,
  copies: [],
  snapshots: [],
  build: 0,
  rewrites: [],
  later: [],
  older: [],
  lost: [],
}

/** Room that the seals of a segment take, and more than that. */
const sealRoomBytes = 256

function wholePages(bytes: number): number {
  return Math.ceil(bytes / limits.segmentMinimumBytes) * limits.segmentMinimumBytes
}

/** Plans for a log that a start refuses. */
export function planRepair(reading: LogReading): RepairPlan {
  const { files, stop, snapshots } = reading
  const impossible = whyImpossible(reading)
  if (impossible !== '') return { ...nothing, impossible }
  const live = [...files.live.values()]
  const cut = stop !== null && stop.kind !== 'torn' ? stop.number : 0
  const last = cut > 0 ? lastKept(reading, cut) : live.at(-1)!.number
  const first = Math.max(firstKept(reading, last), standsAlone(reading, last))
  const build = snapshotToBuild(reading, first, last)
  if (build < 0) {
    return {
      ...nothing,
      impossible: `no good snapshot is left, and the segments before ${segmentName(first)} cannot be read`,
    }
  }
  const later = live.filter(({ number }) => number > last).reverse()
  const older = live.filter(({ number }) => number < first)
  const stale = [...files.archived.values()].filter(({ number }) => cut > 0 && number >= cut)
  const rewrites = planRewrites(reading, first, last, cut)
  return {
    impossible: '',
    cut: cut > 0,
    copies: rewrites.flatMap(({ number }) => files.live.get(number) ?? []),
    snapshots: snapshots
      .filter(({ segment, content }) => {
        const contradicts = reading.matches.get(segment) === false
        return content === null || contradicts || segment >= last
      })
      .map(({ file }) => file),
    build,
    rewrites,
    later: [...later, ...stale],
    older,
    lost: cut > 0 ? live.filter(({ number }) => number >= cut) : [],
  }
}

/** The segment that the log goes on with. What is cut off behind the seal that ends a file leaves the next one. */
function lastKept({ sealed }: LogReading, cut: number): number {
  return sealed.has(cut) ? cut + 1 : cut
}

/**
 * The segment that the log goes on with where that is empty, and the one before has another history than the snapshot
 * that the log goes on from: a start would ask that one, so it goes. Else 0.
 */
function standsAlone({ stop, reports, otherHistories }: LogReading, last: number): number {
  const alone = [...otherHistories]
    .map(segment => segment + 1)
    .filter(number => {
      const isCut = stop?.number === number && stop.offset === segmentHeaderBytes
      return number <= last && (isCut || reports.get(number)?.batches === 0)
    })
  return Math.max(0, ...alone)
}

function whyImpossible({ noStart, stop, files, fault, replayer, snapshots }: LogReading): string {
  const unread = snapshots.find(snapshot => snapshot.unread)
  if (unread !== undefined) {
    const way = 'It may be whole, and save what would be lost: copy it from the device, or move it away'
    return `${unread.file} ${unread.fault}. ${way}`
  }
  if (noStart) return `${fault!.message}: there is no state to go on from`
  if (fault?.kind === 'format') return `${fault.file} was written by a newer kuji: ${fault.message}`
  const impossible = findExhausted(replayer.position) || findOverdrawn(replayer.state)
  if (fault?.kind === 'stock' || impossible !== '') {
    const what = impossible || fault!.message
    return `${what}: the checksums are right, so this is a defect or a forgery that no cut would mend`
  }
  if (
    stop !== null &&
    stop.kind !== 'torn' &&
    !files.live.has(stop.number) &&
    files.archived.has(stop.number)
  ) {
    const { file } = files.archived.get(stop.number)!
    return `${file} is damaged and no good snapshot stands behind it: restore it, or a snapshot, from a copy`
  }
  if (stop === null && segmentNumbers(files).length === 0) return 'no segment is left'
  return ''
}

/** The first of the live segments that go without a gap up to `last`, each with a header that is good or mended. */
function firstKept({ files, verdicts, reports }: LogReading, last: number): number {
  const lastRead = Math.max(...[...reports.values()].map(({ number, replayed }) => (replayed ? number : 0)))
  let first = last
  for (;;) {
    const before = first - 1
    if (!files.live.has(before)) return first
    const verdict = verdicts.get(before)
    const report = reports.get(before)
    const readWhole = report?.replayed === true && (report.end === 'full' || before === lastRead)
    const mended = verdict?.kind === 'damage' && readWhole
    if (verdict !== undefined && !mended) return first
    first = before
  }
}

/** 0 where a start finds its snapshot or needs none; the segment to build one behind; -1 where that cannot be. */
function snapshotToBuild(reading: LogReading, first: number, last: number): number {
  if (first === 1) return 0
  const there = reading.goodSnapshots.some(({ segment }) => segment + 1 >= first && segment < last)
  if (there) return 0
  for (let number = last - 1; number >= first - 1; number--) {
    const report = reading.reports.get(number)
    if (report?.replayed === true && report.end === 'full') return number
  }
  return -1
}

function planRewrites(reading: LogReading, first: number, last: number, cut: number): Rewrite[] {
  const { files, verdicts, ends, stop } = reading
  const rewrites: Rewrite[] = []
  for (let number = last; number >= first; number--) {
    const verdict = verdicts.get(number)
    const isNext = cut > 0 && number > cut
    if (number !== cut && !isNext && verdict === undefined) continue
    const file = files.live.get(number)
    const source = file === undefined || isNext || verdict?.kind === 'foreign' ? null : file
    // One that the replay did not come to stands behind the end of the log, and holds nothing.
    const end =
      number === cut ? stop!.offset : isNext ? segmentHeaderBytes : (ends.get(number) ?? segmentHeaderBytes)
    const size = source?.bytes ?? nearestTo(number, files.live)?.bytes ?? limits.segmentBytes
    rewrites.push({ number, source, end, bytes: wholePages(Math.max(size, end + sealRoomBytes)) })
  }
  return rewrites
}

/** The live segment whose number is the nearest: what is made anew gets its size. */
function nearestTo(number: number, live: LogReading['files']['live']): SegmentFile | undefined {
  const others = [...live.values()].filter(file => file.number !== number)
  return others.sort((a, b) => Math.abs(a.number - number) - Math.abs(b.number - number))[0]
}
