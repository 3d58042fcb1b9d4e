import type { Clock, Timer } from '../clock/clock.ts'
import type { Disk, DiskFile } from '../disk/disk.ts'
import type { Pace } from '../disk/pacer.ts'
import { Pacer } from '../disk/pacer.ts'
import { sealBatchBytes, terminatorBytes } from '../record/batch.ts'
import type { Appender } from './appender.ts'
import type { AppendOutcome, Log } from './log.ts'
import type { SegmentHeader } from './segment.ts'
import { prepareSegment, segmentHeaderBytes, segmentName, segmentSeed } from './segment.ts'

/** Kept free in every segment: a seal on idle or at shutdown, and the seal that ends the segment. */
const reserveBytes = 2 * sealBatchBytes + terminatorBytes

/** The size of a segment that one batch of this size fits into. */
function segmentBytesFor(batchBytes: number): number {
  return segmentHeaderBytes + batchBytes + reserveBytes
}

/** Pause between the pieces of the next segment, in times of a piece, until the present one is half full. */
const prepareRest = 40

/** What takes care of finished segments: the helper. */
export interface SegmentKeeper {
  /** The segment of this number is complete and will not be written again. */
  sealed(number: number): void
  close(): Promise<void>
}

export interface FileLogOptions {
  readonly clock: Clock
  readonly disk: Disk
  readonly directory: string
  readonly keeper: SegmentKeeper
  /** `sync`: O_DSYNC, otherwise the kernel has it and that is all. */
  readonly dataSync: boolean
  readonly segmentBytes: number
  /** The segment to go on in, and where its last batch ends. */
  readonly current: SegmentHeader
  readonly end: number
  readonly appender: Appender
  /** The segment after it, where it is ready already. */
  readonly next: SegmentHeader | null
  /** Told why there is no room for the next segment, and '' when there is again. */
  readonly onRoom: (reason: string) => void
  /** Pause before asking for room again, in milliseconds. */
  readonly retryMs: number
}

interface OpenSegment {
  readonly header: SegmentHeader
  readonly file: DiskFile
  readonly seed: number
}

/** Durability `os` and `sync`: batches in segments, the next segment always made ready before it is needed. */
export class FileLog implements Log {
  readonly keeps = true
  readonly #options: FileLogOptions
  #current: OpenSegment
  #end: number
  #next: OpenSegment | null = null
  #preparing: Promise<string> | null = null
  #retry: Timer | null = null
  /** Why the next segment could not be made ready, or ''. */
  #noRoom = ''
  #closed = false
  /** Where the last batch ended when the last piece of the next segment was written. */
  #endAtPiece = 0
  /** Whether the writer waits for the next segment. */
  #awaited = false
  readonly #pacer: Pacer
  readonly #pace: Pace = async () => {
    await this.#pacer.pause()
    if (this.#closed) throw new Error('the log is closed')
  }

  private constructor(options: FileLogOptions, current: OpenSegment) {
    this.#options = options
    this.#current = current
    this.#end = options.end
    this.#pacer = new Pacer(options.clock, prepareRest, () => this.#isHurried())
  }

  static async open(options: FileLogOptions): Promise<FileLog> {
    const log = new FileLog(options, await openSegment(options, options.current))
    if (options.next !== null) log.#next = await openSegment(options, options.next)
    else log.#prepare(options.segmentBytes)
    return log
  }

  get segment(): number {
    return this.#current.header.number
  }

  get room(): number {
    const here = this.#current.header.bytes - this.#end - reserveBytes
    if (this.#next === null) return here
    return Math.max(here, this.#next.header.bytes - segmentHeaderBytes - reserveBytes)
  }

  async makeRoom(bytes: number): Promise<string> {
    this.#awaited = true
    this.#pacer.wake()
    try {
      return await this.#findRoom(bytes)
    } finally {
      this.#awaited = false
    }
  }

  async #findRoom(bytes: number): Promise<string> {
    if (this.#preparing !== null) await this.#preparing
    if (this.room >= bytes) return ''
    if (this.#noRoom !== '') return this.#noRoom
    return this.#prepare(Math.max(this.#options.segmentBytes, segmentBytesFor(bytes)))
  }

  fits(bytes: number): boolean {
    // A seal may use the first half of the reserve; the second half is for the seal that ends the segment.
    const reserve = bytes === sealBatchBytes ? sealBatchBytes + terminatorBytes : reserveBytes
    return this.#end + bytes + reserve <= this.#current.header.bytes
  }

  /** Whether the next segment is waited for, will be soon, or is in nobody's way: the log has not grown since. */
  #isHurried(): boolean {
    const quiet = this.#end === this.#endAtPiece
    this.#endAtPiece = this.#end
    return quiet || this.#closed || this.#awaited || this.#end > this.#current.header.bytes / 2
  }

  rotate(): void {
    const sealed = this.#current
    this.#current = this.#next!
    this.#end = segmentHeaderBytes
    this.#next = null
    // Every batch in it is durable; a descriptor that cannot be closed takes nothing from that.
    sealed.file.close().catch(() => undefined)
    void this.#prepare(this.#options.segmentBytes)
    this.#options.keeper.sealed(sealed.header.number)
  }

  async append(batch: Uint8Array): Promise<AppendOutcome> {
    const { file, seed } = this.#current
    const position = this.#end
    this.#end += batch.length - terminatorBytes
    try {
      await this.#options.appender.append(file, seed, batch, position)
    } catch (cause) {
      return { outcome: 'unknown', cause }
    }
    return 'durable'
  }

  /** Makes the next segment ready. Returns '', or why there is no room for it. */
  #prepare(bytes: number): Promise<string> {
    this.#preparing ??= this.#prepareNext(bytes).finally(() => {
      this.#preparing = null
    })
    return this.#preparing
  }

  async #prepareNext(bytes: number): Promise<string> {
    const { disk, directory, onRoom } = this.#options
    try {
      const header = { ...this.#current.header, number: this.#current.header.number + 1, bytes }
      await prepareSegment(disk, directory, header, this.#pace)
      if (this.#closed) return ''
      // A larger one has taken the name of one that was ready.
      await this.#dropNext()
      this.#next = await openSegment(this.#options, header)
      if (this.#noRoom !== '') onRoom('')
      this.#noRoom = ''
      return ''
    } catch (error) {
      const reason = `no room for the next log file: ${error instanceof Error ? error.message : String(error)}`
      if (this.#next !== null && !(await this.#isInPlace(this.#next))) await this.#dropNext()
      // Where one is ready, only the request that asked for a larger one is refused. Trying again later would put an
      // empty file in the place of one that the log may have gone over to by then.
      if (this.#closed || this.#next !== null) return reason
      if (this.#noRoom === '') onRoom(reason)
      this.#noRoom = reason
      this.#retry = this.#options.clock.after(this.#options.retryMs, () => void this.#prepare(bytes))
      return reason
    }
  }

  /**
   * Whether a segment is still the file of its name. One that a larger one has taken the name from is a file that no
   * start finds again, and it may have lost it although what came behind has failed.
   */
  async #isInPlace({ header }: OpenSegment): Promise<boolean> {
    const { disk, directory } = this.#options
    const entries = await disk.list(directory).catch(() => [])
    return entries.some(({ name, bytes }) => name === segmentName(header.number) && bytes === header.bytes)
  }

  async #dropNext(): Promise<void> {
    const dropped = this.#next
    this.#next = null
    await dropped?.file.close().catch(() => undefined)
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#pacer.wake()
    this.#retry?.cancel()
    await this.#options.keeper.close()
    await this.#options.appender.close()
    await this.#preparing
    await this.#current.file.close()
    await this.#next?.file.close()
  }
}

async function openSegment(options: FileLogOptions, header: SegmentHeader): Promise<OpenSegment> {
  const path = `${options.directory}/${segmentName(header.number)}`
  const file = await options.disk.open(path, { dataSync: options.dataSync })
  return { header, file, seed: segmentSeed(header) }
}
