import type { Pace } from './pacer.ts'

/**
 * The few file operations that the engine uses: the seam where a test or a simulator takes the disk's place. Paths
 * are absolute. Every operation may throw the system's error, with its `code` (ENOSPC, EIO, …).
 */
export interface Disk {
  /** Creates a directory, for its owner only, and its parents, durably. Nothing happens where it exists. */
  makeDirectory(path: string): Promise<void>
  /** Plain files in a directory, in no order. */
  list(path: string): Promise<DiskEntry[]>
  /** A whole file. */
  read(path: string): Promise<Uint8Array>
  /** The first bytes of a file, fewer where it is shorter. */
  readStart(path: string, bytes: number): Promise<Uint8Array>
  /** Creates or empties a file, for its owner only. With `dataSync`, see `open`. */
  create(path: string, options: { dataSync: boolean }): Promise<DiskFile>
  /** Opens an existing file for writing. With `dataSync` every write is on the device when it returns. */
  open(path: string, options: { dataSync: boolean }): Promise<DiskFile>
  rename(from: string, to: string): Promise<void>
  remove(path: string): Promise<void>
  /** Makes the directory's entries durable: what was created, renamed or removed in it. */
  syncDirectory(path: string): Promise<void>
  /**
   * Takes the exclusive lock of a directory for as long as the process lives. Throws `LOCKED`, naming the holder.
   */
  lock(path: string): Promise<DiskLock>
  /** Whether others than the owner may enter the directory. */
  openToOthers(path: string): Promise<boolean>
}

export interface DiskEntry {
  readonly name: string
  readonly bytes: number
}

export interface DiskFile {
  /** Writes at a position. Returns how many bytes were written, which may be fewer than asked. */
  write(bytes: Uint8Array, position: number): Promise<number>
  /** Everything written to the file is on the device after this. */
  sync(): Promise<void>
  close(): Promise<void>
}

export interface DiskLock {
  release(): Promise<void>
}

/**
 * What is written beside the log goes in pieces of this size, each synced by itself (O_DSYNC): one large sync would
 * hold up the log's own writes for as long as it takes.
 */
export const pieceBytes = 128 * 1024

/** Writes all of `bytes`, piece by piece at the given pace. */
export async function writePieces(
  file: DiskFile,
  bytes: Uint8Array,
  position: number,
  pace: Pace = atOnce,
): Promise<void> {
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    if (at > 0) await pace()
    await writeFully(file, bytes.subarray(at, at + pieceBytes), position + at)
  }
}

/** The pace of what somebody waits for. */
export const atOnce: Pace = async () => undefined

/** Writes all of `bytes`, going on after short writes. A write that makes no progress throws. */
export async function writeFully(
  file: Pick<DiskFile, 'write'>,
  bytes: Uint8Array,
  position: number,
): Promise<void> {
  let written = 0
  while (written < bytes.length) {
    const count = await file.write(written === 0 ? bytes : bytes.subarray(written), position + written)
    if (count === 0) throw new Error(`no progress after ${written} of ${bytes.length} bytes`)
    written += count
  }
}

/**
 * Makes a file that is never seen half written: `write` fills it under a temporary name, it is synced, and only then
 * has it its name, durably. What `write` throws removes it. Writes to it are each on the device when they return.
 */
export async function writeWhole<T>(
  disk: Disk,
  directory: string,
  name: string,
  write: (file: DiskFile) => Promise<T>,
): Promise<T> {
  const temporary = `${directory}/${name}.tmp`
  const file = await disk.create(temporary, { dataSync: true })
  let result: T
  try {
    result = await write(file)
    await file.sync()
  } catch (error) {
    await file.close()
    await disk.remove(temporary).catch(() => undefined)
    throw error
  }
  await file.close()
  await disk.rename(temporary, `${directory}/${name}`)
  await disk.syncDirectory(directory)
  return result
}
