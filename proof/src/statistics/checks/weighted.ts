import type { Check } from '../check.ts'
import { cells, drawInBulk, itemsOf } from '../check.ts'
import type { Cells, Rare } from '../design.ts'

/** Chances of pools of many shapes, drawn in bulk. */

interface Shape {
  readonly name: string
  readonly weights: readonly number[]
  readonly design: Cells
  readonly of: string
  readonly bias: number
}

function shaped({ name, weights, design, of, bias }: Shape): Check {
  return {
    ...{ name, design, of, bias, counts: 'draws of each item', drawsPerTrial: 1 },
    async observe(pools, trials) {
      await pools.putPool({ id: 'p', items: itemsOf(weights) })
      const counts = new Float64Array(weights.length)
      await drawInBulk(pools, 'p', trials, items => {
        for (let k = 0; k < items.length; k++) counts[items[k]!]!++
      })
      return counts
    },
  }
}

function rare(name: string, weights: readonly [number, number], bias: number): Check {
  const design: Rare = { kind: 'rare', chance: weights[0] / (weights[0] + weights[1]) }
  return {
    ...{ name, design, bias, of: 'that item, too often', counts: 'draws of the rare item', drawsPerTrial: 1 },
    async observe(pools, trials) {
      await pools.putPool({ id: 'p', items: itemsOf(weights) })
      let count = 0
      await drawInBulk(pools, 'p', trials, items => {
        for (let k = 0; k < items.length; k++) count += Number(items[k] === 0)
      })
      return Float64Array.of(count)
    },
  }
}

/** Three scales of the same odds, which take random words of three widths. */
const sixes: readonly [name: string, weights: readonly number[]][] = [
  ['six items, 16 random bits', [10, 20, 5, 50, 14, 1]],
  ['six items, 32 random bits', [100_000, 200_000, 50_000, 500_000, 140_000, 10_001]],
  ['six items, nine decimals: 52 random bits', [0.1, 0.2, 0.05, 0.5, 0.14, 0.010000001]],
]
const unequal = Array.from({ length: 300 }, (_, item) => Math.ceil(30_000 / (item + 1)))
const many = Array.from({ length: 70_000 }, (_, item) => 1 + (item % 7))
const firstHalf = Array.from({ length: many.length / 2 }, (_, item) => item)

export const weightedChecks: readonly Check[] = [
  shaped({
    name: 'two equal items',
    weights: [1, 1],
    design: cells([1, 1], [0]),
    of: 'either item',
    bias: 0.003,
  }),
  ...sixes.map(([name, weights]) =>
    shaped({ name, weights, design: cells(weights, [0]), of: 'the item of chance 0.1', bias: 0.01 }),
  ),
  shaped({
    name: '300 items of very unequal weight',
    weights: unequal,
    design: cells(unequal, [0], { statistic: 'G' }),
    of: 'the item of chance 0.16',
    bias: 0.015,
  }),
  shaped({
    name: '70,000 items',
    weights: many,
    design: cells(many, firstHalf),
    of: 'the first half of the items',
    bias: 0.02,
  }),
  rare('an item of 1 in 100,000', [1, 99_999], 0.5),
  rare('an item of 1 in 1,000,000,001', [0.000000001, 1], 400),
]
