import type { ItemIndexes, Status } from '../contract/index.ts'
import type { KeyPolicy } from '../keys/key-table.ts'
import { KeyTable } from '../keys/key-table.ts'
import type { Rules } from './manifest.ts'
import { computeSums, drawnById, Pool } from './pool.ts'
import { itemKey, itemRulesHash, policyHash, poolHash, poolKey, poolRulesHash } from './state-hash.ts'
import { rescaleFactor } from './weight.ts'

/**
 * Everything that the log decides, at one LSN. The functions below are the only code that changes it; live traffic,
 * recovery, snapshots and whoever follows the log all come through here. They check nothing that deciding has
 * checked, look at no clock and no randomness, and touch no disk.
 */
export class State {
  readonly pools: Map<string, Pool> = new Map()
  /** Those that are not deleted, by pool number. */
  readonly byNumber: Map<number, Pool> = new Map()
  /** The number of the next pool to be created: that of a deleted one is not used again. */
  nextPool = 0
  /** Items of all pools. */
  items = 0
  /** What all pools take of the heap; see heap-size.ts. */
  poolHeapBytes = 0
  /** The last draw number given. */
  drawNumber = 0
  /** Draws whose keys are kept. */
  readonly keys: KeyTable = new KeyTable()
  /** See state-hash.ts. */
  hash = 0
}

/** What a request to draw says of itself, as the log holds it. */
export interface LoggedRequest {
  /** Draws asked for; fewer were given where it took what was left, one more with a `lastOne` item. */
  readonly asked: number
  readonly partial: boolean
  /** '' for none. */
  readonly key: string
  readonly recipient: string
}

/** A change of one item, as the log holds it. */
export interface ItemChange {
  readonly item: number
  /** Units added to stock. */
  readonly restock: number
  /** The new weight in units of 10^-decimals, or -1 to leave it. */
  readonly weight: number
  /** The pool's number of decimals from here on; never less than before. */
  readonly decimals: number
}

/** Takes `count` outcomes of `items` from `start` on: one unit and one draw number each. */
export function applyDraws(state: State, pool: Pool, items: ItemIndexes, start: number, count: number): void {
  const extraBefore = pool.lastOne < 0 ? 0 : pool.drawn[pool.lastOne]!
  const tallied = count >= tallyFrom && pool.itemIds.length <= tallyItems
  const sum = tallied
    ? tallyDraws(pool.drawn, items, start, count)
    : addDraws(pool.drawn, items, start, count)
  pool.drawnTotal += count
  pool.left -= count
  if (pool.lastOne >= 0) pool.left += pool.drawn[pool.lastOne]! - extraBefore
  state.drawNumber += count
  state.hash = (state.hash + Math.imul(sum, poolKey(pool))) | 0
}

/** Counts one by one. Returns the sum of the items' keys. */
function addDraws(drawn: Float64Array, items: ItemIndexes, start: number, count: number): number {
  let sum = 0
  for (let k = start, end = start + count; k < end; k++) {
    const item = items[k]!
    drawn[item]!++
    sum = (sum + itemKey(item)) | 0
  }
  return sum
}

/** Draws from which, and items up to which, the way below is the faster one. */
const tallyFrom = 512
const tallyItems = 256
const lanes = 4
const tally = new Int32Array(lanes * tallyItems)

/**
 * The same for many draws of few items: whole numbers in four lanes, so that one item drawn again and again does not
 * wait for its own last count (a third of the time at six items), added up at the end.
 */
function tallyDraws(drawn: Float64Array, items: ItemIndexes, start: number, count: number): number {
  const end = start + count
  const even = end - (count % lanes)
  for (let k = start; k < even; k += lanes) {
    tally[items[k]!]!++
    tally[tallyItems + items[k + 1]!]!++
    tally[2 * tallyItems + items[k + 2]!]!++
    tally[3 * tallyItems + items[k + 3]!]!++
  }
  for (let k = even; k < end; k++) tally[items[k]!]!++
  let sum = 0
  for (let item = 0; item < drawn.length; item++) {
    const times =
      tally[item]! + tally[tallyItems + item]! + tally[2 * tallyItems + item]! + tally[3 * tallyItems + item]!
    drawn[item]! += times
    sum = (sum + Math.imul(itemKey(item), times)) | 0
    for (let lane = item; lane < tally.length; lane += tallyItems) tally[lane] = 0
  }
  return sum
}

/**
 * Keeps the key of a request whose draws have just been applied, the last `count` ones, made at `time`; and forgets
 * keys that are due by then.
 */
export function applyKey(
  state: State,
  pool: Pool,
  items: ItemIndexes,
  start: number,
  count: number,
  time: number,
  request: LoggedRequest,
): void {
  const { keys } = state
  const before = keys.hash
  keys.add(pool, request, state.drawNumber - count + 1, time, items, start, count)
  state.hash = (state.hash + keys.hash - before) | 0
}

/** How long, and how many, keys are kept from here on. */
export function applyKeyPolicy(state: State, policy: KeyPolicy): void {
  state.hash = (state.hash - policyHash(state.keys.policy) + policyHash(policy)) | 0
  state.keys.setPolicy(policy)
}

/** Creates the pool of this number, or gives it new rules; what was drawn of an item stays with its id. */
export function applyPut(state: State, number: number, rules: Rules): Pool {
  const existing = state.byNumber.get(number)
  const pool = existing ?? new Pool(number, rules.id)
  if (existing === undefined) {
    state.nextPool = number + 1
    state.byNumber.set(number, pool)
    state.pools.set(rules.id, pool)
  } else {
    state.hash = (state.hash - poolHash(pool)) | 0
  }
  const drawn = drawnById(pool)
  state.items += rules.itemIds.length - pool.itemIds.length
  state.poolHeapBytes -= pool.heapBytes
  pool.version++
  pool.mode = rules.mode
  // The same list stays the same object: kept receipts refer to it.
  pool.itemIds = sameItems(pool.itemIds, rules.itemIds) ? pool.itemIds : rules.itemIds
  pool.weights = rules.weights
  pool.decimals = rules.decimals
  pool.stock = rules.stock
  pool.fallback = rules.fallback
  pool.lastOne = rules.lastOne
  pool.metadata = rules.metadata
  pool.itemMetadata = rules.itemMetadata
  pool.drawn = new Float64Array(rules.itemIds.length)
  if (drawn.size > 0) {
    for (let i = 0; i < rules.itemIds.length; i++) {
      pool.drawn[i] = drawn.get(rules.itemIds[i]!) ?? 0
      drawn.delete(rules.itemIds[i]!)
    }
  }
  pool.retired = drawn
  computeSums(pool)
  state.poolHeapBytes += pool.heapBytes
  state.hash = (state.hash + poolHash(pool)) | 0
  return pool
}

/** Restocks or reweighs one item: a new version. */
export function applyItemChange(state: State, pool: Pool, change: ItemChange): void {
  state.hash = (state.hash - poolRulesHash(pool) - itemRulesHash(pool, change.item)) | 0
  if (change.decimals !== pool.decimals) {
    state.hash = (state.hash + itemRulesHash(pool, change.item) + poolRulesHash(pool) - poolHash(pool)) | 0
    const factor = rescaleFactor(pool.decimals, change.decimals)
    pool.weights = pool.weights.map(weight => weight * factor)
    pool.weightSum *= factor
    pool.decimals = change.decimals
    state.hash = (state.hash + poolHash(pool) - poolRulesHash(pool) - itemRulesHash(pool, change.item)) | 0
  }
  if (change.weight >= 0) {
    pool.weightSum += change.weight - pool.weights[change.item]!
    pool.weights[change.item] = change.weight
  }
  if (change.restock > 0) {
    pool.stock[change.item]! += change.restock
    pool.stockSum += change.restock
    if (change.item !== pool.lastOne) pool.left += change.restock
  }
  pool.version++
  state.hash = (state.hash + poolRulesHash(pool) + itemRulesHash(pool, change.item)) | 0
}

/** Pauses, resumes or closes. The rules stay, and so does the version. */
export function applyStatus(state: State, pool: Pool, status: Status): void {
  state.hash = (state.hash - poolRulesHash(pool)) | 0
  pool.status = status
  state.hash = (state.hash + poolRulesHash(pool)) | 0
}

/** Forgets the pool; its number is not used again. */
export function applyDelete(state: State, pool: Pool): void {
  state.hash = (state.hash - poolHash(pool)) | 0
  state.items -= pool.itemIds.length
  state.poolHeapBytes -= pool.heapBytes
  state.pools.delete(pool.id)
  state.byNumber.delete(pool.number)
}

/** The state hash computed from nothing, to hold `state.hash` against. */
export function computeStateHash(state: State): number {
  let hash = 0
  for (const pool of state.pools.values()) hash = (hash + poolHash(pool)) | 0
  return (hash + policyHash(state.keys.policy) + state.keys.computeHash()) | 0
}

/** Whether two lists of item ids read the same. */
export function sameItems(before: readonly string[], after: readonly string[]): boolean {
  return before.length === after.length && before.every((id, i) => id === after[i])
}
