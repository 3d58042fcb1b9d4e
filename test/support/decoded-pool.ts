import type { ByteCursor } from './byte-cursor.ts'
import type { KeptDraws } from './decoded-keys.ts'

/** Rules and live pools as docs/data-format.md has them, and the state hash, with no line of the engine's. */
export interface Rules {
  readonly id: string
  readonly mode: 'weighted' | 'urn'
  decimals: number
  /** Item, or -1. */
  readonly fallback: number
  readonly lastOne: number
  readonly metadata: string
  readonly items: DecodedItem[]
  /** Ids of the items. A put that leaves them as they are leaves this list too. */
  readonly itemIds: readonly string[]
}

export interface DecodedItem {
  readonly id: string
  /** In units of 10^-decimals. */
  weight: number
  stock: number | 'unlimited'
  readonly metadata: string
  drawn: number
}

export interface DecodedPool extends Rules {
  readonly number: number
  version: number
  status: 'open' | 'paused' | 'closed'
  /** Units drawn of items that later rules left out. */
  readonly retired: Map<string, number>
}

export function readRules(cursor: ByteCursor): Rules {
  const id = cursor.text()
  const mode = cursor.u8() === 1 ? 'urn' : 'weighted'
  const decimals = cursor.u8()
  const fallback = cursor.varint() - 1
  const lastOne = cursor.varint() - 1
  const metadata = cursor.text()
  const count = cursor.varint()
  const hasMetadata = cursor.u8() === 1
  const items = Array.from({ length: count }, (): DecodedItem => {
    const item = { id: cursor.text(), weight: cursor.varint() }
    const units = cursor.varint()
    const stock = units === 0 ? 'unlimited' : units - 1
    return { ...item, stock, metadata: hasMetadata ? cursor.text() : '', drawn: 0 }
  })
  const itemIds = items.map(item => item.id)
  return { id, mode, decimals, fallback, lastOne, metadata, items, itemIds }
}

/** What a put makes of a pool, or of none. */
export function newPool(number: number, rules: Rules, before: DecodedPool | undefined): DecodedPool {
  const drawn = new Map(before?.retired)
  for (const item of before?.items ?? []) if (item.drawn > 0) drawn.set(item.id, item.drawn)
  for (const item of rules.items) {
    item.drawn = drawn.get(item.id) ?? 0
    drawn.delete(item.id)
  }
  const version = (before?.version ?? 0) + 1
  const same = before?.itemIds.join() === rules.itemIds.join()
  const itemIds = same ? before!.itemIds : rules.itemIds
  return { ...rules, itemIds, number, version, status: before?.status ?? 'open', retired: drawn }
}

const prime = 0x01000193n
const word = (value: bigint): bigint => BigInt.asUintN(32, value)

function hashNumber(hash: bigint, value: number): bigint {
  const whole = BigInt.asUintN(64, BigInt(value))
  return word((word((hash ^ word(whole)) * prime) ^ (whole >> 32n)) * prime)
}

function hashText(hash: bigint, text: string): bigint {
  let mixed = hashNumber(hash, text.length)
  for (let i = 0; i < text.length; i++) mixed = word((mixed ^ BigInt(text.charCodeAt(i))) * prime)
  return mixed
}

function key(index: number): bigint {
  const x = word(BigInt(index + 1) * 0x9e3779b1n)
  return word((x ^ (x >> 15n)) * 0x85ebca77n)
}

function hashPool(pool: DecodedPool): bigint {
  const poolKey = key(pool.number) | 1n
  let own = hashText(hashText(0x811c9dc5n, pool.id), pool.metadata)
  const status = { open: 1, paused: 2, closed: 3 }[pool.status]
  const fields = [
    pool.version,
    status,
    pool.mode === 'urn' ? 1 : 0,
    pool.decimals,
    pool.fallback,
    pool.lastOne,
  ]
  for (const field of [...fields, pool.items.length]) own = hashNumber(own, field)
  for (const [id, drawn] of pool.retired) own += hashNumber(hashText(0x1b873593n, id), drawn)
  let draws = 0n
  let rules = 0n
  for (const [index, { id, metadata, weight, stock, drawn }] of pool.items.entries()) {
    const text = hashText(hashText(0x811c9dc5n, id), metadata)
    rules += hashNumber(hashNumber(text, weight), stock === 'unlimited' ? -1 : stock) * key(index)
    draws += key(index) * BigInt(drawn)
  }
  return draws * poolKey + rules + own * poolKey
}

export function hashState(pools: Iterable<DecodedPool>, keys: KeptDraws): number {
  let hash = keys.stateHash
  for (const pool of pools) hash += hashPool(pool)
  return Number(word(hash))
}
