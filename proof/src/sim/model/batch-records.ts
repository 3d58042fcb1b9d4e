import { ByteCursor } from '../../../../test/support/byte-cursor.ts'
import { readRules } from '../../../../test/support/decoded-pool.ts'
import type { KeyRules } from './model-keys.ts'

/** The item of each draw, by its place among those of the pool. */
type Outcomes = Uint8Array | Uint16Array | Uint32Array

/** A record of a batch, as docs/data-format.md has it; none of the engine's code reads it here. */
export type LoggedRecord =
  | {
      readonly kind: 'draws'
      readonly pool: number
      readonly outcomes: Outcomes
      /** Only in a record of a single request. */
      readonly request?: { readonly key: string; readonly recipient: string }
    }
  | { readonly kind: 'put'; readonly pool: number; readonly id: string; readonly items: readonly string[] }
  | { readonly kind: 'item' | 'status' | 'delete'; readonly pool: number }
  | { readonly kind: 'seal' }
  | { readonly kind: 'keyPolicy'; readonly rules: KeyRules }

export interface LoggedBatch {
  readonly lsn: number
  readonly firstDraw: number
  readonly time: number
  readonly epoch: number
  /** SHA-256 of the batch before, as hex digits. */
  readonly previous: string
  readonly records: readonly LoggedRecord[]
}

/** Reads a batch. Throws where it is not what the format says. */
export function readBatch(bytes: Uint8Array): LoggedBatch {
  const cursor = new ByteCursor(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), 8)
  const [lsn, firstDraw, time] = [cursor.u53(), cursor.u53(), cursor.u53()]
  const epoch = cursor.u32()
  const count = cursor.u32()
  const previous = cursor.take(32).toString('hex')
  const records: LoggedRecord[] = []
  for (let record = 0; record < count; record++) {
    cursor.align(4)
    records.push(readRecord(cursor))
  }
  return { lsn, firstDraw, time, epoch, previous, records }
}

function readRecord(cursor: ByteCursor): LoggedRecord {
  const kind = cursor.u8()
  const detail = cursor.u8()
  cursor.u16()
  const word = cursor.u32()
  switch (kind) {
    case 1:
      return { kind: 'draws', pool: word, outcomes: readOutcomes(cursor, detail, cursor.u32()) }
    case 2:
      return readPut(new ByteCursor(cursor.take(word)))
    case 3:
      cursor.take(20)
      return { kind: 'item', pool: word }
    case 4:
      return { kind: 'status', pool: word }
    case 5:
      return { kind: 'delete', pool: word }
    case 6:
      return { kind: 'seal' }
    case 7: {
      const count = cursor.u32()
      cursor.u32()
      const outcomes = readOutcomes(cursor, detail, count)
      return {
        kind: 'draws',
        pool: word,
        outcomes,
        request: { key: cursor.text(), recipient: cursor.text() },
      }
    }
    case 8: {
      const retentionMs = cursor.u53()
      cursor.take(16)
      return { kind: 'keyPolicy', rules: { retentionMs, most: word } }
    }
  }
  throw new Error(`a record of kind ${kind}`)
}

function readPut(cursor: ByteCursor): LoggedRecord {
  const pool = cursor.u32()
  const { id, itemIds } = readRules(cursor)
  return { kind: 'put', pool, id, items: itemIds }
}

function readOutcomes(cursor: ByteCursor, width: number, count: number): Outcomes {
  // A copy, so that it is aligned.
  const { buffer } = Uint8Array.from(cursor.take(width * count))
  return width === 1
    ? new Uint8Array(buffer)
    : width === 2
      ? new Uint16Array(buffer)
      : new Uint32Array(buffer)
}
