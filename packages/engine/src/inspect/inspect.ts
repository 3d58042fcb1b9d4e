import { resolve } from 'node:path'
import type { Disk } from '../disk/disk.ts'
import { NodeDisk } from '../disk/node-disk.ts'
import { pooledCalls } from '../disk/system-calls.ts'
import { formatVersion } from '../log/segment.ts'
import { computeStateHash } from '../pool/state.ts'
import { findExhausted } from '../recovery/judge.ts'
import { findOtherHistory } from '../recovery/other-history.ts'
import type { SegmentFile } from './files.ts'
import { findSegment, isAbsent, isDamage, readSegmentBytes, segmentNumbers, viewSegment } from './files.ts'
import { hexHash } from './observe.ts'
import { LogReading } from './reading.ts'
import type { ReadingOptions } from './reading-options.ts'
import type { LogFault, LogObserver, LogReport, SegmentReport, SnapshotReport } from './report.ts'
import { SegmentTally, scanSegment } from './scan-segment.ts'
import { judgeStart } from './survey.ts'

/**
 * Reads the log of a data directory, archive included, from its beginning (or from the oldest good snapshot that it
 * reaches back to), and tells what it holds and whether it is whole. Takes no lock and changes nothing: a server may
 * be running. Throws `INVALID` where there is no log, `CORRUPT` with `missing: 'identity'` in its fields where no file
 * says whose log it is, `INTERNAL` where the system does not give a file, or the system's error where it does not give
 * the directory. Since 0.1.
 */
export function inspectLog(directory: string, observer: LogObserver = {}): Promise<LogReport> {
  return inspectOn(new NodeDisk(pooledCalls), resolve(directory), observer)
}

async function inspectOn(disk: Disk, directory: string, observer: LogObserver): Promise<LogReport> {
  return (await readWholeLog({ disk, directory, observer, secondLook: true })).report
}

export interface WholeLog {
  readonly reading: LogReading
  readonly report: LogReport
}

/** Reads a log and looks at what the replay did not come to. */
export async function readWholeLog(options: ReadingOptions): Promise<WholeLog> {
  const reading = await LogReading.run(options)
  if (!reading.stopped) {
    await scanTheRest(options, reading)
    await compareHistories(options, reading)
    const { fault } = reading
    if (fault === null || fault.kind === 'torn') reading.fault = judgeForStart(reading) ?? fault
  }
  return { reading, report: reportOf(options.directory, reading) }
}

async function scanTheRest({ disk, directory }: ReadingOptions, reading: LogReading): Promise<void> {
  const { files, log, reports, verdicts } = reading
  const lsns = reading.plausibleLsns
  for (const number of segmentNumbers(files)) {
    if (reports.has(number)) continue
    const file = findSegment(files, number)!
    try {
      const bytes = await readSegmentBytes(disk, directory, file)
      const { header, verdict } = judgeStart(bytes, log, file)
      if (verdict !== null) verdicts.set(number, verdict)
      const unread = verdict?.kind === 'foreign' || verdict?.kind === 'format'
      const views = viewSegment(unread ? new Uint8Array(0) : bytes)
      const report = scanSegment(views, header, file, lsns)
      reports.set(number, unread ? { ...report, end: 'unreadable' } : report)
    } catch (error) {
      if (!isDamage(error) && !isAbsent(error)) throw error
      if (isDamage(error)) verdicts.set(number, { kind: 'damage', why: error.message })
      reports.set(number, new SegmentTally(file).report('unreadable', false))
    }
  }
}

/** Asks the segments that were not replayed to their ends whether the snapshots behind them are of this log. */
async function compareHistories({ disk, directory }: ReadingOptions, reading: LogReading): Promise<void> {
  for (const { segment, content } of reading.goodSnapshots) {
    const file = reading.files.live.get(segment)
    const report = reading.reports.get(segment)
    if (file === undefined || (report?.replayed === true && report.end === 'full')) continue
    try {
      const bytes = await readSegmentBytes(disk, directory, file)
      const { header, verdict } = judgeStart(bytes, reading.log, file)
      if (verdict?.kind === 'foreign' || verdict?.kind === 'format') continue
      if (findOtherHistory(viewSegment(bytes), header, content!.position) > 0)
        reading.otherHistories.add(segment)
    } catch (error) {
      if (!isDamage(error) && !isAbsent(error)) throw error
    }
  }
}

/** What a start would refuse, though the log can be read to its end: it looks at live files and snapshots alone. */
function judgeForStart(reading: LogReading): LogFault | null {
  const { files, verdicts, replayer } = reading
  const live = [...files.live.values()]
  const harmless = 'a start refuses that, though no draw is lost by it'
  for (const [index, { number, file }] of live.entries()) {
    const verdict = verdicts.get(number)
    if (verdict !== undefined) return refusal(verdict.kind, file, `${verdict.why}; ${harmless}`)
    const before = live[index - 1]?.number ?? number - 1
    if (number !== before + 1)
      return refusal('gap', file, `segment ${before + 1} is missing before it; ${harmless}`)
  }
  const [first, last] = [live[0], live.at(-1)]
  if (first === undefined || last === undefined)
    return refusal('gap', '.', `it holds no live segment; ${harmless}`)
  const exhausted = findExhausted(replayer.position)
  if (exhausted !== '') return refusal('chain', last.file, exhausted)
  return judgeSnapshots(reading, first, last)
}

/** A start takes the newest good snapshot that the log reaches back to, whatever follows from that. */
function judgeSnapshots(reading: LogReading, first: SegmentFile, last: SegmentFile): LogFault | null {
  const taken = reading.snapshots.findLast(
    ({ content, segment }) => content !== null && segment + 1 >= first.number,
  )
  if (taken === undefined) {
    const why = `no good snapshot is left, and the log begins with segment ${first.number}`
    return first.number === 1 ? null : refusal('snapshot', '.', why)
  }
  if (taken.segment >= last.number) {
    const { lsn } = taken.content!.position
    const why = `it is whole and stands at LSN ${lsn}, yet the log ends with ${last.file} before it`
    return refusal('snapshot', taken.file, `${why}: files are missing, or it is of another time`)
  }
  // A start asks the segment before where none of the log follows on from the snapshot.
  const isAsked = reading.reports.get(taken.segment + 1)?.batches === 0
  const isOther = isAsked && reading.otherHistories.has(taken.segment)
  const isRefused = isOther || reading.matches.get(taken.segment) === false
  return isRefused ? refusal('snapshot', taken.file, contradiction) : null
}

function refusal(kind: LogFault['kind'], file: string, message: string): LogFault {
  return { kind, file, offset: 0, firstLsn: null, lastLsn: null, message }
}

const contradiction = 'its state is not the one that the log has at its LSN'

function reportOf(directory: string, reading: LogReading): LogReport {
  const { log, start, lsn, drawNumber, growing, stopped } = reading
  const { state } = reading.replayer
  const segments = [...reading.reports].sort(([a], [b]) => a - b).map(([, report]): SegmentReport => report)
  const snapshots = reading.snapshots.map(({ segment, file, bytes, content, fault }): SnapshotReport => {
    const lsn = content?.position.lsn ?? null
    const drawNumber = content?.drawNumber ?? null
    const stateHash = content === null ? null : hexHash(content.hash)
    const matches = reading.matches.get(segment) ?? null
    return { segment, file, bytes, lsn, drawNumber, stateHash, fault, matches }
  })
  const warnings = [...reading.warnings, ...badSnapshots(reading)]
  return {
    directory,
    identity: Buffer.from(log.identity).toString('hex'),
    shard: log.shard,
    format: formatVersion,
    segments,
    snapshots,
    startLsn: start.lsn,
    startDrawNumber: start.drawNumber,
    lsn,
    drawNumber,
    pools: state.pools.size,
    stateHash: hexHash(state.hash),
    growing,
    stopped,
    fault: reading.fault ?? judgeState(reading),
    warnings,
  }
}

function badSnapshots(reading: LogReading): LogFault[] {
  const faults: LogFault[] = []
  for (const { file, fault, segment } of reading.snapshots) {
    const message = fault !== '' ? fault : reading.matches.get(segment) === false ? contradiction : ''
    if (message === '' || reading.fault?.file === file) continue
    faults.push({ kind: 'snapshot', file, offset: 0, firstLsn: null, lastLsn: null, message })
  }
  return faults
}

/** The state hash is kept by difference; computed from nothing it must be the same. */
function judgeState({ replayer: { state, position } }: LogReading): LogFault | null {
  if (computeStateHash(state) === state.hash) return null
  const message = `the state at LSN ${position.lsn} does not have the state hash that its records add up to`
  return { kind: 'chain', file: '.', offset: 0, firstLsn: null, lastLsn: null, message }
}
