import type { ItemIndexes, Receipt } from '@kuji/engine'
import { deterministicRandom } from '../../../packages/engine/src/random/deterministic.ts'
import type { RandomWords } from '../../../packages/engine/src/random/random-words.ts'
import type { Cells, Places } from '../../src/statistics/design.ts'
import type { Pools } from '../../src/statistics/pools.ts'

const two52 = 2 ** 52

function unit(random: RandomWords): number {
  return random.next52() / two52
}

/** How many of `count` something hits that hits each with a small chance: it leaps from one to the next. */
function hits(count: number, chance: number, random: RandomWords): number {
  let hit = 0
  for (let at = 0; ; hit++) {
    at += 1 + Math.floor(Math.log(1 - unit(random)) / Math.log1p(-chance))
    if (at > count) return hit
  }
}

/**
 * Moves counts to the target's cells, each trial with the chance that makes the target's share too large by `bias`,
 * within each stratum. That is what would have been counted if the draws had it.
 */
export function biasedCounts(
  { chances, target, strata }: Cells,
  counts: Float64Array,
  bias: number,
  random: RandomWords,
): Float64Array {
  const moved = counts.slice()
  const size = chances.length / strata
  for (let stratum = 0; stratum < strata; stratum++) {
    const targets = target.filter(cell => Math.floor(cell / size) === stratum)
    if (targets.length === 0) continue
    const isTarget = new Set(targets)
    const largest = targets.reduce((most, cell) => Math.max(most, chances[cell]!), 0)
    const within = targets.reduce((sum, cell) => sum + chances[cell]! * strata, 0)
    // The target's part of all grows from p to p (1 + bias), so that the others lose p bias.
    const gone = (within * bias) / (1 - within)
    for (let cell = stratum * size; cell < (stratum + 1) * size; cell++) {
      if (isTarget.has(cell)) continue
      for (let left = hits(counts[cell]!, gone, random); left > 0; left--) {
        moved[cell]!--
        let to = targets[random.below(targets.length)]!
        while (unit(random) * largest >= chances[to]!) to = targets[random.below(targets.length)]!
        moved[to]!++
      }
    }
  }
  return moved
}

/** A count of something rare with what a chance too large by `bias` adds. */
export function biasedCount(
  chance: number,
  trials: number,
  count: number,
  bias: number,
  random: RandomWords,
): number {
  return count + hits(trials - count, (chance * bias) / (1 - chance), random)
}

/** Draws that are those of `pools`, except that each is the one before again with a chance of `correlation`. */
export function correlatedPools(pools: Pools, correlation: number, seed: number): Pools {
  const random = deterministicRandom(seed)
  let before = -1
  return {
    ...passedOn(pools),
    async drawMany(pool, count) {
      const receipt = await pools.drawMany(pool, count)
      const items: ItemIndexes = receipt.items.slice()
      for (let k = 0; k < items.length; k++) {
        if (before >= 0 && unit(random) < correlation) items[k] = before
        before = items[k]!
      }
      return { ...receipt, items, itemIds: receipt.itemIds, counts: receipt.counts }
    },
  }
}

/** Drains in which tickets of item 0 are swapped into the first part, so often that it has too many by `bias`. */
export function earlyPools(
  pools: Pools,
  { items, parts, tickets }: Places,
  bias: number,
  seed: number,
): Pools {
  const random = deterministicRandom(seed)
  const length = tickets / parts
  const expected = tickets / (items * parts)
  const swap = (receipt: Receipt): Receipt => {
    const drawn = [...receipt.items]
    const outside = drawn.flatMap((item, place) => (place >= length && item === '0' ? [place] : []))
    const inside = drawn.flatMap((item, place) => (place < length && item !== '0' ? [place] : []))
    if (outside.length === 0 || inside.length === 0) return receipt
    const from = outside[random.below(outside.length)]!
    const to = inside[random.below(inside.length)]!
    ;[drawn[from], drawn[to]] = [drawn[to]!, drawn[from]!]
    return { ...receipt, items: drawn }
  }
  // Where the first part is one place, it has item 0 already in one drain of `items`.
  const possible = length === 1 ? 1 - 1 / items : 1
  return {
    ...passedOn(pools),
    async draw(pool, options) {
      const receipt = await pools.draw(pool, options)
      return unit(random) < (bias * expected) / possible ? swap(receipt) : receipt
    },
  }
}

function passedOn(pools: Pools): Pools {
  return {
    putPool: (...args) => pools.putPool(...args),
    updateItem: (...args) => pools.updateItem(...args),
    draw: (...args) => pools.draw(...args),
    drawMany: (...args) => pools.drawMany(...args),
    close: () => pools.close(),
  }
}
