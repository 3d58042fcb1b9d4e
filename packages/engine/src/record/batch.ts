import { limits } from '../contract/index.ts'

/**
 * The frame of a batch: what one durable write carries. docs/data-format.md tells the layout; all numbers are
 * little-endian.
 *
 *    0  u32  CRC-32 over bytes 4 … length, seeded with the identity of the file it stands in
 *    4  u32  length in bytes, header included; a multiple of 8
 *    8  u53  LSN
 *   16  u53  draw number of the first draw in it (or of the next draw, where it has none)
 *   24  u53  time, milliseconds since 1970; never less than in the batch before
 *   32  u32  epoch
 *   36  u32  number of records
 *   40  32   SHA-256 of the batch before, from its byte 4 to its end; zeros in the first batch of a log
 *   72  …    records, each from a multiple of 4 on
 *
 * The hash leaves the CRC out, so that a batch copied into another file (with another seed) keeps its place in the
 * chain.
 */
export const headerBytes = 72
export const hashBytes = 32
/**
 * Zeros written behind every batch and overwritten by the next one: in a file used for the second time, they tell
 * the end of the log from what the file held before.
 */
export const terminatorBytes = 8
/** A batch that holds a seal and nothing else. */
export const sealBatchBytes = headerBytes + 8

export interface BatchHeader {
  readonly length: number
  readonly lsn: number
  readonly firstDraw: number
  readonly time: number
  readonly epoch: number
  readonly records: number
}

const high = 0x100000000

function writeU53(view: DataView, at: number, value: number): void {
  view.setUint32(at, value % high, true)
  view.setUint32(at + 4, Math.floor(value / high), true)
}

function readU53(view: DataView, at: number): number {
  return view.getUint32(at + 4, true) * high + view.getUint32(at, true)
}

/** Writes a header at the start of `view`, all but CRC and hash. */
export function writeHeader(view: DataView, header: BatchHeader): void {
  view.setUint32(4, header.length, true)
  writeU53(view, 8, header.lsn)
  writeU53(view, 16, header.firstDraw)
  writeU53(view, 24, header.time)
  view.setUint32(32, header.epoch, true)
  view.setUint32(36, header.records, true)
}

/** The length that the header at `at` declares, or 0 where it cannot be one: out of bounds, not a multiple of 8. */
export function readLength(view: DataView, at: number): number {
  if (at + headerBytes > view.byteLength) return 0
  const length = view.getUint32(at + 4, true)
  const possible =
    length >= headerBytes && length <= limits.batchBytes && length % 8 === 0 && at + length <= view.byteLength
  return possible ? length : 0
}

export function readCrc(view: DataView, at: number): number {
  return view.getUint32(at, true)
}

export function readLsn(view: DataView, at: number): number {
  return readU53(view, at + 8)
}

/** Reads a header whose length and CRC were found good. */
export function readHeader(view: DataView, at: number): BatchHeader {
  return {
    length: view.getUint32(at + 4, true),
    lsn: readU53(view, at + 8),
    firstDraw: readU53(view, at + 16),
    time: readU53(view, at + 24),
    epoch: view.getUint32(at + 32, true),
    records: view.getUint32(at + 36, true),
  }
}
