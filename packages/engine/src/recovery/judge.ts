import { limits } from '../contract/index.ts'
import type { SegmentHeader } from '../log/segment.ts'
import type { State } from '../pool/state.ts'
import { sealBatchBytes, terminatorBytes } from '../record/batch.ts'
import type { LogPosition } from './replay.ts'

/** Why something cannot be part of a log. */
export interface Verdict {
  /** `foreign`: it belongs elsewhere. `damage`: it was once right. */
  readonly kind: 'foreign' | 'damage'
  readonly why: string
}

/** Judges a header by the log it should belong to, the number in its file's name and the file's size. */
export function judgeHeader(
  header: SegmentHeader,
  log: Pick<SegmentHeader, 'identity' | 'shard'>,
  number: number,
  bytes: number,
): Verdict | null {
  if (header.number !== number) {
    return { kind: 'foreign', why: `it is segment ${header.number} under the name of ${number}` }
  }
  if (Buffer.compare(header.identity, log.identity) !== 0 || header.shard !== log.shard) {
    return { kind: 'foreign', why: 'it belongs to another data directory or shard' }
  }
  // A segment has its whole size before it has its name, so a crash never leaves a shorter one.
  if (header.bytes !== bytes) {
    return { kind: 'damage', why: `it has ${bytes} bytes, and its header says ${header.bytes}` }
  }
  return null
}

/** Judges the place where a log ends: what ends the file must find room behind it. No writer goes beyond that. */
export function judgeRoom({ bytes }: SegmentHeader, end: number): Verdict | null {
  if (end + sealBatchBytes + terminatorBytes <= bytes) return null
  return { kind: 'damage', why: `it has ${bytes} bytes, and no room for the seal behind offset ${end}` }
}

/** Why no number is left to go on with behind a position, or ''. With good checksums, a forgery. */
export function findExhausted({ lsn, epoch }: LogPosition): string {
  if (lsn >= limits.lsn) return `LSN ${lsn} is beyond all LSNs`
  return epoch >= limits.epoch ? `epoch ${epoch} is the last there is` : ''
}

/** Names an item of which more was drawn than there was, or returns ''. With good checksums, a defect or a forgery. */
export function findOverdrawn(state: State): string {
  for (const pool of state.pools.values()) {
    for (let i = 0; i < pool.itemIds.length; i++) {
      if (pool.drawn[i]! > pool.stock[i]!)
        return `pool "${pool.id}" gave more of "${pool.itemIds[i]}" than its stock`
    }
  }
  return ''
}
