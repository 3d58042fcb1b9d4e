import type { KeyPolicy } from '../keys/key-table.ts'
import type { Pool } from './pool.ts'

/**
 * A 32-bit hash of the whole state that the writer keeps up to date as it goes: a sum, over pools and items, of
 * products of a mixed key and a number, modulo 2^32. Being a sum, a draw changes it by one addition, and no pause is
 * ever needed to compute it. Whoever replays the log computes it afresh from the state and compares: that finds
 * accidents (a lost or doubled record, a wrong item), not an adversary, who is the hash chain's business.
 */

const statusCode = { open: 1, paused: 2, closed: 3 } as const

/** A mixed 32-bit key of an item's place (the finaliser of MurmurHash3 in short). */
export function itemKey(index: number): number {
  const x = Math.imul(index + 1, 0x9e3779b1)
  return Math.imul(x ^ (x >>> 15), 0x85ebca77)
}

/** An odd key of a pool, to weigh its sum with. */
export function poolKey(pool: Pool): number {
  return itemKey(pool.number) | 1
}

function mixNumber(hash: number, value: number): number {
  // Unlimited stock is hashed as -1; everything else is a safe integer, taken as two 32-bit halves.
  const whole = value === Number.POSITIVE_INFINITY ? -1 : value
  const low = Math.imul(hash ^ (whole | 0), 0x01000193)
  return Math.imul(low ^ (Math.floor(whole / 0x100000000) | 0), 0x01000193)
}

function mixText(hash: number, text: string): number {
  let mixed = mixNumber(hash, text.length)
  for (let i = 0; i < text.length; i++) mixed = Math.imul(mixed ^ text.charCodeAt(i), 0x01000193)
  return mixed
}

/** The part of how long keys are kept; 0 as long as there are none. */
export function policyHash(policy: KeyPolicy | null): number {
  if (policy === null) return 0
  let hash = mixNumber(mixNumber(0x811c9dc5, policy.retentionMs), policy.most)
  for (const byte of policy.secret) hash = Math.imul(hash ^ byte, 0x01000193)
  return hash
}

/** The part of one item's rules: changed by a restock or a reweight alone. */
export function itemRulesHash(pool: Pool, index: number): number {
  const withId = mixText(0x811c9dc5, pool.itemIds[index]!)
  const withMetadata = mixText(withId, pool.itemMetadata?.[index] ?? '')
  return Math.imul(
    mixNumber(mixNumber(withMetadata, pool.weights[index]!), pool.stock[index]!),
    itemKey(index),
  )
}

/** The part of the pool's own fields. */
export function poolRulesHash(pool: Pool): number {
  let hash = mixText(mixText(0x811c9dc5, pool.id), pool.metadata)
  const fields = [
    pool.version,
    statusCode[pool.status],
    pool.mode === 'urn' ? 1 : 0,
    pool.decimals,
    pool.fallback,
  ]
  for (const field of [...fields, pool.lastOne, pool.itemIds.length]) hash = mixNumber(hash, field)
  for (const [id, drawn] of pool.retired) hash = (hash + mixNumber(mixText(0x1b873593, id), drawn)) | 0
  return Math.imul(hash, poolKey(pool))
}

/** One pool's part of the state hash, computed from nothing. */
export function poolHash(pool: Pool): number {
  let draws = 0
  let rules = 0
  for (let i = 0; i < pool.itemIds.length; i++) {
    draws = (draws + Math.imul(itemKey(i), pool.drawn[i]! | 0)) | 0
    rules = (rules + itemRulesHash(pool, i)) | 0
  }
  return (Math.imul(draws, poolKey(pool)) + rules + poolRulesHash(pool)) | 0
}
