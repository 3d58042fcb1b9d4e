import type { Receipt } from '@kuji/engine'
import type { Check } from '../check.ts'
import { binomial, cells, drawInBulk, inWaves, itemsOf } from '../check.ts'
import type { Pools } from '../pools.ts'

/** Chances while items run out, come back and are reweighed. */

const slots = 2_000
const request = 6

/** Draws `request` items at a time from pools whose item 0 has one unit, which comes back when it was drawn. */
async function drawAndRestock(
  pools: Pools,
  trials: number,
  manifest: { items: ReturnType<typeof itemsOf>; fallback?: string },
  see: (receipt: Receipt) => void,
): Promise<void> {
  for (let slot = 0; slot < slots; slot++) await pools.putPool({ id: `p${slot}`, ...manifest })
  const ask = async (trial: number): Promise<Receipt> => {
    const pool = `p${trial % slots}`
    const receipt = await pools.draw(pool, { count: request })
    if (receipt.items.includes('0')) await pools.updateItem(pool, '0', { restock: 1 })
    return receipt
  }
  await inWaves(trials, ask, see)
}

/** Places of the unit that are told apart, and numbers of item 1 that are. */
const places = 3
const most = 3

/**
 * Chances of the only unit, drawn with a half, to come at each of the first places, with so many of item 1 among the
 * others; the last cell is for all other places. `trials` and `chance` of item 1 are those of the others.
 */
function unitCells(trials: (place: number) => number, chance: number): number[] {
  const shares = Array.from({ length: places }, (_, place) => {
    const few = Array.from({ length: most }, (_, k) => binomial(k, trials(place), chance))
    const rest = 1 - few.reduce((sum, share) => sum + share, 0)
    return [...few, rest].map(share => 0.5 ** (place + 1) * share)
  })
  return [...shares.flat(), 0.5 ** places]
}

function unitCell(place: number, ones: number): number {
  return place < 0 || place >= places ? places * (most + 1) : place * (most + 1) + Math.min(most, ones)
}

function countOnes(items: readonly string[]): number {
  return items.filter(item => item === '1').length
}

/** Weights 5, 2 and 3; whatever item 0 does, the others are items 1 and 2 by 2 : 3. */
const oneUnit: Check = {
  name: 'one unit, restocked when it was drawn',
  counts: 'place of that unit among six draws, and item 1 among the others',
  of: 'the unit, at the first place',
  bias: 0.05,
  design: cells(
    unitCells(() => request - 1, 0.4),
    [0, 1, 2, 3],
  ),
  drawsPerTrial: request,
  async observe(pools, trials) {
    const counts = new Float64Array(places * (most + 1) + 1)
    const items = itemsOf([5, 2, 3], item => (item === 0 ? 1 : 'unlimited'))
    await drawAndRestock(pools, trials, { items }, ({ items: drawn }) => {
      counts[unitCell(drawn.indexOf('0'), countOnes(drawn))]!++
    })
    return counts
  },
}

/** Weights 50, 20 and 30, the last one the fallback: behind item 0 the odds are 0.2 and 0.8. */
const fallback: Check = {
  name: 'a fallback in place of what has run out',
  counts: 'place of the only unit among six draws, and item 1 behind it',
  of: 'the unit first, and the fallback ever after',
  bias: 0.08,
  design: cells(
    unitCells(place => request - 1 - place, 0.2),
    [0],
  ),
  drawsPerTrial: request,
  async observe(pools, trials) {
    const counts = new Float64Array(places * (most + 1) + 1)
    const items = itemsOf([50, 20, 30], item => (item === 0 ? 1 : 'unlimited'))
    await drawAndRestock(pools, trials, { items, fallback: '2' }, ({ items: drawn }) => {
      const place = drawn.indexOf('0')
      counts[unitCell(place, countOnes(drawn.slice(place + 1)))]!++
    })
    return counts
  },
}

/** Items 0 to 4 have half of the weight, without an end; item 5, of which there are a thousand, has the other half. */
const beforeEnd = [10, 20, 5, 14, 1, 50]

/** Draws from them once item 5 has run out. */
function drawnAfterEnd(
  name: string,
  shares: readonly number[],
  target: Pick<Check, 'of' | 'bias'> & { readonly item: number },
  more: { readonly fallback?: string },
): Check {
  return {
    ...{ name, counts: 'draws of each of the five others', of: target.of, bias: target.bias },
    design: cells(shares, [target.item]),
    drawsPerTrial: 1,
    async observe(pools, trials) {
      const items = itemsOf(beforeEnd, item => (item < 5 ? 'unlimited' : 1000))
      await pools.putPool({ id: 'p', items, ...more })
      // So many that all thousand are gone but for a chance of 10^-200.
      await pools.drawMany('p', 4000)
      const counts = new Float64Array(5)
      await drawInBulk(pools, 'p', trials, drawn => {
        for (let k = 0; k < drawn.length; k++) counts[drawn[k]!]!++
      })
      return counts
    },
  }
}

const afterEnd = drawnAfterEnd(
  'after an item has run out',
  [10, 20, 5, 14, 1],
  { of: 'the item of chance 0.2', item: 0, bias: 0.01 },
  {},
)

const fallbackAfterEnd = drawnAfterEnd(
  'after an item with a fallback has run out',
  [10, 70, 5, 14, 1],
  { of: 'the item of chance 0.1', item: 0, bias: 0.01 },
  { fallback: '1' },
)

/** Weights that item 0 has in turn, beside 1 and 2 of the others. */
const turns = [1, 0.5, 6]
const turnDraws = 20_000

const reweighed: Check = {
  name: 'reweighed again and again',
  counts: 'draws of each item under each of three weights of item 0',
  of: 'item 0, under each weight',
  bias: 0.01,
  design: cells(
    turns.flatMap(weight => [weight, 1, 2].map(share => share / (weight + 3))),
    [0, 3, 6],
    { strata: turns.length },
  ),
  drawsPerTrial: 1,
  async observe(pools, trials) {
    await pools.putPool({ id: 'p', items: itemsOf([3, 1, 2]) })
    const counts = new Float64Array(9)
    const each = Math.ceil(trials / turns.length)
    for (let done = 0; done < each; done += turnDraws) {
      for (const [turn, weight] of turns.entries()) {
        await pools.updateItem('p', '0', { weight })
        const { items } = await pools.drawMany('p', Math.min(turnDraws, each - done))
        for (let k = 0; k < items.length; k++) counts[3 * turn + items[k]!]!++
      }
    }
    return counts
  },
}

const largeItems = 3000
const groups = 10
const largeTurns = [300, 3000]

/**
 * A pool of 3,000 items draws through a tree after a change, until as many draws have come as it has items, which
 * does not happen here: item 7 changes again after 2,000.
 */
const largeChanges: Check = {
  name: 'live changes of a pool of 3,000 items',
  counts: 'draws of the item that changes, and of ten groups of the others, under each of two weights',
  of: 'the item that changes',
  bias: 0.015,
  design: cells(
    largeTurns.flatMap(weight =>
      [weight, ...Array.from({ length: groups }, (_, group) => groupSize(group))].map(
        share => share / (weight + largeItems - 1),
      ),
    ),
    [0, groups + 1],
    { strata: largeTurns.length },
  ),
  drawsPerTrial: 1,
  async observe(pools, trials) {
    await pools.putPool({ id: 'p', items: itemsOf(new Array(largeItems).fill(1)) })
    await pools.drawMany('p', 1)
    const counts = new Float64Array(largeTurns.length * (groups + 1))
    const each = Math.ceil(trials / largeTurns.length)
    for (let done = 0; done < each; done += 2000) {
      for (const [turn, weight] of largeTurns.entries()) {
        await pools.updateItem('p', '7', { weight })
        const { items } = await pools.drawMany('p', Math.min(2000, each - done))
        for (let k = 0; k < items.length; k++) {
          const item = items[k]!
          counts[turn * (groups + 1) + (item === 7 ? 0 : 1 + Math.floor((item * groups) / largeItems))]!++
        }
      }
    }
    return counts
  },
}

/** Items of a group, neighbours all, without the one that changes. */
function groupSize(group: number): number {
  return largeItems / groups - Number(group === 0)
}

/** Orders of four items as numbers of base 4, with their chances by weights 1 to 4 (Plackett and Luce). */
function drainOrders(): Map<string, number> {
  const orders = new Map<string, number>()
  const extend = (order: number[], chance: number): void => {
    const left = [0, 1, 2, 3].filter(item => !order.includes(item))
    const sum = left.reduce((total, item) => total + item + 1, 0)
    if (left.length === 0) orders.set(order.join(), chance)
    for (const item of left) extend([...order, item], (chance * (item + 1)) / sum)
  }
  extend([], 1)
  return orders
}

const orders = drainOrders()
const orderNames = [...orders.keys()]

const drained: Check = {
  name: 'one of each, drained by weight',
  counts: 'all 24 orders of four items',
  of: 'the heaviest item, first',
  bias: 0.07,
  design: cells(
    [...orders.values()],
    orderNames.flatMap((name, order) => (name.startsWith('3') ? [order] : [])),
  ),
  drawsPerTrial: 4,
  async observe(pools, trials) {
    await pools.putPool({ id: 'p', items: itemsOf([1, 2, 3, 4], () => 1) })
    const numbers = new Map(orderNames.map((name, order) => [name, order]))
    const counts = new Float64Array(orderNames.length)
    const ask = (): Promise<Receipt> => {
      const receipt = pools.draw('p', { count: 4 })
      const restocked = [0, 1, 2, 3].map(item => pools.updateItem('p', String(item), { restock: 1 }))
      return Promise.all(restocked).then(() => receipt)
    }
    await inWaves(trials, ask, ({ items }) => void counts[numbers.get(items.join())!]!++)
    return counts
  },
}

export const changedChecks: readonly Check[] = [
  afterEnd,
  fallbackAfterEnd,
  oneUnit,
  fallback,
  reweighed,
  largeChanges,
  drained,
]
