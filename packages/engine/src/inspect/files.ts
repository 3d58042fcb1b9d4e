import { zstdDecompressSync } from 'node:zlib'
import { KujiError, limits } from '../contract/index.ts'
import type { Disk, DiskEntry } from '../disk/disk.ts'
import { parseSegmentName, segmentHeaderBytes, segmentName } from '../log/segment.ts'
import { OutcomeViews } from '../record/records.ts'
import { parseSnapshotName } from '../snapshot/snapshot.ts'

export interface SegmentFile {
  readonly number: number
  /** Path in the directory. */
  readonly file: string
  readonly bytes: number
  readonly archived: boolean
}

export interface SnapshotFile {
  readonly segment: number
  readonly file: string
  readonly bytes: number
}

/** The files of a log by number. */
export interface LogFiles {
  readonly live: ReadonlyMap<number, SegmentFile>
  readonly archived: ReadonlyMap<number, SegmentFile>
  readonly snapshots: readonly SnapshotFile[]
}

export async function listLogFiles(disk: Disk, directory: string): Promise<LogFiles> {
  const entries = await disk.list(directory)
  const live: SegmentFile[] = []
  const snapshots: SnapshotFile[] = []
  for (const { name, bytes } of entries) {
    const number = parseSegmentName(name)
    const segment = parseSnapshotName(name)
    if (number > 0) live.push({ number, file: name, bytes, archived: false })
    if (segment > 0) snapshots.push({ segment, file: name, bytes })
  }
  const archived: SegmentFile[] = []
  for (const { name, bytes } of await listArchive(disk, directory)) {
    const number = name.endsWith('.zst') ? parseSegmentName(name.slice(0, -4)) : 0
    if (number > 0) archived.push({ number, file: `archive/${name}`, bytes, archived: true })
  }
  snapshots.sort((a, b) => a.segment - b.segment)
  return { live: byNumber(live), archived: byNumber(archived), snapshots }
}

function byNumber(files: SegmentFile[]): Map<number, SegmentFile> {
  files.sort((a, b) => a.number - b.number)
  return new Map(files.map(file => [file.number, file]))
}

async function listArchive(disk: Disk, directory: string): Promise<DiskEntry[]> {
  try {
    return await disk.list(`${directory}/archive`)
  } catch (error) {
    if (isAbsent(error)) return []
    throw error
  }
}

export function isAbsent(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT'
}

/**
 * Reads a file of the log. Where the system does not give it, that is `INTERNAL`, with the file and the cause, and
 * nothing that is said of the log; only that it is not there is left to the caller.
 */
export async function readWhole(disk: Disk, path: string, most?: number): Promise<Uint8Array> {
  try {
    return await (most === undefined ? disk.read(path) : disk.readStart(path, most))
  } catch (error) {
    if (isAbsent(error)) throw error
    const why = error instanceof Error ? error.message : String(error)
    throw new KujiError('INTERNAL', `${path}: cannot be read: ${why}`, { file: path }, { cause: error })
  }
}

/** Whether an error says that a file is not as it was written: what the system does not give may be whole. */
export function isDamage(error: unknown): error is KujiError {
  return error instanceof KujiError && error.code === 'CORRUPT'
}

/** The segment of this number, live where it is both (a crash between archiving it and removing it). */
export function findSegment(files: LogFiles, number: number): SegmentFile | undefined {
  return files.live.get(number) ?? files.archived.get(number)
}

/** Every number that has a file, in order. */
export function segmentNumbers(files: LogFiles): number[] {
  return [...new Set([...files.archived.keys(), ...files.live.keys()])].sort((a, b) => a - b)
}

/** A segment's bytes, unpacked. Throws `CORRUPT` for an archive that cannot be, `INTERNAL` for what cannot be read. */
export async function readSegmentBytes(
  disk: Disk,
  directory: string,
  file: SegmentFile,
): Promise<Uint8Array> {
  const bytes = await readWhole(disk, `${directory}/${file.file}`)
  if (!file.archived) return bytes
  try {
    const unpacked = zstdDecompressSync(bytes, { maxOutputLength: limits.segmentMaximumBytes })
    return unpacked.byteOffset % 8 === 0 ? unpacked : Uint8Array.from(unpacked)
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new KujiError('CORRUPT', `cannot be unpacked: ${why}`, { file: file.file }, { cause })
  }
}

/** A segment's bytes for reading batches; of at least a header's length, which may be zeros. */
export function viewSegment(bytes: Uint8Array): OutcomeViews {
  if (bytes.length < segmentHeaderBytes) return new OutcomeViews(new Uint8Array(segmentHeaderBytes))
  return new OutcomeViews(bytes.subarray(0, bytes.length & ~7))
}

/** The file that is missing when this segment is. */
export function missingFile(files: LogFiles, number: number): string {
  const firstLive = files.live.keys().next().value ?? 0
  return files.archived.size > 0 && number < firstLive
    ? `archive/${segmentName(number)}.zst`
    : segmentName(number)
}
