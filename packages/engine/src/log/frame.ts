import { hash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { hashBytes, readCrc, readLength } from '../record/batch.ts'

const hashAt = 40

/** The chain hash of a batch: SHA-256 of all but its CRC. */
export function hashBatch(batch: Uint8Array): Uint8Array {
  return hash('sha256', batch.subarray(4), 'buffer')
}

/** Links a batch to the one before it and seals it with the CRC of the file it goes to. */
export function frameBatch(batch: Uint8Array, previousHash: Uint8Array, seed: number): void {
  batch.set(previousHash, hashAt)
  const crc = crc32(batch.subarray(4), seed)
  new DataView(batch.buffer, batch.byteOffset, 4).setUint32(0, crc, true)
}

/** The hash of the batch before, as the batch at `at` names it. */
export function readPreviousHash(bytes: Uint8Array, at: number): Uint8Array {
  return bytes.subarray(at + hashAt, at + hashAt + hashBytes)
}

/** The length of the whole batch at `at`, or 0 where there is none: its length or its CRC is wrong. */
export function checkFrame(bytes: Uint8Array, view: DataView, at: number, seed: number): number {
  const length = readLength(view, at)
  if (length === 0) return 0
  return crc32(bytes.subarray(at + 4, at + length), seed) === readCrc(view, at) ? length : 0
}
