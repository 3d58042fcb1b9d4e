import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readSection, readTable, readText } from '../../test/support/repository.ts'
import type { History, Rule } from '../src/history/index.ts'
import { checkHistory, rules } from '../src/history/index.ts'
import {
  drawn,
  logOf,
  lost,
  operation,
  put,
  refused,
  restock,
  setStatus,
  shown,
} from './support/operations.ts'
import { wrongHistories } from './support/wrong-histories.ts'

const never = Number.POSITIVE_INFINITY
const start = put([0, 0], 'a:* b:5')

function rulesBroken(history: History): Rule[] {
  return [...new Set(checkHistory(history).map(({ rule }) => rule))]
}

const right: Record<string, History> = {
  'nothing at all': { operations: [] },
  'draws one after another': {
    operations: [start, drawn([1, 2], 1, 'a'), drawn([3, 4], 2, 'b a'), drawn([5, 6], 4, 'a')],
    log: logOf('a b a a'),
  },
  'draws at the same time, in any order': {
    operations: [start, drawn([1, 9], 2, 'a'), drawn([2, 8], 1, 'a'), drawn([3, 7], 3, 'b')],
  },
  'a key that is asked again while it is under way, and after': {
    operations: [
      start,
      drawn([1, 9], 1, 'b', { key: 'k', replayed: true, at: 5 }),
      drawn([2, 3], 1, 'b', { key: 'k', replayed: false, at: 5 }),
      drawn([20, 21], 2, 'a', { at: 7 }),
      drawn([30, 31], 1, 'b', { key: 'k', replayed: true, at: 5 }),
      refused([32, 33], 'KEY_CONFLICT', { key: 'k', count: 2 }),
    ],
    log: logOf('k=b', 'a'),
  },
  'an attempt of unknown outcome that made the draw, found by asking again': {
    operations: [
      start,
      lost([1, 2], { key: 'k' }),
      drawn([3, 4], 2, 'a'),
      drawn([5, 6], 1, 'b', { key: 'k', replayed: true }),
    ],
  },
  'attempts of unknown outcome, of which some took place': {
    operations: [
      start,
      drawn([1, 2], 1, 'a'),
      lost([3, 9], { count: 3 }),
      lost([3, 9], { count: 2 }),
      lost([3, 9], { count: 2 }),
      lost([3, 9], { key: 'k', count: 2 }),
      lost([3, 9], { key: 'l' }),
      drawn([10, 11], 9, 'a'),
    ],
    log: logOf('a b a', 'k=b a', 'a a b a'),
  },
  'attempts of unknown outcome that fit in one way alone': {
    operations: [
      start,
      lost([1, 5], { count: 2 }),
      lost([6, 9]),
      lost([6, 9], { count: 2, partial: true }),
      drawn([10, 11], 6, 'a'),
      lost([12, never], { count: 3 }),
    ],
    log: logOf('a a a a a a'),
  },
  'one that takes what is left, and one that finds nothing': {
    operations: [
      put([0, 0], 'a:3'),
      drawn([1, 2], 1, 'a a'),
      refused([2, 3], 'INSUFFICIENT_STOCK', { count: 2 }),
      drawn([4, 5], 3, 'a', { count: 9, partial: true }),
      refused([6, 7], 'POOL_EMPTY'),
      restock([8, 9], 'a', 1),
      drawn([10, 11], 4, 'a'),
    ],
  },
  'a refusal that rests on a draw of unknown outcome': {
    operations: [
      put([0, 0], 'a:3'),
      lost([1, never], { count: 2 }),
      refused([5, 6], 'POOL_EMPTY', {}),
    ].concat(lost([2, never])),
  },
  'a restock of unknown outcome that took place': {
    operations: [
      put([0, 0], 'a:1'),
      drawn([1, 2], 1, 'a'),
      restock([3, never], 'a', 1, { kind: 'unknown' }),
      drawn([4, 5], 2, 'a'),
      shown([6, 7], 'a:2-2', { version: 2 }),
    ],
  },
  'the last ticket and what comes with it': {
    operations: [
      put([0, 0], 'a:1 z:1', { kind: 'changed' }, { lastOne: 'z' }),
      drawn([1, 2], 1, 'a z', { count: 1 }),
      refused([3, 4], 'POOL_EMPTY'),
    ],
    log: logOf('a z'),
  },
  'new versions, and draws beside them': {
    operations: [
      put([0, 1], 'a:2', { kind: 'changed', version: 1 }),
      drawn([2, 9], 1, 'a', { version: 1 }),
      put([3, 5], 'a:2 b:2', { kind: 'changed', version: 2 }),
      restock([6, 7], 'b', 3, { kind: 'changed', version: 3 }),
      drawn([4, 9], 2, 'b', { version: 2 }),
      drawn([8, 10], 3, 'b b b b', { version: 3 }),
      put([11, 12], 'a:2 b:5', { kind: 'changed', version: 3, changed: false }),
      shown([13, 14], 'a:2-1 b:5-5', { version: 3 }),
    ],
  },
  'an item that a put leaves out and another brings back': {
    operations: [
      put([0, 1], 'a:2 b:2'),
      drawn([2, 3], 1, 'a b'),
      put([4, 5], 'a:9'),
      shown([6, 7], 'a:9-1', { drawn: 2, version: 2 }),
      drawn([8, 9], 3, 'a a'),
      put([10, 11], 'a:9 b:2'),
      drawn([12, 13], 5, 'b'),
    ],
  },
  'a pool that is paused, opened and closed': {
    operations: [
      start,
      setStatus([1, 5], 'paused'),
      drawn([2, 3], 1, 'a'),
      refused([6, 7], 'POOL_PAUSED'),
      shown([6, 7], 'a:*-1 b:5-0', { status: 'paused' }),
      setStatus([8, 9], 'open'),
      drawn([10, 11], 2, 'a', { key: 'k' }),
      setStatus([12, 13], 'closed'),
      refused([14, 15], 'POOL_CLOSED'),
      drawn([14, 15], 2, 'a', { key: 'k', replayed: true }),
    ],
  },
  'keys that are forgotten in time, or for others': {
    operations: [
      start,
      drawn([1, 2], 1, 'a', { key: 'k', at: 100 }),
      drawn([3, 4], 2, 'a', { key: 'k', at: 110 }),
      drawn([7, 8], 3, 'b a', { key: 'k', at: 120 }),
      drawn([9, 10], 5, 'a', { key: 'l', at: 121 }),
      drawn([9, 10], 6, 'a', { key: 'm', at: 121 }),
      drawn([11, 12], 7, 'a', { key: 'k', at: 122 }),
      lost([13, 14], { key: 'm' }),
    ],
    log: [...logOf('k=a', 'k=a', 'k=b a', 'l=a', 'm=a', 'k=a', 'm=a')].map((run, k) => ({
      ...run,
      at: [100, 110, 120, 121, 121, 122, 140][k]!,
    })),
    keys: { retentionMs: 10, most: 3 },
  },
  'draws of the time at which their batch was begun, behind a write that takes long': {
    operations: [
      start,
      drawn([10, 90], 1, 'a', { at: 1010 }),
      drawn([20, 95], 2, 'a', { at: 1015 }),
      drawn([85, 95], 3, 'a', { at: 1015 }),
      drawn([96, 97], 4, 'a', { at: 1096 }),
      lost([98, never], { key: 'k' }),
    ],
    log: logOf('a', 'a a', 'a', 'k=a').map((run, k) => ({ ...run, at: [1010, 1015, 1096, 1130][k]! })),
    clock: { zero: 1000, toleranceMs: 5 },
  },
  'a put of less than was drawn, or may have been': {
    operations: [
      put([0, 0], 'a:9'),
      drawn([1, 2], 1, 'a a'),
      put([3, 4], 'a:1', { kind: 'refused', code: 'INVALID' }),
      lost([5, never], { count: 3 }),
      put([6, 7], 'a:4', { kind: 'refused', code: 'INVALID' }),
    ],
  },
  'answers that say nothing was done': {
    operations: [start, refused([1, 2], 'OVERLOADED', { key: 'k' }), drawn([3, 4], 1, 'a', { key: 'k' })],
    log: logOf('k=a'),
  },
}

for (const [name, history] of Object.entries(right))
  test(`nothing is found in a right history: ${name}`, () => assert.deepEqual(checkHistory(history), []))

for (const rule of Object.keys(rules) as Rule[])
  for (const [name, history] of Object.entries(wrongHistories[rule]))
    test(`${rule} is found, and only that: ${name}`, () =>
      assert.deepEqual(rulesBroken(history), [rule], JSON.stringify(checkHistory(history), null, 1)))

test('a finding names the operations that contradict each other', () => {
  const early = drawn([1, 2], 2, 'a')
  const late = drawn([3, 4], 1, 'a')
  const [finding] = checkHistory({ operations: [start, early, late] })
  assert.deepEqual(finding?.operations, [early, late])
  assert.match(finding!.message, /^draw 2 \(p\) was answered before draw 1 \(p\) was asked for$/)
})

test('a history in which an answer comes before its question is not one', () => {
  assert.throws(() => checkHistory({ operations: [drawn([2, 1], 1, 'a')] }), RangeError)
  assert.throws(
    () =>
      checkHistory({ operations: [operation([NaN, 1], { kind: 'read', pool: 'p' }, { kind: 'unknown' })] }),
    RangeError,
  )
})

test('thousands of single draws of unknown outcome are told apart from one too many', () => {
  const open = Array.from({ length: 2000 }, () => lost([1, 9]))
  const log = (count: number) => logOf(Array.from({ length: count }, () => 'a').join(' '))
  assert.deepEqual(checkHistory({ operations: [start, ...open], log: log(2000) }), [])
  assert.deepEqual(rulesBroken({ operations: [start, ...open], log: log(2001) }), ['log-unasked'])
})

test('so are a hundred thousand records that no answer accounts for, and as many conflicts of one key', () => {
  const many = 100_000
  const open = Array.from({ length: 1000 }, () => lost([1, 9], { count: many / 1000 }))
  const log = logOf(...Array.from({ length: many }, () => 'a'))
  assert.deepEqual(checkHistory({ operations: [start, ...open], log }), [])
  const first = drawn([1, 2], 1, 'a', { key: 'k' })
  const conflicts = Array.from({ length: many }, () =>
    refused([3, 4], 'KEY_CONFLICT', { key: 'k', count: 2 }),
  )
  const other = lost([1, 9], { key: 'k', count: 2 })
  assert.deepEqual(checkHistory({ operations: [start, first, ...conflicts] }), [])
  assert.deepEqual(rulesBroken({ operations: [start, other, ...conflicts] }), ['key-conflict'])
})

test('three hundred thousand operations are checked in seconds, not hours', () => {
  const operations = [start]
  for (let id = 1; id <= 300_000; id++) operations.push(drawn([id, id + 16], id, 'a', { version: 1, at: id }))
  assert.deepEqual(checkHistory({ operations }), [])
})

test('docs/reliability.md has every rule, as it is said here', () => {
  const section = readSection(readText('docs/reliability.md'), '## Consistency of histories')
  assert.deepEqual(Object.fromEntries(readTable(section)), rules)
})
