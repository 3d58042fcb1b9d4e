import { createHash } from 'node:crypto'
import { ByteCursor } from './byte-cursor.ts'
import { type DecodedPool, hashState, readRules } from './decoded-pool.ts'

export interface DecodedSnapshot {
  readonly identity: string
  readonly segment: number
  readonly position: { lsn: number; time: number; epoch: number; hash: string }
  readonly drawNumber: number
  readonly stateHash: number
  readonly nextPool: number
  readonly pools: Map<number, DecodedPool>
}

/** Decodes a snapshot by docs/data-format.md alone. Throws for anything that page does not allow. */
export function decodeSnapshot(bytes: Buffer): DecodedSnapshot {
  const body = bytes.subarray(0, -32)
  const digest = createHash('sha256').update(body).digest()
  if (!digest.equals(bytes.subarray(-32))) throw new Error('the digest of the snapshot')
  const cursor = new ByteCursor(body)
  if (cursor.take(8).toString('latin1') !== 'KUJISNAP') throw new Error('not a snapshot')
  if (cursor.u32() !== 1 || cursor.u32() !== 0) throw new Error('another version or shard')
  const identity = cursor.take(16).toString('hex')
  const segment = cursor.u53()
  const place = { lsn: cursor.u53(), time: cursor.u53(), epoch: cursor.u32() }
  const position = { ...place, hash: cursor.take(32).toString('hex') }
  const drawNumber = cursor.u53()
  const stateHash = cursor.u32()
  const nextPool = cursor.u32()
  const pools = new Map<number, DecodedPool>()
  for (let left = cursor.u32(); left > 0; left--) {
    const pool = readPool(cursor)
    pools.set(pool.number, pool)
  }
  if (cursor.rest !== 0) throw new Error(`${cursor.rest} bytes behind the last pool`)
  if (hashState(pools.values()) !== stateHash) throw new Error('the state hash of the snapshot')
  return { identity, segment, position, drawNumber, stateHash, nextPool, pools }
}

function readPool(cursor: ByteCursor): DecodedPool {
  const number = cursor.u32()
  const version = cursor.varint()
  const status = (['open', 'paused', 'closed'] as const)[cursor.u8() - 1]
  if (status === undefined) throw new Error(`the status of pool ${number}`)
  const drawnInAll = cursor.varint()
  const rules = readRules(cursor)
  for (const item of rules.items) item.drawn = cursor.varint()
  const retired = new Map<string, number>()
  for (let left = cursor.varint(); left > 0; left--) retired.set(cursor.text(), cursor.varint())
  let sum = 0
  for (const { drawn } of rules.items) sum += drawn
  for (const drawn of retired.values()) sum += drawn
  if (sum !== drawnInAll) throw new Error(`pool ${rules.id}: ${drawnInAll} draws in all, ${sum} by item`)
  return { ...rules, number, version, status, retired }
}
