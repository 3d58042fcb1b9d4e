import type { Mode, Status } from '../contract/index.ts'
import { widthOf } from '../keys/outcome-width.ts'
import { retiredBytes, rulesBytes } from './heap-size.ts'
import type { Rules } from './manifest.ts'

/**
 * The live state of one pool: its present rules in columns, and how many units of each item were drawn. Whatever
 * follows from these (remaining, odds, samplers) is derived. Only state.ts changes a pool.
 */
export class Pool {
  /** Place in the log's list of pools; never reused. */
  readonly number: number
  readonly id: string
  version = 0
  status: Status = 'open'
  mode: Mode = 'weighted'
  itemIds: readonly string[] = []
  weights: Float64Array = new Float64Array(0)
  decimals = 0
  stock: Float64Array = new Float64Array(0)
  drawn: Float64Array = new Float64Array(0)
  fallback = -1
  lastOne = -1
  metadata = ''
  itemMetadata: string[] | null = null
  /** Draws in all, those of retired items included. */
  drawnTotal = 0
  /** Units that can still be drawn, the lastOne item apart; `Infinity` when an item is unlimited. */
  left = 0
  /** Of all weights, and of all finite stock. */
  weightSum = 0
  stockSum = 0
  /** Items that a later version left out, with what was drawn of them: coming back, they do not start afresh. */
  retired: Map<string, number> = new Map()
  /** See heap-size.ts. */
  heapBytes = 0

  constructor(number: number, id: string) {
    this.number = number
    this.id = id
  }
}

/** Bytes that one outcome of this pool takes in the log. */
export function outcomeWidth(pool: Pool): 1 | 2 | 4 {
  return widthOf(pool.itemIds.length)
}

/** Sets the sums that follow from the rest; where one item changes they are kept by difference. */
export function computeSums(pool: Pool): void {
  pool.left = 0
  pool.weightSum = 0
  pool.stockSum = 0
  for (let i = 0; i < pool.stock.length; i++) {
    const stock = pool.stock[i]!
    if (i !== pool.lastOne) pool.left += stock - pool.drawn[i]!
    if (stock !== Number.POSITIVE_INFINITY) pool.stockSum += stock
    pool.weightSum += pool.weights[i]!
  }
  pool.heapBytes = rulesBytes(pool) + retiredBytes(pool.retired)
}

/** How many units the pool's item ids have drawn, by id, those retired included. */
export function drawnById(pool: Pool): Map<string, number> {
  const byId = new Map(pool.retired)
  for (let i = 0; i < pool.itemIds.length; i++) {
    if (pool.drawn[i] !== 0) byId.set(pool.itemIds[i]!, pool.drawn[i]!)
  }
  return byId
}

/** The same of the items that these rules leave out. */
export function drawnOfRetired(pool: Pool, { itemIds }: Pick<Rules, 'itemIds'>): Map<string, number> {
  const drawn = drawnById(pool)
  for (const id of itemIds) drawn.delete(id)
  return drawn
}

/** Whether the rules say what the pool does already. */
export function sameRules(pool: Pool, rules: Rules): boolean {
  return (
    pool.mode === rules.mode &&
    pool.fallback === rules.fallback &&
    pool.lastOne === rules.lastOne &&
    pool.metadata === rules.metadata &&
    pool.itemIds.length === rules.itemIds.length &&
    sameWeights(pool, rules) &&
    pool.itemIds.every(
      (id, i) =>
        id === rules.itemIds[i] &&
        pool.stock[i] === rules.stock[i] &&
        (pool.itemMetadata?.[i] ?? '') === (rules.itemMetadata?.[i] ?? ''),
    )
  )
}

function sameWeights(pool: Pool, rules: Rules): boolean {
  // The number of decimals may differ where a reweight has raised it; the weights are then the same decimals.
  const [poolFactor, rulesFactor] = [
    10 ** -Math.min(0, pool.decimals - rules.decimals),
    10 ** Math.max(0, pool.decimals - rules.decimals),
  ]
  return pool.weights.every((weight, i) => weight * poolFactor === rules.weights[i]! * rulesFactor)
}
