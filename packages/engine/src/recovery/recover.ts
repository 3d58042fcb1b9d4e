import type { Clock } from '../clock/clock.ts'
import type { EngineEvent } from '../contract/index.ts'
import { KujiError } from '../contract/index.ts'
import type { Disk, DiskEntry } from '../disk/disk.ts'
import { writeFully } from '../disk/disk.ts'
import type { SegmentHeader } from '../log/segment.ts'
import {
  decodeSegmentHeader,
  identityBytes,
  parseSegmentName,
  segmentHeaderBytes,
  segmentName,
  segmentSeed,
  writeSegment,
} from '../log/segment.ts'
import type { State } from '../pool/state.ts'
import type { RandomWords } from '../random/random-words.ts'
import { readLength, readLsn } from '../record/batch.ts'
import { OutcomeViews } from '../record/records.ts'
import type { Snapshot } from '../snapshot/snapshot.ts'
import { parseSnapshotName, readSnapshot, snapshotName } from '../snapshot/snapshot.ts'
import { findExhausted, findOverdrawn, judgeHeader, judgeRoom } from './judge.ts'
import { findOtherHistory } from './other-history.ts'
import type { LogPosition } from './replay.ts'
import { logStart, Replayer } from './replay.ts'
import { findLaterBatch, isTerminated, lsnsBehind, walkBatches } from './scan.ts'

/** What a start finds: the state, the place in the log, and the segment to go on in. */
export interface Recovered {
  readonly identity: Uint8Array
  readonly state: State
  readonly position: LogPosition
  readonly current: SegmentHeader
  /** Where the last batch of the current segment ends. */
  readonly end: number
  readonly next: SegmentHeader | null
  /** LSN of the snapshot that it began with, 0 for none. */
  readonly snapshotLsn: number
}

export interface RecoveryOptions {
  readonly disk: Disk
  readonly directory: string
  readonly segmentBytes: number
  readonly onEvent: (event: EngineEvent) => void
  /** Where the identity of a new log comes from. */
  readonly random: RandomWords
  /** For telling progress. */
  readonly clock: Clock
}

/**
 * Brings a data directory back to the state of its last durable batch. The decision table, with the case that each
 * column is, stands in docs/recovery.md; the letters below are its columns.
 *
 * Nothing is changed in place: where the end of the log is not a seal of an orderly shutdown, the segment with the last
 * batch, and the empty one that may follow it, are written anew under a temporary name, synced and renamed. That cuts
 * a torn batch, and it also makes durable what a failed device may have left in the page cache alone: a sync of the
 * file would not, because the kernel takes for written what it has failed to write once (Rebello et al., "Can
 * Applications Recover from fsync Failures?", ATC'20).
 */
export async function recover(options: RecoveryOptions): Promise<Recovered> {
  const { disk, directory } = options
  await removeLeftovers(options)
  const entries = await disk.list(directory)
  const segments = entries.filter(({ name }) => parseSegmentName(name) > 0)
  segments.sort((a, b) => parseSegmentName(a.name) - parseSegmentName(b.name))
  const snapshots = entries.map(({ name }) => parseSnapshotName(name)).filter(segment => segment > 0)
  snapshots.sort((a, b) => b - a)
  if (segments.length === 0) {
    if (snapshots.length > 0) throw corrupt(directory, 'it holds snapshots but no log')
    return createFirst(options)
  }
  const headers = await readHeaders(options, segments)
  const snapshot = await loadSnapshot(options, headers, snapshots)
  return new Recovery(options, headers, snapshot).run()
}

/** A: an empty directory. */
async function createFirst({ disk, directory, segmentBytes, random }: RecoveryOptions): Promise<Recovered> {
  const words = Uint32Array.from({ length: identityBytes / 4 }, () => random.next32())
  const current = { identity: new Uint8Array(words.buffer), shard: 0, number: 1, bytes: segmentBytes }
  await writeSegment(disk, directory, current)
  const { state, position } = new Replayer()
  const { identity } = current
  return { identity, state, position, current, end: segmentHeaderBytes, next: null, snapshotLsn: 0 }
}

/** B: what a crash left unfinished has a temporary name, and nothing depends on it. */
async function removeLeftovers({ disk, directory, onEvent }: RecoveryOptions): Promise<void> {
  for (const { name, bytes } of await disk.list(directory)) {
    if (!name.endsWith('.tmp')) continue
    await disk.remove(`${directory}/${name}`)
    onEvent({
      type: 'leftover-removed',
      level: 'info',
      message: `removed ${name}, left by a crash`,
      file: name,
      bytes,
    })
  }
}

/** C: headers of one directory and shard, numbers without a gap; anything else is refused. */
async function readHeaders(
  options: RecoveryOptions,
  segments: readonly DiskEntry[],
): Promise<SegmentHeader[]> {
  const { disk, directory } = options
  const headers: SegmentHeader[] = []
  for (const { name, bytes } of segments) {
    const number = parseSegmentName(name)
    const path = `${directory}/${name}`
    const header = decodeSegmentHeader(await disk.readStart(path, segmentHeaderBytes), path)
    const first = headers[0] ?? header
    const before = headers.at(-1)
    const verdict = judgeHeader(header, first, number, bytes)
    if (verdict !== null) throw corrupt(path, verdict.why)
    if (before !== undefined && number !== before.number + 1) {
      throw corrupt(path, `the log has a gap: segment ${before.number + 1} is missing`)
    }
    headers.push(header)
  }
  return headers
}

/** D: the newest snapshot that is whole and that the log reaches back to; a bad one is passed over with a warning. */
async function loadSnapshot(
  { disk, directory, onEvent }: RecoveryOptions,
  headers: readonly SegmentHeader[],
  candidates: readonly number[],
): Promise<Snapshot | null> {
  const first = headers[0]!
  let ended: { path: string; lsn: number } | null = null
  let unreadable: unknown
  for (const segment of candidates) {
    const path = `${directory}/${snapshotName(segment)}`
    try {
      const snapshot = await readSnapshot(disk, directory, segment, first)
      // The log must hold every batch behind the snapshot.
      if (segment + 1 < first.number)
        throw corrupt(path, `the log begins with segment ${first.number}, after it`)
      if (segment < headers.at(-1)!.number) return snapshot
      ended = { path, lsn: snapshot.position.lsn }
      break
    } catch (error) {
      if (!(error instanceof KujiError)) throw error
      unreadable ??= error.cause
      const message = `${error.message}; trying the snapshot before it and a longer replay`
      onEvent({ type: 'snapshot-refused', level: 'warn', message, file: path })
    }
  }
  if (ended !== null) {
    // Going on from there would give draw numbers for the second time.
    const last = segmentName(headers.at(-1)!.number)
    const why = `it is whole and stands at LSN ${ended.lsn}, yet the log ends with ${last} before it: files are missing`
    throw corrupt(ended.path, `${why}. Restore them from a copy, or see \`kuji log repair --help\``)
  }
  if (first.number > 1) {
    // What the disk did not give may be whole: the log is not said to be lost for that.
    if (unreadable !== undefined) throw unreadable
    throw corrupt(directory, `no good snapshot, and the log begins with segment ${first.number}`)
  }
  return null
}

interface ReplayedSegment {
  readonly header: SegmentHeader
  readonly views: OutcomeViews
  /** Where its last batch ends. */
  readonly end: number
}

class Recovery {
  readonly #options: RecoveryOptions
  readonly #headers: readonly SegmentHeader[]
  readonly #replayer: Replayer
  readonly #snapshotLsn: number
  #index: number
  /** The segment that was replayed last and was ended in order. */
  #ended: ReplayedSegment | null = null

  constructor(options: RecoveryOptions, headers: readonly SegmentHeader[], snapshot: Snapshot | null) {
    this.#options = options
    this.#headers = headers
    this.#snapshotLsn = snapshot?.position.lsn ?? 0
    this.#replayer = new Replayer(snapshot?.state, snapshot?.position ?? logStart)
    this.#index = snapshot === null ? 0 : snapshot.segment + 1 - headers[0]!.number
  }

  async run(): Promise<Recovered> {
    for (;;) {
      const header = this.#headers[this.#index]!
      const views = await this.#read(header)
      const end = this.#replay(header, views)
      // A segment without a batch is where the log goes on: the seal that was seen last is the one of the file
      // before.
      if (this.#replayer.sealed === 'full' && end > segmentHeaderBytes) {
        // E: the segment was ended in order; the next one was there before the seal was written.
        this.#ended = { header, views, end }
        this.#index++
        if (this.#index === this.#headers.length) {
          const missing = segmentName(header.number + 1)
          throw corrupt(this.#path(header), `it was ended in order, so ${missing} existed, and it is missing`)
        }
        continue
      }
      await this.#refuseDamage(header, views, end)
      if (end === segmentHeaderBytes && this.#ended === null) await this.#refuseOtherHistory()
      return this.#finish(header, views, end)
    }
  }

  #path(header: SegmentHeader): string {
    return `${this.#options.directory}/${segmentName(header.number)}`
  }

  async #read(header: SegmentHeader): Promise<OutcomeViews> {
    const bytes = await this.#options.disk.read(this.#path(header))
    return new OutcomeViews(bytes.subarray(0, bytes.length & ~7))
  }

  /** Replays the whole batches of a segment and returns where they end. */
  #replay(header: SegmentHeader, views: OutcomeViews): number {
    const path = this.#path(header)
    const started = this.#options.clock.now()
    let told = started
    let sinceLook = 0
    return walkBatches(views, segmentHeaderBytes, segmentSeed(header), at => {
      this.#replayer.applyBatch(views, at, path)
      if (++sinceLook < 256) return
      sinceLook = 0
      const now = this.#options.clock.now()
      if (now - told < 1000) return
      told = now
      const percent = Math.round((at / views.bytes.length) * 100)
      const { lsn } = this.#replayer.position
      const last = this.#headers.at(-1)!.number
      const message = `recovering: ${segmentName(header.number)} ${percent} %, the last is ${last}, LSN ${lsn}`
      this.#options.onEvent({ type: 'recovery-progress', level: 'info', message, lsn, percent })
    })
  }

  /** F: a whole batch behind the place where the log seems to end: a batch in between is damaged or lost. */
  async #refuseDamage(header: SegmentHeader, views: OutcomeViews, end: number): Promise<void> {
    const { lsn } = this.#replayer.position
    let file = this.#path(header)
    let later = findLaterBatch(views, end, segmentSeed(header), lsnsBehind(lsn, header.bytes - end))
    let bytes = header.bytes - end
    let laterLsn = later < 0 ? 0 : readLsn(views.view, later)
    for (let index = this.#index + 1; later < 0 && index < this.#headers.length; index++) {
      const following = this.#headers[index]!
      const followingViews = await this.#read(following)
      file = this.#path(following)
      bytes += following.bytes
      later = findLaterBatch(
        followingViews,
        segmentHeaderBytes,
        segmentSeed(following),
        lsnsBehind(lsn, bytes),
      )
      if (later >= 0) laterLsn = readLsn(followingViews.view, later)
    }
    if (later < 0) return
    throw new KujiError(
      'CORRUPT',
      `${this.#path(header)}: damaged at offset ${end}: LSN ${lsn + 1} to ${laterLsn - 1} cannot be read, yet ` +
        `${file} holds LSN ${laterLsn} at offset ${later}. Nothing was changed. Restore the file from a copy, or see ` +
        '`kuji log repair --help` for what can be saved and what would be lost',
      { file: this.#path(header), offset: end, firstLsn: lsn + 1, lastLsn: laterLsn - 1 },
    )
  }

  /**
   * D: where no batch follows on from the snapshot, none can contradict it, so the segment that it stands behind is
   * asked: a snapshot of a copy of this directory that has gone another way would hide what came after it.
   */
  async #refuseOtherHistory(): Promise<void> {
    const before = this.#headers[this.#index - 1]
    if (before === undefined) return
    const { position } = this.#replayer
    const { lsn } = position
    const logged = findOtherHistory(await this.#read(before), before, position)
    if (logged === 0) return
    const path = `${this.#options.directory}/${snapshotName(before.number)}`
    const why = `it stands at LSN ${lsn}, and ${segmentName(before.number)} goes on to LSN ${logged}`
    throw corrupt(path, `${why}: it is not of this log. Put it aside, or see \`kuji log repair --help\``)
  }

  async #finish(header: SegmentHeader, views: OutcomeViews, end: number): Promise<Recovered> {
    const { state, position, sealed } = this.#replayer
    // I: no record may have taken more than there was, and there must be something left to go on with.
    const impossible = findOverdrawn(state) || findExhausted(position) || judgeRoom(header, end)?.why
    if (impossible) throw corrupt(this.#path(header), impossible)
    const next = this.#headers[this.#index + 1] ?? null
    // G: sealed at an orderly shutdown. H: everything else.
    if (sealed !== 'shutdown' || !isTerminated(views, end)) {
      // The last batch of the log may be the seal that ends the file before.
      if (end === segmentHeaderBytes && this.#ended !== null) await this.#writeAnew(this.#ended)
      if (!isTerminated(views, end)) await this.#keepBroken(header, views, end)
      await this.#writeAnew({ header, views, end })
    }
    const { identity } = header
    return { identity, state, position, current: header, end, next, snapshotLsn: this.#snapshotLsn }
  }

  async #writeAnew({ header, views, end }: ReplayedSegment): Promise<void> {
    const { disk, directory } = this.#options
    await writeSegment(disk, directory, header, views.bytes.subarray(segmentHeaderBytes, end))
  }

  /** A torn batch was never answered. It is cut, and a copy is kept for whoever wants to know. */
  async #keepBroken(header: SegmentHeader, views: OutcomeViews, end: number): Promise<void> {
    const { disk, directory, onEvent } = this.#options
    const declared = readLength(views.view, end)
    let last = declared > 0 ? end + declared : views.bytes.length
    while (last > end && views.bytes[last - 1] === 0) last--
    const broken = views.bytes.subarray(end, last)
    const name = `${segmentName(header.number)}.${end}.broken`
    const file = await disk.create(`${directory}/${name}`, { dataSync: false })
    await writeFully(file, broken, 0)
    await file.sync()
    await file.close()
    const what = `cut a torn batch of ${broken.length} bytes at offset ${end}, never answered`
    const message = `${segmentName(header.number)}: ${what}; a copy is in ${name}`
    onEvent({
      type: 'torn-batch-cut',
      level: 'warn',
      message,
      file: segmentName(header.number),
      offset: end,
      bytes: broken.length,
    })
  }
}

function corrupt(file: string, why: string): KujiError {
  return new KujiError('CORRUPT', `${file}: ${why}`, { file })
}
