import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { deterministicRandom } from '../../src/random/deterministic.ts'
import { AliasTable } from '../../src/sampler/alias-table.ts'
import { TicketTree } from '../../src/sampler/ticket-tree.ts'

/*
 * The exact tests beside this one prove the samplers word by word; these look at the whole from outside.
 * Seeds are fixed. Each test fails at p < 10^-6 (alpha) and is large enough to see the bias it names with
 * power 0.999: then Pearson's statistic is chi-square with a non-centrality of draws · Σ (p' - p)² / p, which
 * must be at least 77.5 for 5 degrees of freedom and 86.1 for 9.
 */

/** Quantiles 1 - 10^-6 of the chi-square distribution by degrees of freedom. */
const critical = { 5: 35.888, 9: 44.811 }

function chiSquare(observed: ArrayLike<number>, expected: ArrayLike<number>): number {
  let statistic = 0
  for (let i = 0; i < expected.length; i++) statistic += (observed[i]! - expected[i]!) ** 2 / expected[i]!
  return statistic
}

suite('odds over many draws', () => {
  // A bias of 1 % of an item with p = 0.1, at the expense of the others: 1.11·10^-5 a draw, 89 in 8 M draws.
  for (const [bits, scale] of [
    [16, 1],
    [32, 10_000],
    [52, 10 ** 12],
  ] as const) {
    test(`of an alias table of ${bits} bits follow the weights`, () => {
      const chances = [0.1, 0.2, 0.05, 0.5, 0.14, 0.01]
      const draws = 8_000_000
      const table = new AliasTable(Float64Array.from(chances, chance => Math.round(chance * 100) * scale))
      const out = new Uint8Array(100_000)
      const counts = new Float64Array(6)
      const random = deterministicRandom(4)
      for (let drawn = 0; drawn < draws; drawn += out.length) {
        table.pickMany(random, out, 0, out.length)
        for (const item of out) counts[item]!++
      }
      const expected = chances.map(chance => chance * draws)
      const statistic = chiSquare(counts, expected)
      assert.ok(statistic < critical[5], `chi-square ${statistic} of ${counts}`)
    })
  }

  test('of an urn put its one special ticket at every position alike', () => {
    // A bias of 2 % of one of ten positions: 4.44·10^-5 an urn, 89 in 2 M urns.
    const urns = 2_000_000
    const positions = new Float64Array(10)
    const random = deterministicRandom(5)
    const tree = new TicketTree(Float64Array.of(4, 1, 5))
    for (let urn = 0; urn < urns; urn++) {
      const taken = [0, 0, 0]
      let position = 0
      for (;;) {
        const item = tree.take(random)
        taken[item]!++
        if (item === 1) break
        position++
      }
      positions[position]!++
      for (let item = 0; item < 3; item++) tree.add(item, taken[item]!)
    }
    const statistic = chiSquare(positions, new Float64Array(10).fill(urns / 10))
    assert.ok(statistic < critical[9], `chi-square ${statistic} of ${positions}`)
  })

  test('of an urn are hypergeometric, and not binomial', () => {
    // Ten draws of 30 tickets of which 12 are red. A chance of red 1 % too high moves the mean by 0.04, with
    // a standard deviation of 1.29: about 9.7·10^-4 an urn, 194 in 200,000 urns; half as much would do.
    const urns = 200_000
    const observed = new Float64Array(10)
    const random = deterministicRandom(6)
    for (let urn = 0; urn < urns; urn++) {
      const tree = new TicketTree(new Float64Array(30).fill(1))
      let red = 0
      for (let draw = 0; draw < 10; draw++) if (tree.take(random) < 12) red++
      observed[Math.min(red, 9)]!++
    }
    const binomial = merged(red => choose(10, red) * 0.4 ** red * 0.6 ** (10 - red))
    const hypergeometric = merged(red => (choose(12, red) * choose(18, 10 - red)) / choose(30, 10))
    const statistic = chiSquare(observed, hypergeometric)
    assert.ok(statistic < critical[9], `chi-square ${statistic} of ${observed}`)
    assert.ok(chiSquare(observed, binomial) > 100 * critical[9])

    /** Urns expected by number of red tickets; ten is too rare for a class of its own. */
    function merged(chance: (red: number) => number): number[] {
      return Array.from({ length: 10 }, (_, red) => urns * (chance(red) + (red === 9 ? chance(10) : 0)))
    }
  })
})

function choose(n: number, k: number): number {
  let ways = 1
  for (let i = 1; i <= k; i++) ways = (ways * (n - k + i)) / i
  return ways
}
