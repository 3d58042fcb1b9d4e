import type {
  Code,
  DrawManyReceipt,
  ErrorFields,
  ItemIndexes,
  ItemUpdate,
  PoolState,
  PoolSummary,
  PutResult,
  Receipt,
  Status,
} from '../contract/index.ts'
import { KujiError, limits } from '../contract/index.ts'
import { invalid } from '../pool/check.ts'
import { describePool, summarisePool } from '../pool/describe.ts'
import type { Rules } from '../pool/manifest.ts'
import { checkWeightSum } from '../pool/manifest.ts'
import type { Pool } from '../pool/pool.ts'
import { drawnById, outcomeWidth, sameRules } from '../pool/pool.ts'
import type { ItemChange, State } from '../pool/state.ts'
import { applyDelete, applyDraws, applyItemChange, applyPut, applyStatus } from '../pool/state.ts'
import { countDecimals, rescaleFactor, scaleWeight } from '../pool/weight.ts'
import type { RandomWords } from '../random/random-words.ts'
import type { BatchBuilder } from '../record/batch-builder.ts'
import type { Chooser } from '../sampler/chooser.ts'
import { createChooser } from '../sampler/chooser.ts'

/** Pools up to this size share the items of single receipts. */
const sharedItems = 4096

/**
 * Deciding: looks at the state, the time and chance, puts the outcome into the batch as a record, and has it applied.
 * A refusal is a value: nothing was changed and no draw number was used. They come in this order: POOL_NOT_FOUND,
 * POOL_CLOSED, POOL_PAUSED, POOL_EMPTY, INSUFFICIENT_STOCK, and for an item ITEM_NOT_FOUND after the pool's own.
 */
export class Decider {
  readonly #state: State
  readonly #random: RandomWords
  /** By pool number; derived, so made when first needed. */
  readonly #choosers: (Chooser | undefined)[] = []
  readonly #indexes: (Map<string, number> | undefined)[] = []
  readonly #singles: ((readonly string[])[] | undefined)[] = []

  constructor(state: State, random: RandomWords) {
    this.#state = state
    this.#random = random
  }

  draw(batch: BatchBuilder, id: string, count: number, partial: boolean, at: number): Receipt | KujiError {
    const pool = this.#state.pools.get(id)
    const taken = pool === undefined ? poolNotFound(id) : this.#grant(pool, count, partial)
    if (typeof taken !== 'number') return taken
    const first = this.#state.drawNumber + 1
    const { itemIds, version } = pool!
    if (taken === 1 && pool!.lastOne < 0) {
      const start = this.#choose(batch, pool!, 1)
      return makeReceipt(first, id, this.#single(pool!, batch.outcomes[start]!), version, at)
    }
    const outcomes = this.#drawAll(batch, pool!, taken)
    const items: string[] = new Array(outcomes.length)
    for (let k = 0; k < outcomes.length; k++) items[k] = itemIds[outcomes[k]!]!
    return makeReceipt(first, id, items, version, at)
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
    const items = this.#drawAll(batch, pool!, taken).slice()
    return new BulkReceipt(first, id, items, itemIds, version, at)
  }

  /** The items of a receipt for one draw: frozen and shared, which saves an eighth of a draw's memory. */
  #single(pool: Pool, item: number): readonly string[] {
    const id = pool.itemIds[item]!
    if (pool.itemIds.length > sharedItems) return [id]
    const shared = (this.#singles[pool.number] ??= [])
    return (shared[item] ??= Object.freeze([id]))
  }

  /** Draws `count`, and the lastOne item where the last ticket is among them. Returns a view of the outcomes. */
  #drawAll(batch: BatchBuilder, pool: Pool, count: number): ItemIndexes {
    const width = outcomeWidth(pool)
    const extra =
      pool.lastOne >= 0 && count === pool.left && pool.stock[pool.lastOne]! > pool.drawn[pool.lastOne]!
    const start = batch.openRun(pool.number, width, count + 1)
    for (let done = 0; done < count; ) done += this.#chooseSome(batch, pool, start + done, count - done)
    if (!extra) return batch.outcomes.subarray(start, start + count)
    const outcomes = batch.outcomes
    outcomes[start + count] = pool.lastOne
    batch.addDraws(1)
    applyDraws(this.#state, pool, outcomes, start + count, 1)
    return outcomes.subarray(start, start + count + 1)
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
    if (existing === undefined) {
      if (this.#state.pools.size >= limits.pools) return refuse('TOO_LARGE', `at most ${limits.pools} pools`)
      const number = this.#state.byNumber.length
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

  /** Bytes that a draw may add to a batch, the lastOne item included. */
  drawBytes(id: string, count: number): number {
    const pool = this.#state.pools.get(id)
    return pool === undefined ? 0 : (count + 1) * outcomeWidth(pool)
  }
}

function makeReceipt(
  id: number,
  pool: string,
  items: readonly string[],
  version: number,
  at: number,
): Receipt {
  return { id, pool, items, version, at, replayed: false }
}

// A field that has held nothing but large numbers gets a box of its own for each one, 16 bytes a receipt. A field that
// has once held something else takes the box it is given: the same one for all receipts of a batch.
makeReceipt(0, '', [], 0, undefined as unknown as number)

/** A bulk receipt; counting waits until somebody asks. */
class BulkReceipt implements DrawManyReceipt {
  readonly id: number
  readonly pool: string
  readonly items: ItemIndexes
  readonly itemIds: readonly string[]
  readonly version: number
  readonly at: number
  readonly replayed = false
  #counts: Float64Array | null = null

  constructor(
    id: number,
    pool: string,
    items: ItemIndexes,
    itemIds: readonly string[],
    version: number,
    at: number,
  ) {
    this.id = id
    this.pool = pool
    this.items = items
    this.itemIds = itemIds
    this.version = version
    this.at = at
  }

  get counts(): Float64Array {
    if (this.#counts === null) {
      this.#counts = new Float64Array(this.itemIds.length)
      for (let k = 0; k < this.items.length; k++) this.#counts[this.items[k]!]!++
    }
    return this.#counts
  }
}

/** How many of `count` draws the pool gives, or its refusal. */
function grantDraws(pool: Pool, count: number, partial: boolean): number | KujiError {
  if (pool.status !== 'open') {
    if (pool.status === 'closed') return poolClosed(pool)
    return refuse('POOL_PAUSED', `pool "${pool.id}" is paused`, { pool: pool.id })
  }
  if (count <= pool.left) return count
  if (pool.left === 0) return refuse('POOL_EMPTY', `nothing is left in pool "${pool.id}"`, { pool: pool.id })
  if (partial) return pool.left
  const fields = { pool: pool.id, requested: count, remaining: pool.left }
  return refuse(
    'INSUFFICIENT_STOCK',
    `pool "${pool.id}" holds ${pool.left} units, ${count} were asked for`,
    fields,
  )
}

/** Whether a new manifest leaves an item less stock than was drawn of it. */
function findShortage(pool: Pool, rules: Rules): KujiError | null {
  const drawn = drawnById(pool)
  for (let i = 0; i < rules.itemIds.length; i++) {
    const id = rules.itemIds[i]!
    const taken = drawn.get(id) ?? 0
    if (rules.stock[i]! < taken) {
      return invalid(
        `items[${i}].stock`,
        `${rules.stock[i]} is less than the ${taken} of "${id}" already drawn`,
      )
    }
    drawn.delete(id)
  }
  if (drawn.size + rules.itemIds.length <= limits.items) return null
  return refuse('TOO_LARGE', `at most ${limits.items} items, those that earlier versions had included`)
}

function decideItemChange(pool: Pool, item: number, update: ItemUpdate): ItemChange | KujiError {
  const restock = update.restock ?? 0
  if (restock > 0) {
    if (pool.stock[item] === Number.POSITIVE_INFINITY) return invalid('restock', 'the item is unlimited')
    if (pool.stockSum + restock > limits.stock)
      return invalid('restock', `expected at most ${limits.stock} units of stock in all`)
  }
  if (update.weight === undefined) return { item, restock, weight: -1, decimals: pool.decimals }
  if (pool.mode === 'urn') return invalid('weight', 'an urn has no weights')
  if (update.weight === 0 && item !== pool.fallback) return invalid('weight', 'expected a number above 0')
  const decimals = Math.max(pool.decimals, countDecimals(update.weight))
  const factor = rescaleFactor(pool.decimals, decimals)
  const weight = scaleWeight(update.weight, decimals)
  try {
    checkWeightSum((pool.weightSum - pool.weights[item]!) * factor + weight, decimals)
  } catch (error) {
    return error as KujiError
  }
  return { item, restock, weight, decimals }
}

/** Why a change that was made for one version of a pool does not apply to it as it is. */
function findConflict(id: string, pool: Pool | undefined, ifVersion: number): KujiError | null {
  const version = pool?.version ?? 0
  if (ifVersion < 0 || version === ifVersion) return null
  const is = pool === undefined ? `there is no pool "${id}"` : `pool "${id}" has version ${version}`
  const meant = ifVersion === 0 ? 'a pool that does not exist' : `version ${ifVersion}`
  return refuse('VERSION_CONFLICT', `${is}, the change was made for ${meant}`, { pool: id, version })
}

function poolNotFound(id: string): KujiError {
  return refuse('POOL_NOT_FOUND', `there is no pool "${id}"`, { pool: id })
}

function poolClosed(pool: Pool): KujiError {
  return refuse('POOL_CLOSED', `pool "${pool.id}" is closed`, { pool: pool.id })
}

/** A refusal is an everyday answer: it carries no stack, which would name our loop and cost more than a draw. */
export function refuse(code: Code, message: string, fields: ErrorFields = {}): KujiError {
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = 0
  try {
    return new KujiError(code, message, fields)
  } finally {
    Error.stackTraceLimit = stackTraceLimit
  }
}
