import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import { deterministicRandom } from '../../src/random/deterministic.ts'
import { aliasColumns } from '../../src/sampler/alias-columns.ts'
import { AliasTable } from '../../src/sampler/alias-table.ts'
import { scriptedRandom } from '../random/scripted-random.ts'

const sum = (weights: Float64Array) => weights.reduce((total, weight) => total + weight, 0)

/** Weights of every shape whose sum is at most `most`. */
function weightsUpTo(most: number): fc.Arbitrary<Float64Array> {
  const sizes = fc.oneof(
    { weight: 3, arbitrary: fc.integer({ min: 1, max: 9 }) },
    fc.integer({ min: 10, max: 300 }),
  )
  const kinds = fc.constantFrom('any', 'equal', 'small', 'powers', 'one', 'extreme')
  return fc.tuple(sizes, kinds, fc.integer(), fc.boolean()).map(([size, kind, seed, full]) => {
    const random = deterministicRandom(seed)
    const each = Math.max(1, Math.floor(most / size))
    const weights = new Float64Array(size).map((_, i) => {
      if (kind === 'any') return random.below(each)
      if (kind === 'equal') return each
      if (kind === 'small') return Math.min(each, random.below(4))
      if (kind === 'powers') return Math.min(each, 2 ** random.below(50))
      if (kind === 'one') return i === seed % size ? each : 0
      return i === 0 ? Math.max(1, Math.floor(most / 2)) : 1
    })
    let left = most
    for (let i = 0; i < size; i++) left -= weights[i] = Math.min(left, weights[i]!)
    if (full || sum(weights) === 0) weights[random.below(size)]! += most - sum(weights)
    return weights
  })
}

const bounds = [1, 2, 4, 1000, 2 ** 12, 2 ** 12 + 1, 2 ** 16, 2 ** 28, 2 ** 28 + 1, 2 ** 32, 2 ** 49, 2 ** 50]
const anyWeights = fc.constantFrom(...bounds).chain(weightsUpTo)

/** Words that belong to each outcome by the columns, and so by whole-number sums that never pass 2^52. */
function massesOf({ bits, columnBits, entries }: ReturnType<typeof aliasColumns>): Float64Array {
  const capacity = 2 ** (bits - columnBits)
  const masses = new Float64Array(entries.length)
  for (let column = 0; column < entries.length; column++) {
    const alias = Math.floor(entries[column]! / capacity)
    const threshold = entries[column]! - alias * capacity
    masses[column]! += threshold
    masses[alias]! += capacity - threshold
  }
  return masses
}

suite('columns of an alias table', () => {
  function checkMasses(weights: Float64Array): void {
    const columns = aliasColumns(weights)
    const masses = massesOf(columns)
    const share = Math.floor(2 ** columns.bits / sum(weights))
    for (let item = 0; item < weights.length; item++) assert.equal(masses[item], share * weights[item]!)
    assert.equal(masses[weights.length], 2 ** columns.bits - share * sum(weights))
    assert.ok(masses.subarray(weights.length + 1).every(mass => mass === 0))
    assert.equal(entriesAreWhole(columns), true)
  }

  function entriesAreWhole({ bits, entries }: ReturnType<typeof aliasColumns>): boolean {
    return entries.every(entry => Number.isInteger(entry) && entry >= 0 && entry < 2 ** bits)
  }

  test('hold every item’s share of the words exactly', () => {
    fc.assert(fc.property(anyWeights, checkMasses), { seed: 1, numRuns: 3000 })
  })

  test('do so at the edges', () => {
    const edges = [
      [1],
      [2 ** 50],
      [0, 1, 0],
      [1, 2 ** 49],
      [2 ** 49, 1],
      [2 ** 49, 2 ** 49],
      [3, 3, 3],
      [1, 2, 4, 8],
    ]
    for (const weights of edges) checkMasses(Float64Array.from(weights))
    for (const bound of bounds.slice(1)) checkMasses(Float64Array.of(bound - 1, 0, 1))
  })

  test('do so for a million items', () => {
    const random = deterministicRandom(2)
    checkMasses(new Float64Array(2 ** 20 - 1).map(() => random.below(9)))
    checkMasses(new Float64Array(2 ** 20 - 1).fill(1))
    checkMasses(new Float64Array(1_000_000).map(() => random.below(2 ** 30)))
  })

  test('take the narrowest words that leave a sixteenth to reject at most', () => {
    const cases: [weights: Float64Array, bits: number][] = [
      [Float64Array.of(2 ** 12), 16],
      [Float64Array.of(2 ** 12, 1), 32],
      [Float64Array.of(2 ** 28), 32],
      [Float64Array.of(2 ** 28, 1), 52],
      [new Float64Array(2 ** 16 - 1).fill(1, 0, 9), 16],
      [new Float64Array(2 ** 16).fill(1, 0, 9), 32],
    ]
    for (const [weights, bits] of cases) assert.equal(aliasColumns(weights).bits, bits)
  })

  test('refuse weights that no table can hold', () => {
    for (const weights of [[], [0, 0], [2 ** 50, 1], [Number.NaN], [1.5, 1.5], [-1, 3]]) {
      assert.throws(() => new AliasTable(Float64Array.from(weights)), RangeError)
    }
    assert.throws(() => new AliasTable(new Float64Array(2 ** 20).fill(1)), RangeError)
  })
})

suite('picks of an alias table', () => {
  const allWords = new Uint16Array(2 ** 16).map((_, i) => i)

  function counted(items: number, picks: Iterable<number>): Float64Array {
    const counts = new Float64Array(items)
    for (const item of picks) counts[item]!++
    return counts
  }

  test('over all 2^16 words are every item’s share exactly, one by one and in bulk', () => {
    const weights = fc.constantFrom(1, 7, 100, 4095, 4096).chain(weightsUpTo)
    const property = fc.property(weights, weights => {
      const share = Math.floor(2 ** 16 / sum(weights))
      const expected = weights.map(weight => share * weight)
      const picks = share * sum(weights)
      const table = new AliasTable(weights)
      const bulk = new Uint16Array(picks)
      table.pickMany(scriptedRandom(allWords), bulk, 0, picks)
      assert.deepEqual(counted(weights.length, bulk), expected)
      const random = scriptedRandom(allWords)
      const single = Array.from({ length: picks }, () => table.pick(random))
      assert.deepEqual(counted(weights.length, single), expected)
    })
    fc.assert(property, { seed: 1, numRuns: 60 })
  })

  test('of 32 and 52 bits change from own item to alias exactly at each column’s threshold', () => {
    const weights = fc.constantFrom(2 ** 12 + 1, 2 ** 28, 2 ** 28 + 1, 2 ** 40, 2 ** 50).chain(weightsUpTo)
    const property = fc.property(weights, weights => {
      const { bits, columnBits, entries } = aliasColumns(weights)
      if (bits === 16) return
      const capacity = 2 ** (bits - columnBits)
      const script: number[] = []
      const expected: number[] = []
      for (let column = 0; column < entries.length; column++) {
        const alias = Math.floor(entries[column]! / capacity)
        const threshold = entries[column]! - alias * capacity
        for (const rest of [0, threshold - 1, threshold, capacity - 1]) {
          if (rest < 0) continue
          const word = column * capacity + rest
          if (bits === 32) script.push(word)
          // The bits that a pick of 52 does not use are set.
          else script.push(Math.floor(word / 2 ** 31) * 2 ** 11 + 2047, (word % 2 ** 31) * 2 + 1)
          const item = rest < threshold ? column : alias
          if (item !== weights.length) expected.push(item)
        }
      }
      const table = new AliasTable(weights)
      const random = scriptedRandom(Uint32Array.from(script))
      assert.deepEqual(
        expected.map(() => table.pick(random)),
        expected,
      )
      const bulk = new Uint32Array(expected.length)
      table.pickMany(scriptedRandom(Uint32Array.from(script)), bulk, 0, bulk.length)
      assert.deepEqual([...bulk], expected)
    })
    fc.assert(property, { seed: 1, numRuns: 300 })
  })

  test('in bulk are those that one by one would be, at any offset, whatever the width of the array', () => {
    const property = fc.property(
      anyWeights,
      fc.nat(50_000),
      fc.nat(9),
      fc.integer(),
      (weights, count, offset, seed) => {
        const table = new AliasTable(weights)
        const single = deterministicRandom(seed)
        const expected = Array.from({ length: count }, () => table.pick(single))
        for (const kind of [Uint8Array, Uint16Array, Uint32Array]) {
          if (kind === Uint8Array && weights.length > 256) continue
          const out = new kind(offset + count + 5).fill(99)
          const random = deterministicRandom(seed)
          table.pickMany(random, out, offset, count)
          assert.ok(expected.every((item, i) => out[offset + i] === item))
          assert.ok(out.subarray(0, offset).every(item => item === 99))
          assert.ok(out.subarray(offset + count).every(item => item === 99))
        }
      },
    )
    fc.assert(property, { seed: 1, numRuns: 40 })
  })

  test('in bulk refuse an array that cannot take them', () => {
    const table = new AliasTable(new Float64Array(257).fill(1))
    const random = deterministicRandom(1)
    assert.throws(() => table.pickMany(random, new Uint8Array(9), 0, 1), RangeError)
    assert.throws(() => table.pickMany(random, new Uint16Array(9), 5, 5), RangeError)
    table.pickMany(random, new Uint16Array(9), 9, 0)
  })
})
