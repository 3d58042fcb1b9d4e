import { crc32 } from 'node:zlib'
import { KujiError } from '../contract/index.ts'
import type { Disk } from '../disk/disk.ts'
import type { SegmentHeader } from '../log/segment.ts'
import { decodeSegmentHeader, formatVersion, segmentHeaderBytes } from '../log/segment.ts'
import { judgeHeader, type Verdict } from '../recovery/judge.ts'
import type { Snapshot } from '../snapshot/snapshot.ts'
import { decodeSnapshot, mayPass } from '../snapshot/snapshot.ts'
import type { LogFiles, SegmentFile, SnapshotFile } from './files.ts'
import { isAbsent, isDamage, readSegmentBytes, readWhole } from './files.ts'

/** What all files of a log have in common. */
export type LogIdentity = Pick<SegmentHeader, 'identity' | 'shard'>

/** A snapshot without its pools. */
export interface SurveyedSnapshot extends SnapshotFile {
  /** Null where it is not whole. */
  readonly content: (Pick<Snapshot, 'position'> & { drawNumber: number; hash: number }) | null
  readonly fault: string
  /** Whether the disk does not give it, so that it may be whole. */
  readonly unread: boolean
}

interface ReadSnapshot extends SurveyedSnapshot {
  readonly log: LogIdentity | null
}

/** The identity of the log, and its snapshots judged by it. */
export interface Survey {
  readonly log: LogIdentity
  readonly snapshots: readonly SurveyedSnapshot[]
}

/**
 * One of the files may be foreign: the identity of the log is the one that most of them have. Throws `CORRUPT`, with
 * `missing: 'identity'`, where none of them tells any: nothing that was found could be held to belong together.
 */
export async function surveyLog(disk: Disk, directory: string, files: LogFiles): Promise<Survey> {
  const read: ReadSnapshot[] = []
  for (const file of files.snapshots) read.push(await readSnapshot(disk, directory, file))
  const votes = read.flatMap(({ log }) => (log === null ? [] : [log]))
  for (const file of files.live.values()) {
    const header = await readHeader(disk, directory, file)
    if (header !== null) votes.push(header)
  }
  for (const file of files.archived.values()) {
    if (votes.length > 0) break
    const header = await readHeader(disk, directory, file)
    if (header !== null) votes.push(header)
  }
  const log = mostCommon(votes)
  if (log === undefined) throw unnamed(directory)
  const snapshots = read.map(({ log: own, ...snapshot }) => {
    const foreign = snapshot.fault === '' && own !== null && keyOf(own) !== keyOf(log)
    return foreign ? { ...snapshot, content: null, fault: 'it belongs to another data directory' } : snapshot
  })
  return { log, snapshots }
}

function unnamed(directory: string): KujiError {
  const why =
    'no file in it says whose log this is: no header of the log and no snapshot is whole; ' +
    'bring back a snapshot from a copy, or the first 64 bytes of a segment, and repair the rest then'
  return new KujiError('CORRUPT', `${directory}: ${why}`, { directory, missing: 'identity' })
}

function keyOf({ identity, shard }: LogIdentity): string {
  return `${Buffer.from(identity).toString('hex')} ${shard}`
}

function mostCommon(votes: readonly LogIdentity[]): LogIdentity | undefined {
  const counts = new Map<string, number>()
  for (const vote of votes) counts.set(keyOf(vote), (counts.get(keyOf(vote)) ?? 0) + 1)
  const most = Math.max(...counts.values())
  const found = votes.find(vote => counts.get(keyOf(vote)) === most)
  return found && { identity: found.identity, shard: found.shard }
}

async function readSnapshot(disk: Disk, directory: string, file: SnapshotFile): Promise<ReadSnapshot> {
  const bad = { ...file, log: null, content: null, unread: false }
  let bytes: Uint8Array
  try {
    bytes = await readWhole(disk, `${directory}/${file.file}`)
  } catch (error) {
    if (isAbsent(error)) return { ...bad, fault: 'removed as it was to be read' }
    const { cause, message } = error as KujiError
    // A start ends with that error, too.
    if (mayPass(cause)) throw error
    return { ...bad, unread: true, fault: message.slice(message.indexOf('cannot be read')) }
  }
  try {
    const { identity, shard, segment, position, state } = decodeSnapshot(bytes, file.file)
    const log = { identity, shard }
    if (segment !== file.segment) return { ...bad, log, fault: `it is the snapshot of segment ${segment}` }
    const content = { position, drawNumber: state.drawNumber, hash: state.hash }
    return { ...bad, log, content, fault: '' }
  } catch (error) {
    if (isDamage(error)) return { ...bad, fault: whyOf(error, file.file) }
    throw error
  }
}

async function readHeader(disk: Disk, directory: string, file: SegmentFile): Promise<SegmentHeader | null> {
  try {
    const bytes = file.archived
      ? await readSegmentBytes(disk, directory, file)
      : await readWhole(disk, `${directory}/${file.file}`, segmentHeaderBytes)
    return decodeSegmentHeader(bytes, file.file)
  } catch (error) {
    if (isDamage(error) || isAbsent(error)) return null
    throw error
  }
}

export interface JudgedStart {
  /** The header, or what it should be where it cannot be read: the name and the size of the file tell the rest. */
  readonly header: SegmentHeader
  readonly verdict: Verdict | { readonly kind: 'format'; readonly why: string } | null
}

/** Judges the start of a segment's bytes. */
export function judgeStart(bytes: Uint8Array, log: LogIdentity, file: SegmentFile): JudgedStart {
  const { number } = file
  const assumed = { ...log, number, bytes: bytes.length }
  const version = newerVersion(bytes)
  if (version > 0) {
    const why = `format version ${version}; this kuji reads version ${formatVersion}`
    return { header: assumed, verdict: { kind: 'format', why } }
  }
  try {
    const header = decodeSegmentHeader(bytes, file.file)
    const verdict = judgeHeader(header, log, number, bytes.length)
    return { header: verdict?.kind === 'foreign' ? assumed : header, verdict }
  } catch (error) {
    if (!(error instanceof KujiError)) throw error
    return { header: assumed, verdict: { kind: 'damage', why: whyOf(error, file.file) } }
  }
}

/** The version of a header of a later format whose checksum is right, or 0: a version that is damaged is not newer. */
function newerVersion(bytes: Uint8Array): number {
  if (bytes.length < segmentHeaderBytes) return 0
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  if (Buffer.from(bytes.subarray(0, 8)).toString('latin1') !== 'KUJILOG\n') return 0
  const version = view.getUint32(8, true)
  return version > formatVersion && view.getUint32(60, true) === crc32(bytes.subarray(0, 60)) ? version : 0
}

/** An error's message without the file that it begins with. */
export function whyOf(error: KujiError, file: string): string {
  return error.message.startsWith(`${file}: `) ? error.message.slice(file.length + 2) : error.message
}
