import type { ItemState, Json, PoolState, PoolSummary, Stock } from '../contract/index.ts'
import type { Pool } from './pool.ts'
import { unscaleWeight } from './weight.ts'

function toStock(units: number): Stock {
  return units === Number.POSITIVE_INFINITY ? 'unlimited' : units
}

/**
 * The chance of each item to be the next draw, 0 to 1; all 0 when the pool is empty. Pausing does not change it.
 * An item that has run out gives its share to the fallback while that is in stock, to the others in proportion
 * otherwise. The lastOne item is never drawn by chance.
 */
function computeOdds(pool: Pool): Float64Array {
  const odds = new Float64Array(pool.itemIds.length)
  const inStock = (item: number): boolean => pool.stock[item]! > pool.drawn[item]!
  let total = 0
  for (let i = 0; i < odds.length; i++) {
    if (i === pool.lastOne || !inStock(i)) continue
    odds[i] = pool.mode === 'urn' ? pool.stock[i]! - pool.drawn[i]! : pool.weights[i]!
    total += odds[i]!
  }
  const fallback = pool.fallback
  if (fallback >= 0 && inStock(fallback)) {
    for (let i = 0; i < odds.length; i++) {
      if (inStock(i)) continue
      odds[fallback]! += pool.weights[i]!
      total += pool.weights[i]!
    }
  }
  if (total > 0) for (let i = 0; i < odds.length; i++) odds[i]! /= total
  return odds
}

/** A pool with its live numbers, as the public surface shows it. */
export function describePool(pool: Pool): PoolState {
  const odds = computeOdds(pool)
  const items: ItemState[] = new Array(pool.itemIds.length)
  for (let i = 0; i < items.length; i++) {
    const stock = pool.stock[i]!
    const drawn = pool.drawn[i]!
    const metadata = pool.itemMetadata?.[i] ?? ''
    items[i] = {
      id: pool.itemIds[i]!,
      ...(pool.mode === 'weighted' ? { weight: unscaleWeight(pool.weights[i]!, pool.decimals) } : {}),
      stock: toStock(stock),
      remaining: toStock(stock - drawn),
      held: 0,
      drawn,
      odds: odds[i]!,
      ...(metadata === '' ? {} : { metadata: JSON.parse(metadata) as Json }),
    }
  }
  return {
    id: pool.id,
    version: pool.version,
    mode: pool.mode,
    status: pool.status,
    drawn: pool.drawnTotal,
    ...(pool.fallback >= 0 ? { fallback: pool.itemIds[pool.fallback]! } : {}),
    ...(pool.lastOne >= 0 ? { lastOne: pool.itemIds[pool.lastOne]! } : {}),
    ...(pool.metadata === '' ? {} : { metadata: JSON.parse(pool.metadata) as Json }),
    items,
  }
}

/** A pool as it stands in a list. */
export function summarisePool(pool: Pool): PoolSummary {
  return {
    id: pool.id,
    version: pool.version,
    mode: pool.mode,
    status: pool.status,
    drawn: pool.drawnTotal,
    items: pool.itemIds.length,
    remaining: toStock(pool.left),
  }
}
