import { ByteCursor } from '../../../../test/support/byte-cursor.ts'
import { readRules } from '../../../../test/support/decoded-pool.ts'

/** A record of a batch, as docs/data-format.md has it; none of the engine's code reads it here. */
export type LoggedRecord =
  | {
      readonly kind: 'draws'
      readonly pool: number
      readonly outcomes: readonly number[]
      /** Only in a record of a single request. */
      readonly request?: { readonly key: string; readonly recipient: string }
    }
  | { readonly kind: 'put'; readonly pool: number; readonly id: string; readonly items: readonly string[] }
  | { readonly kind: 'item' | 'status' | 'delete'; readonly pool: number }
  | { readonly kind: 'seal' }

export interface LoggedBatch {
  readonly lsn: number
  readonly firstDraw: number
  readonly time: number
  readonly records: readonly LoggedRecord[]
}

/** Reads a batch. Throws where it is not what the format says. */
export function readBatch(bytes: Uint8Array): LoggedBatch {
  const cursor = new ByteCursor(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), 8)
  const [lsn, firstDraw, time] = [cursor.u53(), cursor.u53(), cursor.u53()]
  cursor.u32()
  const count = cursor.u32()
  cursor.take(32)
  const records: LoggedRecord[] = []
  for (let record = 0; record < count; record++) {
    cursor.align(4)
    const read = readRecord(cursor)
    if (read !== null) records.push(read)
  }
  return { lsn, firstDraw, time, records }
}

function readRecord(cursor: ByteCursor): LoggedRecord | null {
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
    case 8:
      cursor.take(24)
      return null
  }
  throw new Error(`a record of kind ${kind}`)
}

function readPut(cursor: ByteCursor): LoggedRecord {
  const pool = cursor.u32()
  const { id, itemIds } = readRules(cursor)
  return { kind: 'put', pool, id, items: itemIds }
}

function readOutcomes(cursor: ByteCursor, width: number, count: number): number[] {
  return Array.from({ length: count }, () =>
    width === 1 ? cursor.u8() : width === 2 ? cursor.u16() : cursor.u32(),
  )
}
