import { createHash } from 'node:crypto'
import { ByteCursor } from './byte-cursor.ts'
import { KeptDraws, readOutcomes, widthOf } from './decoded-keys.ts'
import { type DecodedPool, hashState, readRules } from './decoded-pool.ts'

export interface DecodedSnapshot {
  readonly identity: string
  readonly segment: number
  readonly position: { lsn: number; time: number; epoch: number; hash: string }
  readonly drawNumber: number
  readonly stateHash: number
  readonly nextPool: number
  readonly pools: Map<number, DecodedPool>
  readonly keys: KeptDraws
}

/** Decodes a snapshot by docs/data-format.md alone. Throws for anything that page does not allow. */
export function decodeSnapshot(bytes: Buffer): DecodedSnapshot {
  const body = bytes.subarray(0, -32)
  const digest = createHash('sha256').update(body).digest()
  if (!digest.equals(bytes.subarray(-32))) throw new Error('the digest of the snapshot')
  const cursor = new ByteCursor(body)
  if (cursor.take(8).toString('latin1') !== 'KUJISNAP') throw new Error('not a snapshot')
  const version = cursor.u32()
  if (version < 1 || version > 2 || cursor.u32() !== 0) throw new Error('another version or shard')
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
  const keys = new KeptDraws()
  if (version === 2) readKeys(cursor, keys, pools)
  if (cursor.rest !== 0) throw new Error(`${cursor.rest} bytes behind the end`)
  if (hashState(pools.values(), keys) !== stateHash) throw new Error('the state hash of the snapshot')
  return { identity, segment, position, drawNumber, stateHash, nextPool, pools, keys }
}

function readKeys(cursor: ByteCursor, keys: KeptDraws, pools: ReadonlyMap<number, DecodedPool>): void {
  if (cursor.u8() === 0) return
  const retentionMs = cursor.u53()
  const most = cursor.u32()
  keys.policy = { retentionMs, most, secret: Buffer.from(cursor.take(16)) }
  const editions = Array.from({ length: cursor.varint() }, () => {
    const pool = cursor.text()
    const count = cursor.varint()
    const live = [...pools.values()].find(({ id }) => id === pool)
    if (count === 0 && live === undefined) throw new Error(`an edition of ${pool}, which is not there`)
    return { pool, items: count === 0 ? live!.itemIds : Array.from({ length: count }, () => cursor.text()) }
  })
  let [firstDraw, time] = [0, 0]
  for (let left = cursor.varint(); left > 0; left--) {
    const hash = cursor.take(16).toString('hex')
    firstDraw += cursor.varint()
    time += cursor.varint()
    const { pool, items } = editions[cursor.varint()]!
    const version = cursor.varint()
    const request = cursor.u32()
    const recipient = cursor.u32()
    const outcomes = readOutcomes(cursor, widthOf(items.length), request % 2 ** 14)
    const asked = Math.floor(request / 2 ** 14) % 2 ** 14
    const partial = request >= 2 ** 28
    keys.draws.push({ hash, firstDraw, time, pool, items, version, asked, partial, recipient, outcomes })
  }
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
