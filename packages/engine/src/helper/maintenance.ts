import { constants, zstdCompressSync } from 'node:zlib'
import type { Clock } from '../clock/clock.ts'
import { giveWay } from '../clock/clock.ts'
import type { EngineEvent } from '../contract/index.ts'
import { KujiError } from '../contract/index.ts'
import type { Disk } from '../disk/disk.ts'
import { writePieces, writeWhole } from '../disk/disk.ts'
import type { Pace } from '../disk/pacer.ts'
import { checkFrame } from '../log/frame.ts'
import {
  decodeSegmentHeader,
  isSpareName,
  parseSegmentName,
  segmentHeaderBytes,
  segmentName,
  segmentSeed,
  spareName,
} from '../log/segment.ts'
import { computeStateHash } from '../pool/state.ts'
import { OutcomeViews } from '../record/records.ts'
import { logStart, Replayer } from '../recovery/replay.ts'
import type { Snapshot } from '../snapshot/snapshot.ts'
import { parseSnapshotName, readSnapshot, snapshotName, writeSnapshot } from '../snapshot/snapshot.ts'

export interface MaintenanceOptions {
  readonly clock: Clock
  readonly disk: Disk
  readonly directory: string
  readonly identity: Uint8Array
  readonly shard: number
  /** What becomes of segments that two snapshots have made superfluous. */
  readonly retention: 'archive' | 'remove'
  readonly onEvent: (event: EngineEvent) => void
  /** Between the pieces of what is written. */
  readonly pace: Pace
}

/** Snapshots kept: should the newest be bad, the one before it and a longer replay do. */
const snapshotsKept = 2
/** Outcomes hardly compress better at higher levels, and the helper shares the machine with the writer. */
const archiveOptions = { params: { [constants.ZSTD_c_compressionLevel]: 1 } }
/** Bytes of log replayed before others get a turn on the thread. */
const sliceBytes = 256 * 1024

/**
 * What happens beside the writer: snapshots built by replaying finished segments through the same apply as live
 * traffic, old segments archived and their files put aside to be used again.
 */
export class Maintenance {
  readonly #options: MaintenanceOptions
  readonly #pace: Pace
  #replayer: Replayer | null = null
  /** The last segment that the replayer has applied. */
  #applied = 0
  #bytesSinceSnapshot = 0
  #snapshotBytes = 0
  /**
   * Segments of the snapshots that were read or written here, oldest first: these alone stand in for the log before
   * them. What else has the name of one may be of another directory, or under any number.
   */
  #proven: number[] = []

  constructor(options: MaintenanceOptions) {
    this.#options = options
    this.#pace = options.pace
  }

  /** Takes in a finished segment: replays it, and where enough log has gathered writes a snapshot and tidies up. */
  async sealed(number: number): Promise<void> {
    try {
      await this.#takeIn(number)
    } catch (error) {
      // The next try starts from the newest snapshot again.
      this.#replayer = null
      this.#applied = 0
      throw error
    }
  }

  async #takeIn(number: number): Promise<void> {
    const { disk, directory, identity, shard, onEvent } = this.#options
    const replayer = (this.#replayer ??= await this.#start(number))
    while (this.#applied < number) await this.#replay(replayer, this.#applied + 1)
    // A snapshot is worth its writing when the log since the last one is at least as large.
    if (this.#bytesSinceSnapshot < this.#snapshotBytes) return
    const { state, position } = replayer
    if (computeStateHash(state) !== state.hash) {
      throw new KujiError(
        'CORRUPT',
        `the state behind segment ${number} does not have the state hash it was sealed with`,
      )
    }
    const bytes = await writeSnapshot(
      disk,
      directory,
      { identity, shard, segment: number, position, state },
      this.#pace,
    )
    this.#bytesSinceSnapshot = 0
    this.#snapshotBytes = bytes
    this.#proven.push(number)
    const { lsn } = position
    const message = `snapshot at LSN ${lsn}, ${bytes} bytes; its state hash is the writer's`
    onEvent({ type: 'snapshot-written', level: 'info', message, lsn, bytes, segment: number })
    await this.#tidy()
  }

  /** Starts from the newest snapshot before the segment, or from the beginning of the log. */
  async #start(number: number): Promise<Replayer> {
    const { disk, directory } = this.#options
    const entries = await disk.list(directory)
    const segments = entries.map(({ name }) => parseSegmentName(name)).filter(segment => segment > 0)
    const first = segments.reduce((least, segment) => Math.min(least, segment), number)
    const snapshots = entries.filter(({ name }) => parseSnapshotName(name) > 0)
    snapshots.sort((a, b) => parseSnapshotName(b.name) - parseSnapshotName(a.name))
    /** The disk's own error, where it has not given a snapshot. */
    let unread: unknown
    for (const { name, bytes } of snapshots) {
      const snapshot = await this.#read(name)
      if (snapshot instanceof KujiError) {
        unread ??= snapshot.cause
        continue
      }
      if (snapshot.segment >= number || snapshot.segment + 1 < first) continue
      this.#applied = snapshot.segment
      this.#snapshotBytes = bytes
      this.#proven = [snapshot.segment]
      return new Replayer(snapshot.state, snapshot.position)
    }
    if (first > 1) {
      if (unread !== undefined) throw unread
      const message = `${directory}: no good snapshot is left, and the log begins with segment ${first}`
      throw new KujiError('CORRUPT', message, { file: directory })
    }
    this.#proven = []
    return new Replayer(undefined, logStart)
  }

  /** A snapshot, or what is wrong with it. A bad one is put aside; one that the disk does not give may be whole. */
  async #read(name: string): Promise<Snapshot | KujiError> {
    const { disk, directory } = this.#options
    try {
      return await readSnapshot(disk, directory, parseSnapshotName(name), this.#options)
    } catch (error) {
      if (!(error instanceof KujiError)) throw error
      if (error.cause === undefined) await disk.rename(`${directory}/${name}`, `${directory}/${name}.broken`)
      return error
    }
  }

  async #replay(replayer: Replayer, number: number): Promise<void> {
    const path = `${this.#options.directory}/${segmentName(number)}`
    const bytes = await this.#options.disk.read(path).catch(error => {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
      throw new KujiError('CORRUPT', `${path}: it is missing`, { file: path }, { cause: error })
    })
    const views = new OutcomeViews(bytes.subarray(0, bytes.length & ~7))
    const seed = segmentSeed(decodeSegmentHeader(bytes, path))
    let at = segmentHeaderBytes
    let sliceEnd = at + sliceBytes
    for (;;) {
      const length = checkFrame(bytes, views.view, at, seed)
      if (length === 0) break
      replayer.applyBatch(views, at, path)
      at += length
      if (at < sliceEnd) continue
      sliceEnd = at + sliceBytes
      await giveWay(this.#options.clock)
    }
    if (replayer.sealed !== 'full')
      throw new KujiError('CORRUPT', `${path}: cannot be read beyond offset ${at}`)
    this.#applied = number
    this.#bytesSinceSnapshot += at
  }

  /** Removes snapshots before those kept, and archives or removes the segments that only they needed. */
  async #tidy(): Promise<void> {
    this.#proven = this.#proven.slice(-snapshotsKept)
    if (this.#proven.length < snapshotsKept) return
    const { disk, directory } = this.#options
    const entries = await disk.list(directory)
    const needed = this.#proven[0]!
    const snapshots = entries.map(({ name }) => parseSnapshotName(name)).filter(segment => segment > 0)
    for (const segment of snapshots)
      if (segment < needed) await disk.remove(`${directory}/${snapshotName(segment)}`)
    const old = entries.filter(({ name }) => parseSegmentName(name) > 0 && parseSegmentName(name) <= needed)
    old.sort((a, b) => parseSegmentName(a.name) - parseSegmentName(b.name))
    let spares = entries.filter(entry => isSpareName(entry.name)).length
    for (const { name } of old) {
      if (this.#options.retention === 'archive') await this.#archive(name)
      // One file is kept to be used again: its blocks are there already.
      if (spares++ === 0)
        await disk.rename(`${directory}/${name}`, `${directory}/${spareName(parseSegmentName(name))}`)
      else await disk.remove(`${directory}/${name}`)
      // One by one: were a later one gone for good and an earlier one not, the log would have a gap.
      await disk.syncDirectory(directory)
    }
  }

  async #archive(name: string): Promise<void> {
    const { disk, directory, onEvent } = this.#options
    const archive = `${directory}/archive`
    await disk.makeDirectory(archive)
    const packed = zstdCompressSync(await disk.read(`${directory}/${name}`), archiveOptions)
    const path = `${archive}/${name}.zst`
    await writeWhole(disk, archive, `${name}.zst`, file => writePieces(file, packed, 0, this.#pace))
    const message = `archived ${name}, ${packed.length} bytes`
    onEvent({ type: 'segment-archived', level: 'info', message, file: path, bytes: packed.length })
  }
}

/** Tells of a failure of the helper. Draws and the log go on. */
export function helperFailure(error: unknown): EngineEvent {
  const cause = error instanceof Error ? error.message : String(error)
  const when = error instanceof KujiError ? 'until the next start' : 'until the next file of the log is full'
  const message = `${cause}; draws go on, and snapshots wait ${when}`
  return { type: 'helper-failed', level: 'error', message }
}
