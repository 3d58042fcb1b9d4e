import type { Receipt } from '@kuji/engine'
import type { Check } from '../check.ts'
import { cells, inWaves, itemsOf } from '../check.ts'

/** Draws as requests: one by one, with keys, several at once, from two pools in turn. */

const weights = [10, 20, 5, 50, 14, 1]
const chances = weights.map(weight => weight / 100)
const pairChances = chances.flatMap(first => chances.map(second => first * second))
/** The pair of one item twice, for each item: what a draw that depends on the one before shows in. */
const twice = chances.map((_, item) => item * chances.length + item)

const single: Check = {
  name: 'single draws',
  counts: 'items of two draws that follow each other',
  of: 'an item twice in a row',
  bias: 0.02,
  design: cells(pairChances, twice),
  drawsPerTrial: 2,
  async observe(pools, trials) {
    await pools.putPool({ id: 'p', items: itemsOf(weights) })
    const counts = new Float64Array(pairChances.length)
    let before = 0
    const ask = (): Promise<Receipt> => pools.draw('p')
    await inWaves(2 * trials, ask, ({ items: [item] }, draw) => {
      if (draw % 2 === 0) before = Number(item)
      else counts[before * chances.length + Number(item)]!++
    })
    return counts
  },
}

const keyed: Check = {
  name: 'draws with a key',
  counts: "items by the key's last digit",
  of: 'the item of chance 0.1',
  bias: 0.06,
  design: cells(
    new Array(10).fill(chances).flat(),
    Array.from({ length: 10 }, (_, digit) => 6 * digit),
    {
      strata: 10,
    },
  ),
  drawsPerTrial: 1,
  async observe(pools, trials) {
    await pools.putPool({ id: 'p', items: itemsOf(weights) })
    const counts = new Float64Array(60)
    const ask = (trial: number): Promise<Receipt> => pools.draw('p', { key: `order-${trial}` })
    await inWaves(trials, ask, ({ items: [item] }, trial) => void counts[6 * (trial % 10) + Number(item)]!++)
    return counts
  },
}

const places: Check = {
  name: 'requests of ten draws',
  counts: 'items at each place of the request',
  of: 'the item of chance 0.1, at one place',
  bias: 0.05,
  design: cells(new Array(10).fill(chances).flat(), [0], { strata: 10 }),
  drawsPerTrial: 1,
  async observe(pools, trials) {
    await pools.putPool({ id: 'p', items: itemsOf(weights) })
    const counts = new Float64Array(60)
    const ask = (): Promise<Receipt> => pools.draw('p', { count: 10 })
    await inWaves(Math.ceil(trials / 10), ask, ({ items }) => {
      for (let place = 0; place < 10; place++) counts[6 * place + Number(items[place])]!++
    })
    return counts
  },
}

const inTurn: Check = {
  name: 'two pools in turn',
  counts: 'the item of one pool and the item of the other that was drawn next',
  of: 'the same item in both',
  bias: 0.02,
  design: cells(pairChances, twice),
  drawsPerTrial: 2,
  async observe(pools, trials) {
    for (const id of ['p', 'q']) await pools.putPool({ id, items: itemsOf(weights) })
    const counts = new Float64Array(pairChances.length)
    let before = 0
    const ask = (draw: number): Promise<Receipt> => pools.draw(draw % 2 === 0 ? 'p' : 'q')
    await inWaves(2 * trials, ask, ({ items: [item] }, draw) => {
      if (draw % 2 === 0) before = Number(item)
      else counts[before * chances.length + Number(item)]!++
    })
    return counts
  },
}

export const requestChecks: readonly Check[] = [single, keyed, places, inTurn]
