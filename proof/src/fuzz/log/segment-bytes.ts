import { crc32 } from 'node:zlib'
import { limits } from '@kuji/engine/contract'
import { frameBatch, hashBatch } from '../../../../packages/engine/src/log/frame.ts'
import {
  decodeSegmentHeader,
  parseSegmentName,
  segmentHeaderBytes,
  segmentSeed,
} from '../../../../packages/engine/src/log/segment.ts'
import { hashBytes, headerBytes } from '../../../../packages/engine/src/record/batch.ts'
import { kinds, OutcomeViews } from '../../../../packages/engine/src/record/records.ts'
import { Replayer } from '../../../../packages/engine/src/recovery/replay.ts'

const { segmentMaximumBytes } = limits

/** A segment taken apart. */
export interface SegmentParts {
  header: Uint8Array
  batches: Uint8Array[]
  /** Bytes of the file. */
  size: number
}

/** Takes a segment apart by the lengths that stand in it, and looks at no checksum. */
export function takeApart(bytes: Uint8Array): SegmentParts {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const batches: Uint8Array[] = []
  let at = segmentHeaderBytes
  while (at + headerBytes <= bytes.length) {
    const length = view.getUint32(at + 4, true)
    if (length < headerBytes || length % 8 !== 0 || at + length > bytes.length) break
    batches.push(bytes.slice(at, at + length))
    at += length
  }
  return { header: bytes.slice(0, segmentHeaderBytes), batches, size: bytes.length }
}

/** The file again, as large as it was where the batches have room in it. */
export function putTogether({ header, batches, size }: SegmentParts): Uint8Array {
  const content = Buffer.concat([header, ...batches])
  const bytes = new Uint8Array(Math.min(Math.max(size, (content.length + 15) & ~7), segmentMaximumBytes))
  bytes.set(content.subarray(0, bytes.length))
  return bytes
}

/** The header's checksum made right, and where asked for its number and size too. */
function mendHeader(header: Uint8Array, number: number, size: number): void {
  if (header.length < segmentHeaderBytes) return
  const view = new DataView(header.buffer, header.byteOffset, header.byteLength)
  if (number > 0) {
    view.setUint32(32, number % 2 ** 32, true)
    view.setUint32(36, Math.floor(number / 2 ** 32), true)
    view.setUint32(40, size, true)
    view.setUint32(44, 0, true)
  }
  view.setUint32(60, crc32(header.subarray(0, 60)), true)
}

/** How much of a log is made right: checksums alone, or also what each batch says of those before it. */
export type Mending = 'checksums' | 'sequence'

/**
 * Makes the checksums of segments right, so that a reader comes to what was changed; and with `sequence` also the
 * numbers, the chain and the state hashes, for as long as the batches can be applied.
 */
export function mendSegments(
  segments: readonly [name: string, parts: SegmentParts][],
  mending: Mending,
): void {
  let replayer: Replayer | null = new Replayer()
  let last: Uint8Array = new Uint8Array(hashBytes)
  for (const [name, parts] of segments) {
    const number = parseSegmentName(name)
    mendHeader(parts.header, mending === 'sequence' ? number : 0, putTogether(parts).length)
    let seed = 0
    try {
      seed = segmentSeed(decodeSegmentHeader(parts.header, name))
    } catch {
      continue
    }
    for (const batch of parts.batches) {
      new DataView(batch.buffer, batch.byteOffset).setUint32(4, batch.length, true)
      const previous: Uint8Array = mending === 'sequence' ? last : batch.slice(40, 40 + hashBytes)
      if (mending === 'sequence' && replayer !== null) mendNumbers(batch, replayer)
      frameBatch(batch, previous, seed)
      if (replayer !== null && !apply(batch, replayer)) replayer = null
      last = hashBatch(batch)
    }
  }
}

function mendNumbers(batch: Uint8Array, { position, state }: Replayer): void {
  const view = new DataView(batch.buffer, batch.byteOffset, batch.byteLength)
  view.setBigUint64(8, BigInt(position.lsn + 1), true)
  view.setBigUint64(16, BigInt(state.drawNumber + 1), true)
  if (Number(view.getBigUint64(24, true)) < position.time) view.setBigUint64(24, BigInt(position.time), true)
  if (view.getUint32(32, true) < position.epoch) view.setUint32(32, position.epoch, true)
  if (batch.length === headerBytes + 8 && batch[headerBytes] === kinds.seal)
    view.setUint32(headerBytes + 4, state.hash, true)
}

/** Whether it could be applied. */
function apply(batch: Uint8Array, replayer: Replayer): boolean {
  try {
    replayer.applyBatch(new OutcomeViews(Uint8Array.from(batch)), 0, '')
    return true
  } catch {
    return false
  }
}
