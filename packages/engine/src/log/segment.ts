import { crc32 } from 'node:zlib'
import { KujiError } from '../contract/index.ts'
import type { Disk, DiskFile } from '../disk/disk.ts'
import { atOnce, pieceBytes, writeFully, writePieces, writeWhole } from '../disk/disk.ts'
import type { Pace } from '../disk/pacer.ts'
import { terminatorBytes } from '../record/batch.ts'
import { ByteReader, ByteWriter, MalformedBytes } from '../record/bytes.ts'

/**
 * A segment is one log file: a header of 64 bytes, then batches, then zeros (or, in a file used for the second time,
 * what it held before, which no checksum of this segment accepts).
 *
 *    0  8    "KUJILOG\n"
 *    8  u32  format version
 *   12  u32  shard
 *   16  16   identity of the data directory, random
 *   32  u53  number of the segment, from 1
 *   40  u53  size of the file in bytes
 *   48  12   zeros
 *   60  u32  CRC-32 of bytes 0 … 59
 */
export const segmentHeaderBytes = 64
export const formatVersion = 1
export const identityBytes = 16

const magic = Buffer.from('KUJILOG\n', 'latin1')

export interface SegmentHeader {
  readonly identity: Uint8Array
  readonly shard: number
  readonly number: number
  readonly bytes: number
}

const namePattern = /^segment-(\d{10})\.log$/

export function segmentName(number: number): string {
  return `segment-${String(number).padStart(10, '0')}.log`
}

/** The number in a segment's file name, or 0 where the name is none. */
export function parseSegmentName(name: string): number {
  return Number(namePattern.exec(name)?.[1] ?? 0)
}

const sparePattern = /^spare-\d{10}\.log$/

/** A file of a segment that is archived, kept because its blocks are there already. */
export function spareName(number: number): string {
  return segmentName(number).replace('segment', 'spare')
}

export function isSpareName(name: string): boolean {
  return sparePattern.test(name)
}

function encodeSegmentHeader(header: SegmentHeader): Uint8Array {
  const writer = new ByteWriter(segmentHeaderBytes)
  writer.raw(magic)
  writer.u32(formatVersion)
  writer.u32(header.shard)
  writer.raw(header.identity)
  writer.u53(header.number)
  writer.u53(header.bytes)
  writer.raw(new Uint8Array(12))
  writer.u32(crc32(writer.written()))
  return writer.written()
}

/** Reads a header. Throws `CORRUPT`, naming the file, for anything but a header of this format. */
export function decodeSegmentHeader(bytes: Uint8Array, path: string): SegmentHeader {
  const corrupt = (why: string): KujiError =>
    new KujiError('CORRUPT', `${path}: ${why}`, { file: path, offset: 0 })
  if (bytes.length < segmentHeaderBytes) throw corrupt(`${bytes.length} bytes, too short for a log file`)
  const reader = new ByteReader(bytes, 0, segmentHeaderBytes)
  if (!reader.raw(8).equals(magic)) throw corrupt('not a kuji log file')
  const version = reader.u32()
  if (version !== formatVersion) {
    throw corrupt(`format version ${version}; this kuji reads version ${formatVersion}`)
  }
  const crc = crc32(bytes.subarray(0, 60))
  if (new DataView(bytes.buffer, bytes.byteOffset).getUint32(60, true) !== crc)
    throw corrupt('damaged header')
  try {
    const shard = reader.u32()
    const identity = Uint8Array.from(reader.raw(identityBytes))
    return { identity, shard, number: reader.u53(), bytes: reader.u53() }
  } catch (error) {
    if (error instanceof MalformedBytes) throw corrupt(error.message)
    throw error
  }
}

/** What the CRCs of a segment's batches start from: no other segment's batch, and no other directory's, passes. */
export function segmentSeed(header: Pick<SegmentHeader, 'identity' | 'number'>): number {
  const writer = new ByteWriter(identityBytes + 8)
  writer.raw(header.identity)
  writer.u53(header.number)
  return crc32(writer.written())
}

const zeros = new Uint8Array(pieceBytes)

/** Writes zeros to a file, piece by piece. */
async function fillWithZeros(file: DiskFile, from: number, to: number, pace: Pace): Promise<void> {
  for (let at = from; at < to; at += zeros.length) {
    if (at > from) await pace()
    await writeFully(file, zeros.subarray(0, Math.min(zeros.length, to - at)), at)
  }
}

/**
 * Writes a segment. One that can be seen has all its blocks, so a later write to it changes no metadata. `content`
 * goes right behind the header.
 */
export async function writeSegment(
  disk: Disk,
  directory: string,
  header: SegmentHeader,
  content: Uint8Array = new Uint8Array(0),
  pace: Pace = atOnce,
): Promise<void> {
  await writeWhole(disk, directory, segmentName(header.number), async file => {
    await writeFully(file, encodeSegmentHeader(header), 0)
    await writePieces(file, content, segmentHeaderBytes)
    await fillWithZeros(file, segmentHeaderBytes + content.length, header.bytes, pace)
  })
}

/** Makes a segment ready to be written to: a spare file with a new header, or a new one. */
export async function prepareSegment(
  disk: Disk,
  directory: string,
  header: SegmentHeader,
  pace: Pace,
): Promise<void> {
  const spare = (await disk.list(directory)).find(
    ({ name, bytes }) => isSpareName(name) && bytes === header.bytes,
  )
  if (spare === undefined) return writeSegment(disk, directory, header, undefined, pace)
  // The helper may have given it that name a moment ago. Were the old name still the durable one when its new header
  // is, a power cut would leave a segment under the number of another.
  await disk.syncDirectory(directory)
  const path = `${directory}/${spare.name}`
  const file = await disk.open(path, { dataSync: false })
  try {
    const start = new Uint8Array(segmentHeaderBytes + terminatorBytes)
    start.set(encodeSegmentHeader(header))
    await writeFully(file, start, 0)
    await file.sync()
  } finally {
    await file.close()
  }
  await disk.rename(path, `${directory}/${segmentName(header.number)}`)
  await disk.syncDirectory(directory)
}
