import type { Check } from '../check.ts'
import { cells, drawInBulk, itemsOf } from '../check.ts'

/** Draws that know nothing of those before them, in one long bulk series. */

const weights = [10, 20, 5, 50, 14, 1]
const chances = weights.map(weight => weight / 100)
const items = itemsOf(weights)

const pairs: Check = {
  name: 'pairs',
  counts: 'items of draws 1 and 2, 3 and 4 …',
  of: 'an item twice in a row',
  bias: 0.01,
  design: cells(
    chances.flatMap(first => chances.map(second => first * second)),
    chances.map((_, item) => 7 * item),
  ),
  drawsPerTrial: 2,
  async observe(pools, trials) {
    await pools.putPool({ id: 'p', items })
    const counts = new Float64Array(36)
    await drawInBulk(pools, 'p', 2 * trials, drawn => {
      for (let k = 0; k + 1 < drawn.length; k += 2) counts[6 * drawn[k]! + drawn[k + 1]!]!++
    })
    return counts
  },
}

const lagCount = 16
/** What stands for an item in the series: mean 0, variance 1. */
const mean = chances.reduce((sum, chance, item) => sum + chance * item, 0)
const deviation = Math.sqrt(chances.reduce((sum, chance, item) => sum + chance * (item - mean) ** 2, 0))
const scores = chances.map((_, item) => (item - mean) / deviation)

const lags: Check = {
  name: 'correlations at lags of 1 to 16',
  counts: 'products of the numbers of items, so many draws apart',
  of: 'one correlation',
  bias: 0.005,
  design: { kind: 'lags', lags: lagCount },
  drawsPerTrial: 1,
  async observe(pools, trials) {
    await pools.putPool({ id: 'p', items })
    const sums = new Float64Array(lagCount)
    const last = new Float64Array(lagCount)
    let at = 0
    await drawInBulk(pools, 'p', trials + lagCount, drawn => {
      for (let k = 0; k < drawn.length; k++, at++) {
        const score = scores[drawn[k]!]!
        if (at >= lagCount)
          for (let lag = 0; lag < lagCount; lag++)
            sums[lag]! += score * last[(at - 1 - lag) & (lagCount - 1)]!
        last[at & (lagCount - 1)] = score
      }
    })
    return sums.map(sum => sum / Math.sqrt(trials))
  },
}

const longestGap = 60
const gaps: Check = {
  name: 'gaps',
  counts: 'draws between one of item 0 and the next',
  of: 'no gap at all',
  bias: 0.02,
  design: cells(
    Array.from({ length: longestGap + 1 }, (_, gap) => 0.9 ** gap * (gap < longestGap ? 0.1 : 1)),
    [0],
  ),
  drawsPerTrial: 10,
  async observe(pools, trials) {
    await pools.putPool({ id: 'p', items })
    const counts = new Float64Array(longestGap + 1)
    let [seen, gap] = [-1, 0]
    while (seen < trials) {
      await drawInBulk(pools, 'p', Math.max(1000, 10 * (trials - seen)), drawn => {
        for (let k = 0; k < drawn.length && seen < trials; k++) {
          if (drawn[k] !== 0) {
            gap++
            continue
          }
          // The first one only begins the first gap.
          if (seen++ >= 0) counts[Math.min(longestGap, gap)]!++
          gap = 0
        }
      })
    }
    return counts
  },
}

const longestRun = 14
const runs: Check = {
  name: 'runs',
  counts: 'draws in a row that are, and that are not, of item 3, whose chance is a half',
  of: 'runs of one',
  bias: 0.01,
  design: cells(
    [0, 1].flatMap(() =>
      Array.from({ length: longestRun }, (_, k) => 0.5 ** (k + 1) * (k < longestRun - 1 ? 1 : 2)),
    ),
    [0, longestRun],
    { strata: 2 },
  ),
  drawsPerTrial: 2,
  async observe(pools, trials) {
    await pools.putPool({ id: 'p', items })
    const counts = new Float64Array(2 * longestRun)
    let [seen, length, kind] = [-1, 0, 0]
    // As many runs of either kind, since they take turns.
    const wanted = trials + (trials % 2)
    while (seen < wanted) {
      await drawInBulk(pools, 'p', Math.max(1000, 2 * (wanted - seen)), drawn => {
        for (let k = 0; k < drawn.length && seen < wanted; k++) {
          const next = Number(drawn[k] === 3)
          if (next === kind) {
            length++
            continue
          }
          // Where the series begins is in the midst of a run.
          if (seen++ >= 0) counts[kind * longestRun + Math.min(longestRun, length) - 1]!++
          kind = next
          length = 1
        }
      })
    }
    return counts
  },
}

export const serialChecks: readonly Check[] = [pairs, lags, gaps, runs]
