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

const prime = 0x01000193

/** A number of up to 53 bits as two words, the way that a signed one of 64 bits has them. */
function hashNumber(hash: number, value: number): number {
  const low = Math.imul(hash ^ (value >>> 0), prime)
  return Math.imul(low ^ (Math.floor(value / 2 ** 32) >>> 0), prime)
}

function hashText(hash: number, text: string): number {
  let mixed = hashNumber(hash, text.length)
  for (let i = 0; i < text.length; i++) mixed = Math.imul(mixed ^ text.charCodeAt(i), prime)
  return mixed
}

function key(index: number): number {
  const x = Math.imul(index + 1, 0x9e3779b1)
  return Math.imul(x ^ (x >>> 15), 0x85ebca77)
}

function hashPool(pool: DecodedPool): number {
  const poolKey = key(pool.number) | 1
  let own = hashText(hashText(0x811c9dc5, pool.id), pool.metadata)
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
  for (const [id, drawn] of pool.retired) own = (own + hashNumber(hashText(0x1b873593, id), drawn)) | 0
  let draws = 0
  let rules = 0
  for (const [index, { id, metadata, weight, stock, drawn }] of pool.items.entries()) {
    const text = hashText(hashText(0x811c9dc5, id), metadata)
    const rule = hashNumber(hashNumber(text, weight), stock === 'unlimited' ? -1 : stock)
    rules = (rules + Math.imul(rule, key(index))) | 0
    draws = (draws + Math.imul(key(index), drawn)) | 0
  }
  return (Math.imul(draws, poolKey) + rules + Math.imul(own, poolKey)) | 0
}

export function hashState(pools: Iterable<DecodedPool>, keys: KeptDraws): number {
  let hash = Number(keys.stateHash)
  for (const pool of pools) hash = (hash + hashPool(pool)) | 0
  return hash >>> 0
}
