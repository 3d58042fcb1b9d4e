import { setTimeout } from 'node:timers/promises'
import { giveWay } from '../clock/clock.ts'
import { systemClock } from '../clock/system-clock.ts'
import { KujiError, limits } from '../contract/index.ts'
import { checkFrame } from '../log/frame.ts'
import type { SegmentHeader } from '../log/segment.ts'
import { segmentHeaderBytes, segmentSeed } from '../log/segment.ts'
import { State } from '../pool/state.ts'
import { readHeader, terminatorBytes } from '../record/batch.ts'
import type { OutcomeViews } from '../record/records.ts'
import { findOverdrawn, judgeRoom } from '../recovery/judge.ts'
import { logStart, Replayer } from '../recovery/replay.ts'
import { isTerminated, lsnsBehind } from '../recovery/scan.ts'
import { decodeSnapshot } from '../snapshot/snapshot.ts'
import type { LogFiles, SegmentFile } from './files.ts'
import {
  findSegment,
  isAbsent,
  isDamage,
  listLogFiles,
  missingFile,
  readSegmentBytes,
  readWhole,
  segmentNumbers,
  viewSegment,
} from './files.ts'
import { findLaterInLog, type Look } from './look.ts'
import { ReplayTeller } from './observe.ts'
import type { ReadingOptions, Stop } from './reading-options.ts'
import type { LogFault, SegmentReport } from './report.ts'
import { endOf, SegmentTally } from './scan-segment.ts'
import type { JudgedStart, LogIdentity, SurveyedSnapshot } from './survey.ts'
import { judgeStart, surveyLog, whyOf } from './survey.ts'

const secondLookMs = 50
/** Log replayed before others get a turn on the thread. */
const sliceBytes = 4 * 1024 * 1024

/**
 * Reads a log from its beginning, or from the oldest snapshot that it reaches back to, through the same apply as
 * recovery. Where it cannot be read on, the next good snapshot takes over; where there is none, it stops.
 */
export class LogReading {
  readonly #options: ReadingOptions
  files: LogFiles
  readonly log: LogIdentity
  readonly snapshots: readonly SurveyedSnapshot[]
  /** By segment: whether the snapshot is what the replay has at its LSN. */
  readonly matches: Map<number, boolean> = new Map()
  /** Segments that have not been replayed and whose own batches say something else than the snapshot behind them. */
  readonly otherHistories: Set<number> = new Set()
  readonly warnings: LogFault[] = []
  readonly reports: Map<number, SegmentReport> = new Map()
  /** What was wrong with headers whose batches could be read all the same, and with segments not replayed. */
  readonly verdicts: Map<number, NonNullable<JudgedStart['verdict']>> = new Map()
  /** Where the batches of a replayed segment end. */
  readonly ends: Map<number, number> = new Map()
  /** Segments whose last batch that follows on is the seal that ends a file, whatever stands behind it. */
  readonly sealed: Set<number> = new Set()
  replayer: Replayer = new Replayer()
  /** The last draw number of whole batches; the state may be beyond it, where a batch broke off in the middle. */
  drawNumber = 0
  start = { lsn: 0, drawNumber: 0 }
  fault: LogFault | null = null
  stop: Stop | null = null
  growing = false
  /** True where nothing can be read: neither segment 1 nor a good snapshot is there. */
  noStart = false
  stopped = false
  readonly #numbers: readonly number[]
  #sinceTurn = 0

  private constructor(
    options: ReadingOptions,
    files: LogFiles,
    log: LogIdentity,
    snapshots: readonly SurveyedSnapshot[],
  ) {
    this.#options = options
    this.files = files
    this.log = log
    this.snapshots = snapshots
    this.#numbers = segmentNumbers(files)
  }

  static async run(options: ReadingOptions): Promise<LogReading> {
    const { disk, directory } = options
    const files = await listLogFiles(disk, directory)
    if (files.live.size + files.archived.size + files.snapshots.length === 0) {
      throw new KujiError('INVALID', `${directory} holds no log`, { directory })
    }
    const { log, snapshots } = await surveyLog(disk, directory, files)
    const reading = new LogReading(options, files, log, snapshots)
    let number = await reading.#begin()
    while (number > 0) number = await reading.#step(number)
    return reading
  }

  get lsn(): number {
    return this.replayer.position.lsn
  }

  /** LSNs that any batch of these files may have. */
  get plausibleLsns(): { least: number; most: number } {
    const [first = 0, last = -1] = [this.#numbers[0], this.#numbers.at(-1)]
    let bytes = (last + 1 - first - this.files.live.size) * limits.segmentMaximumBytes
    for (const file of this.files.live.values()) bytes += file.bytes
    const known = Math.max(this.lsn, ...this.snapshots.map(({ content }) => content?.position.lsn ?? 0))
    return { least: 1, most: lsnsBehind(known, bytes).most }
  }

  /** Good snapshots that nothing speaks against, oldest first. */
  get goodSnapshots(): SurveyedSnapshot[] {
    return this.snapshots.filter(
      ({ content, segment }) => content !== null && this.matches.get(segment) !== false,
    )
  }

  /** Returns the first segment to read, or 0. */
  async #begin(): Promise<number> {
    if (findSegment(this.files, 1) !== undefined) {
      this.#replayFrom(new State(), logStart)
      return 1
    }
    const good = this.goodSnapshots
    const first =
      good.find(({ segment }) => findSegment(this.files, segment + 1) !== undefined) ?? good.at(-1)
    if (first === undefined) {
      this.noStart = true
      const message = 'segment 1 is missing, and there is no good snapshot to begin with'
      this.fault = {
        kind: 'gap',
        file: missingFile(this.files, 1),
        offset: 0,
        firstLsn: 1,
        lastLsn: null,
        message,
      }
      return 0
    }
    await this.#takeOver(first)
    this.start = { lsn: this.lsn, drawNumber: this.drawNumber }
    return first.segment + 1
  }

  #replayFrom(state: State, position: Replayer['position']): void {
    const { observer } = this.#options
    const watched = observer.draws !== undefined || observer.change !== undefined
    this.replayer = new Replayer(state, position, watched ? new ReplayTeller(observer, state) : {})
    this.drawNumber = state.drawNumber
  }

  async #takeOver({ file }: SurveyedSnapshot): Promise<void> {
    const { disk, directory } = this.#options
    const { state, position } = decodeSnapshot(await readWhole(disk, `${directory}/${file}`), file)
    this.#replayFrom(state, position)
  }

  /** Reads a segment. Returns the one to go on with, or 0 at the end. */
  async #step(number: number): Promise<number> {
    const found = findSegment(this.files, number)
    const tally = new SegmentTally(found ?? { number, file: '', bytes: 0, archived: false })
    let look = await this.#look(number, segmentHeaderBytes, tally)
    let fault = await this.#faultOf(number, look)
    if (fault !== null && this.#options.secondLook && !this.stopped) {
      const before = look
      await setTimeout(secondLookMs)
      this.files = await listLogFiles(this.#options.disk, this.#options.directory)
      look = await this.#look(number, look?.end ?? segmentHeaderBytes, tally)
      // Whole now, and it was not: a server is writing. What it writes from here on is not ours to follow.
      const grown = before !== null && look !== null && look.end > before.end && look.fault === null
      if (grown && !look!.full) this.growing = true
      fault = grown ? null : await this.#faultOf(number, look)
    }
    if (look !== null) this.#report(number, look, tally)
    if (this.stopped) return 0
    if (look !== null && !look.full) this.#judgeSnapshot(number)
    if (fault !== null) return this.#fail(number, look, fault)
    if (look!.full) return this.#next(number, look!)
    this.#judgeRoom(number, look!)
    return 0
  }

  /** Where the log ends, or breaks off for good. */
  #judgeRoom(number: number, { header, end }: Look): void {
    // What the file lacks is mended like a header: by writing it anew, with all it holds.
    const room = judgeRoom(header, end)
    if (room !== null && !this.verdicts.has(number)) this.verdicts.set(number, room)
  }

  /** A snapshot is of the end of a file, and the file has not ended where it stands. */
  #judgeSnapshot(number: number): void {
    const own = this.snapshots.find(({ segment, content }) => segment === number && content !== null)
    if (own !== undefined && own.content!.position.lsn <= this.lsn) this.matches.set(number, false)
  }

  #report(number: number, look: Look, tally: SegmentTally): void {
    const { replayer } = this
    const sealed = tally.batches === 0 ? null : replayer.sealed
    const end =
      look.fault !== null ? 'unreadable' : endOf(sealed, tally.batches, isTerminated(look.views, look.end))
    this.reports.set(number, tally.report(end, true))
    this.ends.set(number, look.end)
  }

  /** Replays a segment from `from` on. Null where it is not there. */
  async #look(number: number, from: number, tally: SegmentTally): Promise<Look | null> {
    const file = findSegment(this.files, number)
    if (file === undefined) return null
    const { disk, directory } = this.#options
    let bytes: Uint8Array
    try {
      bytes = await readSegmentBytes(disk, directory, file)
    } catch (error) {
      if (isAbsent(error)) return null
      if (!isDamage(error)) throw error
      const header = { ...this.log, number, bytes: 0 }
      const fault = { kind: 'damage', why: error.message } as const
      return { file, header, views: viewSegment(new Uint8Array(0)), end: from, full: false, fault }
    }
    const views = viewSegment(bytes)
    const { header, verdict } = judgeStart(bytes, this.log, file)
    this.verdicts.delete(number)
    if (verdict !== null) this.verdicts.set(number, verdict)
    if (verdict?.kind === 'foreign' || verdict?.kind === 'format') {
      return { file, header, views, end: from, full: false, fault: verdict }
    }
    const { end, why, stray } = await this.#walk(file, header, views, from, tally)
    if (stray !== '' && verdict === null) {
      const behind = `${stray}, and it stands behind the seal that ended the file`
      this.verdicts.set(number, { kind: 'damage', why: behind })
    }
    const full = why === '' && tally.batches > 0 && this.replayer.sealed === 'full'
    return { file, header, views, end, full, fault: why === '' ? null : { kind: 'chain', why } }
  }

  /** Applies batches for as long as they follow on. */
  async #walk(
    file: SegmentFile,
    header: SegmentHeader,
    views: OutcomeViews,
    from: number,
    tally: SegmentTally,
  ): Promise<{ end: number; why: string; stray: string }> {
    const seed = segmentSeed(header)
    let end = from
    while (!this.stopped) {
      const length = checkFrame(views.bytes, views.view, end, seed)
      if (length === 0) break
      const { lsn, firstDraw } = readHeader(views.view, end)
      const isSealed = tally.batches > 0 && this.replayer.sealed === 'full'
      const { hash } = this.replayer.state
      try {
        this.replayer.applyBatch(views, end, file.file)
      } catch (error) {
        if (!(error instanceof KujiError)) throw error
        const why = whyOf(error, file.file)
        if (!isSealed) return { end, why, stray: '' }
        // Written to a wrong place, most likely. Nothing belongs there, so nothing is lost with it.
        const { state, sealed } = this.replayer
        const isWhole = sealed === 'full' && state.hash === hash && state.drawNumber === this.drawNumber
        if (isWhole) return { end, why: '', stray: why }
        this.sealed.add(header.number)
        return { end, why, stray: '' }
      }
      this.drawNumber = this.replayer.state.drawNumber
      tally.add(lsn, firstDraw, this.drawNumber - firstDraw + 1)
      end += length
      await this.#settle(header.number, end / views.bytes.length, length)
    }
    return { end, why: '', stray: '' }
  }

  async #settle(segment: number, part: number, bytes: number): Promise<void> {
    const { settled } = this.#options.observer
    if (settled !== undefined) {
      const [first, last] = [this.#numbers[0]!, this.#numbers.at(-1)!]
      const { lsn, drawNumber } = this
      const progress = { lsn, drawNumber, segment, part: (segment - first + part) / (last - first + 1) }
      const answer = settled.call(this.#options.observer, progress)
      if ((answer instanceof Promise ? await answer : answer) === 'stop') this.stopped = true
    }
    this.#sinceTurn += bytes
    if (this.#sinceTurn < sliceBytes) return
    this.#sinceTurn = 0
    await giveWay(this.#options.clock ?? systemClock)
  }

  /** Why the log cannot be read on from this look at a segment, or null: it can, or it ends here. */
  async #faultOf(
    number: number,
    look: Look | null,
  ): Promise<(Omit<LogFault, 'firstLsn' | 'file'> & { file?: string }) | null> {
    if (this.stopped) return null
    if (look === null) {
      const why = `segment ${number} is missing`
      return { kind: 'gap', offset: 0, lastLsn: null, message: why, file: missingFile(this.files, number) }
    }
    const { fault, full, end, views, file } = look
    if (fault !== null) {
      const offset = fault.kind === 'chain' ? end : 0
      return { kind: fault.kind, offset, lastLsn: null, message: fault.why }
    }
    if (full) {
      const overdrawn = findOverdrawn(this.replayer.state)
      return overdrawn === '' ? null : { kind: 'stock', offset: end, lastLsn: null, message: overdrawn }
    }
    const later = await findLaterInLog(this.#options, this, number, look)
    if (later !== null) {
      const message = `damaged at offset ${end}: ${later.file} holds LSN ${later.lsn} at offset ${later.at}`
      return { kind: 'damage', offset: end, lastLsn: later.lsn - 1, message }
    }
    const successor = this.#successor(number)
    if (successor !== undefined || file.archived) {
      const proof = successor === undefined ? '' : `, as ${successor.file} shows`
      const message = `damaged at offset ${end}: it was ended in order once${proof}`
      return { kind: 'damage', offset: end, lastLsn: null, message }
    }
    const overdrawn = findOverdrawn(this.replayer.state)
    if (overdrawn !== '') return { kind: 'stock', offset: end, lastLsn: null, message: overdrawn }
    const terminated = isTerminated(views, end)
    // A file that is not what its header says may have held more than this: only the zeros behind a batch prove that
    // nothing followed it.
    if (this.verdicts.has(number) && (!terminated || end + terminatorBytes > views.bytes.length)) {
      const message = `the end of the log is missing behind offset ${end}: ${this.verdicts.get(number)!.why}`
      return { kind: 'damage', offset: end, lastLsn: null, message }
    }
    if (terminated) return null
    const message = `torn at offset ${end}: the batch there is not whole and nothing follows it; the next start cuts it`
    return { kind: 'torn', offset: end, lastLsn: this.lsn + 1, message }
  }

  /** The next snapshot that carries the state past what cannot be read. */
  #successor(number: number): SurveyedSnapshot | undefined {
    return this.goodSnapshots.find(
      ({ segment, content }) => segment >= number && content!.position.lsn > this.lsn,
    )
  }

  async #fail(
    number: number,
    look: Look | null,
    { kind, offset, lastLsn, message, file }: Omit<LogFault, 'firstLsn' | 'file'> & { file?: string },
  ): Promise<number> {
    const successor = kind === 'stock' || kind === 'format' ? undefined : this.#successor(number)
    const fault: LogFault = {
      kind,
      file: file ?? look!.file.file,
      offset,
      firstLsn: this.lsn + 1,
      lastLsn: successor?.content?.position.lsn ?? lastLsn,
      message: successor === undefined ? message : `${message}; ${successor.file} carries the state past it`,
    }
    if (successor === undefined) {
      if (look !== null && !look.full) this.#judgeRoom(number, look)
      this.fault = fault
      this.stop = { number, offset: look?.end ?? segmentHeaderBytes, kind }
      return 0
    }
    this.warnings.push(fault)
    await this.#takeOver(successor)
    return successor.segment + 1
  }

  /** Behind a segment that was ended in order. */
  async #next(number: number, look: Look): Promise<number> {
    this.#compare(number)
    await this.#options.onSegmentEnd?.(number, this)
    if (number < this.#numbers.at(-1)!) return number + 1
    if (this.#options.secondLook) {
      this.files = await listLogFiles(this.#options.disk, this.#options.directory)
      if (findSegment(this.files, number + 1) !== undefined) {
        this.growing = true
        return 0
      }
    }
    const file = missingFile(this.files, number + 1)
    const message = `${look.file.file} was ended in order, so ${file} existed, and it is missing`
    return this.#fail(number + 1, null, { kind: 'gap', offset: 0, lastLsn: null, message, file })
  }

  /** Holds a snapshot of this segment against the replay. */
  #compare(number: number): void {
    const snapshot = this.snapshots.find(({ segment, content }) => segment === number && content !== null)
    if (snapshot === undefined) return
    const { position, drawNumber, hash } = snapshot.content!
    const own = this.replayer.position
    const same =
      position.lsn === own.lsn &&
      position.time === own.time &&
      position.epoch === own.epoch &&
      Buffer.compare(position.hash, own.hash) === 0 &&
      drawNumber === this.drawNumber &&
      hash === this.replayer.state.hash
    this.matches.set(number, same)
  }
}
