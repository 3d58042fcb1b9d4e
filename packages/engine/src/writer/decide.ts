import type {
  DrawManyReceipt,
  ItemIndexes,
  ItemUpdate,
  PoolState,
  PoolSummary,
  PutResult,
  Receipt,
  Status,
} from '../contract/index.ts'
import { KujiError, limits } from '../contract/index.ts'
import { secretBytes } from '../keys/key-table.ts'
import { describePool, summarisePool } from '../pool/describe.ts'
import type { Rules } from '../pool/manifest.ts'
import type { Pool } from '../pool/pool.ts'
import { outcomeWidth, sameRules } from '../pool/pool.ts'
import type { LoggedRequest, State } from '../pool/state.ts'
import {
  applyDelete,
  applyDraws,
  applyItemChange,
  applyKey,
  applyKeyPolicy,
  applyPut,
  applyStatus,
} from '../pool/state.ts'
import type { RandomWords } from '../random/random-words.ts'
import type { BatchBuilder } from '../record/batch-builder.ts'
import type { Chooser } from '../sampler/chooser.ts'
import { createChooser } from '../sampler/chooser.ts'
import type { HeapBudget } from './heap-budget.ts'
import {
  decideItemChange,
  findConflict,
  findShortage,
  grantDraws,
  poolClosed,
  poolNotFound,
  refuse,
} from './judge.ts'
import { BulkReceipt, makeReceipt, readReceipt } from './receipts.ts'

/** How long, and how many, keys are kept. */
export interface KeyRetention {
  readonly retentionMs: number
  readonly most: number
}

/** Pools up to this size share the items of single receipts. */
const sharedItems = 4096

/**
 * Deciding: looks at the state, the time and chance, puts the outcome into the batch as a record, and has it applied.
 * A refusal is a value: nothing was changed and no draw number was used. They come in this order. A draw: its receipt
 * or KEY_CONFLICT where its key is kept, POOL_NOT_FOUND, TOO_LARGE, POOL_CLOSED, POOL_PAUSED, POOL_EMPTY,
 * INSUFFICIENT_STOCK. A put: VERSION_CONFLICT, TOO_LARGE, POOL_CLOSED, INVALID. A change of an item: POOL_NOT_FOUND,
 * VERSION_CONFLICT, POOL_CLOSED, ITEM_NOT_FOUND, INVALID.
 */
export class Decider {
  readonly #state: State
  readonly #random: RandomWords
  readonly #retention: KeyRetention
  readonly #budget: HeapBudget
  /** By pool number; derived, so made when first needed. */
  readonly #choosers: (Chooser | undefined)[] = []
  readonly #indexes: (Map<string, number> | undefined)[] = []
  readonly #singles: ((readonly string[])[] | undefined)[] = []

  constructor(state: State, random: RandomWords, retention: KeyRetention, budget: HeapBudget) {
    this.#state = state
    this.#retention = retention
    this.#budget = budget
    this.#random = random
  }

  draw(batch: BatchBuilder, id: string, count: number, partial: boolean, at: number): Receipt | KujiError {
    const pool = this.#state.pools.get(id)
    const taken = pool === undefined ? poolNotFound(id) : this.#grant(pool, count, partial)
    if (typeof taken !== 'number') return taken
    const first = this.#state.drawNumber + 1
    const { version } = pool!
    if (taken === 1 && pool!.lastOne < 0) {
      const start = this.#choose(batch, pool!, 1)
      return makeReceipt(first, id, this.#single(pool!, batch.outcomes[start]!), version, at)
    }
    const start = batch.openRun(pool!.number, outcomeWidth(pool!), taken + 1)
    const end = start + this.#fill(batch, pool!, start, taken)
    return makeReceipt(first, id, namesOf(pool!, batch.outcomes, start, end), version, at)
  }

  /** `draw` for a request with a key or a recipient; with a key that is kept, the receipt of the first. */
  drawFor(
    batch: BatchBuilder,
    id: string,
    count: number,
    request: LoggedRequest,
    at: number,
  ): Receipt | KujiError {
    const { keys } = this.#state
    // Before the key is looked up: one that a longer time keeps has to be found by the first request already.
    if (request.key !== '' && keys.policy !== null) this.#settlePolicy(batch)
    const kept = this.findKept(id, request, at)
    if (kept !== null) return kept
    const pool = this.#state.pools.get(id)
    const taken = pool === undefined ? poolNotFound(id) : this.#grant(pool, count, request.partial)
    if (typeof taken !== 'number') return taken
    if (request.key !== '') this.#settlePolicy(batch)
    const first = this.#state.drawNumber + 1
    const start = batch.openRequest(pool!.number, outcomeWidth(pool!), taken + 1, request)
    const given = this.#fill(batch, pool!, start, taken)
    const { outcomes } = batch
    const items =
      given === 1 ? this.#single(pool!, outcomes[start]!) : namesOf(pool!, outcomes, start, start + given)
    if (request.key === '') batch.endRequest(request, null)
    else {
      applyKey(this.#state, pool!, outcomes, start, given, at, request)
      batch.endRequest(request, keys.encodedKey)
    }
    return makeReceipt(first, id, items, pool!.version, at)
  }

  /** The answer of a request whose key is kept: it changes nothing, and needs no room in the log. Else null. */
  findKept(id: string, request: LoggedRequest, at: number): Receipt | KujiError | null {
    const { keys } = this.#state
    // An id of any length comes in here; one that no pool can have is not hashed.
    if (id.length > limits.idLength) return poolNotFound(id)
    if (request.key === '') return null
    const position = keys.find(id, request.key, at)
    const entry = position < 0 ? null : keys.read(position)
    // The pool is looked at too: an id with a zero byte in it reads like another pool's with another key.
    if (entry === null || keys.editionOf(entry).pool !== id) return null
    if (keys.isSame(entry, request)) return readReceipt(keys, entry)
    const message = `the key was used for another request, draw ${entry.firstDraw}`
    return refuse('KEY_CONFLICT', message, { pool: id, id: entry.firstDraw })
  }

  /** The log says how long keys are kept before the first one, and where that has been changed. */
  #settlePolicy(batch: BatchBuilder): void {
    const { retentionMs, most } = this.#retention
    const { policy } = this.#state.keys
    if (policy?.retentionMs === retentionMs && policy.most === most) return
    const secret = policy?.secret ?? this.#makeSecret()
    batch.keyPolicy({ retentionMs, most, secret })
    applyKeyPolicy(this.#state, { retentionMs, most, secret })
  }

  #makeSecret(): Uint8Array {
    const words = Uint32Array.from({ length: secretBytes / 4 }, () => this.#random.next32())
    return new Uint8Array(words.buffer)
  }

  /** The receipt that holds a draw number, where it is kept. */
  receipt(draw: number): Receipt | KujiError {
    const { keys } = this.#state
    const position = keys.findDraw(draw)
    if (position >= 0) return readReceipt(keys, keys.read(position))
    return refuse('DRAW_NOT_FOUND', `no receipt is kept for draw ${draw}`, { id: draw })
  }

  drawMany(
    batch: BatchBuilder,
    id: string,
    count: number,
    partial: boolean,
    at: number,
  ): DrawManyReceipt | KujiError {
    const pool = this.#state.pools.get(id)
    const taken = pool === undefined ? poolNotFound(id) : this.#grant(pool, count, partial)
    if (typeof taken !== 'number') return taken
    const first = this.#state.drawNumber + 1
    const { itemIds, version } = pool!
    const start = batch.openRun(pool!.number, outcomeWidth(pool!), taken + 1)
    const end = start + this.#fill(batch, pool!, start, taken)
    const items = batch.outcomes.slice(start, end)
    return new BulkReceipt(first, id, items, itemIds, version, at)
  }

  /** The items of a receipt for one draw: frozen and shared, which saves an eighth of a draw's memory. */
  #single(pool: Pool, item: number): readonly string[] {
    const id = pool.itemIds[item]!
    if (pool.itemIds.length > sharedItems) return [id]
    const shared = (this.#singles[pool.number] ??= [])
    return (shared[item] ??= Object.freeze([id]))
  }

  /**
   * Draws `count` to the place opened for them, which has room for one more: the lastOne item where the last ticket is
   * among them. Returns how many there are then.
   */
  #fill(batch: BatchBuilder, pool: Pool, start: number, count: number): number {
    const extra =
      pool.lastOne >= 0 && count === pool.left && pool.stock[pool.lastOne]! > pool.drawn[pool.lastOne]!
    for (let done = 0; done < count; ) done += this.#chooseSome(batch, pool, start + done, count - done)
    if (!extra) return count
    const { outcomes } = batch
    outcomes[start + count] = pool.lastOne
    batch.addDraws(1)
    applyDraws(this.#state, pool, outcomes, start + count, 1)
    return count + 1
  }

  #choose(batch: BatchBuilder, pool: Pool, count: number): number {
    const start = batch.openRun(pool.number, outcomeWidth(pool), count)
    this.#chooseSome(batch, pool, start, count)
    return start
  }

  /** One step: the outcomes are chosen, counted into the record, and applied. */
  #chooseSome(batch: BatchBuilder, pool: Pool, start: number, count: number): number {
    const chooser = (this.#choosers[pool.number] ??= createChooser(pool))
    const chosen = chooser.choose(this.#random, batch.outcomes, start, count)
    batch.addDraws(chosen)
    applyDraws(this.#state, pool, batch.outcomes, start, chosen)
    return chosen
  }

  /** `ifVersion`: the version that the change is made for, 0 for none, -1 for any. */
  put(batch: BatchBuilder, rules: Rules, ifVersion: number): PutResult | KujiError {
    const existing = this.#state.pools.get(rules.id)
    const conflict = findConflict(rules.id, existing, ifVersion)
    if (conflict !== null) return conflict
    const items = this.#state.items + rules.itemIds.length - (existing?.itemIds.length ?? 0)
    if (items > limits.totalItems)
      return refuse('TOO_LARGE', `at most ${limits.totalItems} items in all pools`)
    const excess = this.#budget.findExcess(existing, rules)
    if (excess !== null) return excess
    if (existing === undefined) {
      if (this.#state.pools.size >= limits.pools) return refuse('TOO_LARGE', `at most ${limits.pools} pools`)
      const number = this.#state.nextPool
      batch.put(number, rules)
      applyPut(this.#state, number, rules)
      return { id: rules.id, version: 1, created: true, changed: true }
    }
    if (existing.status === 'closed') return poolClosed(existing)
    if (sameRules(existing, rules)) {
      return { id: rules.id, version: existing.version, created: false, changed: false }
    }
    const shortage = findShortage(existing, rules)
    if (shortage !== null) return shortage
    batch.put(existing.number, rules)
    applyPut(this.#state, existing.number, rules)
    this.#forget(existing)
    return { id: rules.id, version: existing.version, created: false, changed: true }
  }

  updateItem(
    batch: BatchBuilder,
    id: string,
    itemId: string,
    update: ItemUpdate,
    ifVersion: number,
  ): PoolSummary | KujiError {
    const pool = this.#state.pools.get(id)
    if (pool === undefined) return poolNotFound(id)
    const conflict = findConflict(id, pool, ifVersion)
    if (conflict !== null) return conflict
    if (pool.status === 'closed') return poolClosed(pool)
    const item = this.#findItem(pool, itemId)
    if (item < 0)
      return refuse('ITEM_NOT_FOUND', `pool "${id}" has no item "${itemId}"`, { pool: id, item: itemId })
    const change = decideItemChange(pool, item, update)
    if (change instanceof KujiError) return change
    const before = {
      left: pool.stock[item]! - pool.drawn[item]!,
      decimals: pool.decimals,
    }
    batch.item(pool.number, change)
    applyItemChange(this.#state, pool, change)
    this.#choosers[pool.number]?.itemChanged(change, before)
    return summarisePool(pool)
  }

  /** Index of an item. Large pools get a map at their first live change, kept until the next manifest. */
  #findItem(pool: Pool, id: string): number {
    if (pool.itemIds.length < 64) return pool.itemIds.indexOf(id)
    const index = (this.#indexes[pool.number] ??= new Map(pool.itemIds.map((itemId, i) => [itemId, i])))
    return index.get(id) ?? -1
  }

  setStatus(batch: BatchBuilder, id: string, status: Status): PoolSummary | KujiError {
    const pool = this.#state.pools.get(id)
    if (pool === undefined) return poolNotFound(id)
    if (pool.status === status) return summarisePool(pool)
    if (pool.status === 'closed') return poolClosed(pool)
    batch.status(pool.number, status)
    applyStatus(this.#state, pool, status)
    return summarisePool(pool)
  }

  delete(batch: BatchBuilder, id: string): PoolSummary | KujiError {
    const pool = this.#state.pools.get(id)
    if (pool === undefined) return poolNotFound(id)
    batch.delete(pool.number)
    applyDelete(this.#state, pool)
    this.#forget(pool)
    return summarisePool(pool)
  }

  /** How many of `count` draws the pool gives, or its refusal. Draw numbers stay safe integers. */
  #grant(pool: Pool, count: number, partial: boolean): number | KujiError {
    if (this.#state.drawNumber + count >= limits.safeInteger) {
      return refuse('TOO_LARGE', `draw numbers end at ${limits.safeInteger}`)
    }
    return grantDraws(pool, count, partial)
  }

  #forget(pool: Pool): void {
    this.#choosers[pool.number] = undefined
    this.#indexes[pool.number] = undefined
    this.#singles[pool.number] = undefined
  }

  pool(id: string): PoolState | KujiError {
    const pool = this.#state.pools.get(id)
    return pool === undefined ? poolNotFound(id) : describePool(pool)
  }

  pools(after: string, limit: number): PoolSummary[] {
    const ids = [...this.#state.pools.keys()].filter(id => id > after).sort()
    return ids.slice(0, limit).map(id => summarisePool(this.#state.pools.get(id)!))
  }

  /** Bytes that a draw may add to a batch, the lastOne item included; the texts of a request are apart. */
  drawBytes(id: string, count: number): number {
    const pool = this.#state.pools.get(id)
    return pool === undefined ? 0 : (count + 1) * outcomeWidth(pool)
  }
}

/** Item ids of the outcomes from `start` to `end`. */
function namesOf({ itemIds }: Pool, outcomes: ItemIndexes, start: number, end: number): string[] {
  const items: string[] = new Array(end - start)
  for (let k = start; k < end; k++) items[k - start] = itemIds[outcomes[k]!]!
  return items
}
