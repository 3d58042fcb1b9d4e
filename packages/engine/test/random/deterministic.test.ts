import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deterministicRandom } from '../../src/random/deterministic.ts'

test('the words are those of the reference programs of xoshiro128** and splitmix64', () => {
  const random = deterministicRandom(42)
  const words = Array.from({ length: 100_000 }, () => random.next32())
  assert.deepEqual(words.slice(0, 4), [1776835114, 4165204688, 17111135, 2317295270])
  assert.equal(words.at(-1), 9066712)
})

test('every seed has its own words, negative ones too', () => {
  const firsts = [0, 1, 2, -1, Number.MAX_SAFE_INTEGER].map(seed => deterministicRandom(seed).next52())
  assert.equal(new Set(firsts).size, firsts.length)
})
