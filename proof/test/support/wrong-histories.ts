import type { History, Rule } from '../../src/history/index.ts'
import { drawn, logOf, lost, put, refused, restock, setStatus, shown } from './operations.ts'

const never = Number.POSITIVE_INFINITY
const start = put([0, 0], 'a:* b:5')

/** Each way of being wrong, and nothing else wrong with it. */
export const wrongHistories: Record<Rule, Record<string, History>> = {
  'number-reused': {
    'the same number': { operations: [start, drawn([1, 9], 1, 'a'), drawn([1, 9], 1, 'a')] },
    'ranges that overlap': { operations: [start, drawn([1, 9], 1, 'a a a'), drawn([1, 9], 3, 'a a')] },
    'two keys': {
      operations: [start, drawn([1, 9], 1, 'a', { key: 'k' }), drawn([1, 9], 1, 'a', { key: 'l' })],
    },
    'inside a range, behind another': {
      operations: [start, drawn([1, 9], 1, 'a a a a a'), drawn([1, 9], 2, 'a'), drawn([1, 9], 4, 'a')],
    },
  },
  'number-order': {
    'one after the other': { operations: [start, drawn([1, 2], 2, 'a'), drawn([3, 4], 1, 'a')] },
    'a key, by who made the draw': {
      operations: [
        start,
        lost([1, 2], { key: 'k' }),
        drawn([3, 4], 2, 'a'),
        drawn([5, 6], 1, 'a', { key: 'k', replayed: false }),
      ],
    },
    'an attempt that the log shows to have come too late': {
      operations: [start, drawn([1, 2], 2, 'a'), lost([3, never], { key: 'k' })],
      log: logOf('k=b', 'a'),
    },
  },
  'time-runs-back': {
    'by a millisecond': {
      operations: [start, drawn([1, 9], 1, 'a', { at: 8 }), drawn([1, 9], 2, 'a', { at: 7 })],
    },
    'behind one that tells no time': {
      operations: [
        start,
        drawn([1, 9], 1, 'a', { at: 8 }),
        drawn([1, 9], 2, 'a'),
        drawn([1, 9], 3, 'a', { at: 7 }),
      ],
    },
  },
  'time-off': {
    'a clock that stands': {
      operations: [
        start,
        drawn([10, 11], 1, 'a', { at: 1010 }),
        drawn([20, 21], 2, 'a', { at: 1010 }),
        drawn([30, 31], 3, 'a', { at: 1010 }),
      ],
      clock: { zero: 1000, toleranceMs: 5 },
    },
    'a clock that is ahead': {
      operations: [start, drawn([10, 11], 1, 'a', { at: 1017 })],
      clock: { zero: 1000, toleranceMs: 5 },
    },
    'told by the log alone, of a draw that nobody was told of': {
      operations: [start, drawn([10, 11], 1, 'a'), drawn([20, 21], 2, 'a'), lost([30, 40], { key: 'k' })],
      log: logOf('a', 'a', 'k=a').map((run, k) => ({ ...run, at: [1010, 1014, 1014][k]! })),
      clock: { zero: 1000, toleranceMs: 5 },
    },
  },
  'not-whole': {
    'too few': { operations: [start, drawn([1, 2], 1, 'a a', { count: 3 })] },
    'too many': { operations: [start, drawn([1, 2], 1, 'a a', { count: 1, partial: true })] },
  },
  'key-receipt': {
    'another draw': {
      operations: [start, drawn([1, 2], 1, 'a', { key: 'k' }), drawn([3, 4], 2, 'a', { key: 'k' })],
    },
    'other items': {
      operations: [start, drawn([1, 2], 1, 'a', { key: 'k' }), drawn([3, 4], 1, 'b', { key: 'k' })],
    },
    'too early to have been forgotten': {
      operations: [
        start,
        drawn([1, 2], 1, 'a', { key: 'k', at: 1 }),
        drawn([3, 4], 2, 'a', { key: 'k', at: 10 }),
      ],
      keys: { retentionMs: 10, most: 100 },
    },
    'another time': {
      operations: [
        start,
        drawn([1, 2], 1, 'a', { key: 'k', at: 1 }),
        drawn([3, 4], 1, 'a', { key: 'k', at: 2 }),
      ],
    },
  },
  'key-conflict': {
    'another request that was answered': {
      operations: [
        start,
        drawn([1, 2], 1, 'a a', { key: 'k' }),
        drawn([3, 4], 1, 'a a', { key: 'k', recipient: 'x' }),
      ],
    },
    'a refusal without another request': {
      operations: [start, drawn([1, 2], 1, 'a', { key: 'k' }), refused([3, 4], 'KEY_CONFLICT', { key: 'k' })],
    },
  },
  'key-forgotten': {
    'the pool is shut': {
      operations: [
        start,
        drawn([1, 2], 1, 'a', { key: 'k' }),
        setStatus([3, 4], 'closed'),
        refused([5, 6], 'POOL_CLOSED', { key: 'k' }),
      ],
    },
    'another request': {
      operations: [
        put([0, 0], 'a:1'),
        drawn([1, 2], 1, 'a', { key: 'k' }),
        refused([5, 6], 'POOL_EMPTY', { key: 'k', count: 2 }),
      ],
    },
  },
  'key-replayed': {
    'of nothing': { operations: [start, drawn([1, 2], 1, 'a', { key: 'k', replayed: true })] },
    'made twice': {
      operations: [
        start,
        drawn([1, 2], 1, 'a', { key: 'k', replayed: false }),
        drawn([3, 4], 1, 'a', { key: 'k', replayed: false }),
      ],
    },
    'before it was asked for': {
      operations: [
        start,
        drawn([1, 2], 1, 'a', { key: 'k', replayed: true }),
        drawn([3, 4], 1, 'a', { key: 'k', replayed: true }),
      ],
    },
  },
  'version-order': {
    'in real time': {
      operations: [
        put([0, 1], 'a:9', { kind: 'changed', version: 1 }),
        restock([2, 3], 'a', 1, { kind: 'changed', version: 2 }),
        drawn([4, 5], 1, 'a', { version: 1 }),
      ],
    },
    'by draw number': {
      operations: [
        put([0, 1], 'a:9', { kind: 'changed', version: 1 }),
        restock([2, 9], 'a', 1, { kind: 'changed', version: 2 }),
        drawn([4, 9], 1, 'a', { version: 2 }),
        drawn([4, 9], 2, 'a', { version: 1 }),
      ],
    },
    'a change that stays behind': {
      operations: [
        put([0, 1], 'a:9', { kind: 'changed', version: 1 }),
        restock([2, never], 'a', 1, { kind: 'unknown' }),
        shown([3, 4], 'a:10-0', { version: 2 }),
        restock([5, 6], 'a', 1, { kind: 'changed', version: 2 }),
      ],
    },
  },
  'version-reused': {
    'two at the same time': {
      operations: [
        put([0, 1], 'a:9', { kind: 'changed', version: 1 }),
        restock([2, 9], 'a', 1, { kind: 'changed', version: 2 }),
        restock([2, 9], 'a', 1, { kind: 'changed', version: 2 }),
      ],
    },
  },
  'version-unmade': {
    'too high': { operations: [put([0, 1], 'a:9'), shown([2, 3], 'a:9-0', { version: 2 })] },
    'before its change': {
      operations: [
        put([0, 1], 'a:9', { kind: 'changed', version: 1 }),
        drawn([2, 3], 1, 'a', { version: 2 }),
        restock([4, 5], 'a', 1, { kind: 'unknown' }),
      ],
    },
  },
  'item-unknown': {
    never: { operations: [start, drawn([1, 2], 1, 'c')] },
    'no more': { operations: [start, put([1, 2], 'a:*'), drawn([3, 4], 1, 'b')] },
    'not yet': { operations: [start, drawn([1, 2], 1, 'c'), put([3, 4], 'a:* b:5 c:1')] },
  },
  'stock-exceeded': {
    'of the first put': {
      operations: [put([0, 0], 'a:* b:1'), drawn([1, 2], 1, 'b a'), drawn([3, 4], 3, 'b')],
    },
    'before the restock': {
      operations: [put([0, 0], 'a:1'), drawn([1, 2], 1, 'a'), drawn([3, 4], 2, 'a'), restock([5, 6], 'a', 1)],
    },
    'a restock that was refused': {
      operations: [
        put([0, 0], 'a:1'),
        restock([1, 2], 'a', 1, { kind: 'refused', code: 'VERSION_CONFLICT' }),
        drawn([3, 4], 1, 'a a'),
      ],
    },
    'what the log alone has': {
      operations: [put([0, 0], 'a:1'), lost([1, never], { count: 2 })],
      log: logOf('a a'),
    },
  },
  'stock-shown': {
    'a restock that was lost': {
      operations: [put([0, 0], 'a:1'), restock([1, 2], 'a', 4), shown([3, 4], 'a:1-0')],
    },
    'a restock that came twice': {
      operations: [put([0, 0], 'a:1'), restock([1, 2], 'a', 4), shown([3, 4], 'a:9-0')],
    },
    'a put that was lost': { operations: [put([0, 0], 'a:1'), put([1, 2], 'a:7'), shown([3, 4], 'a:1-0')] },
  },
  'refusal-implausible': {
    'the pool had some': {
      operations: [put([0, 0], 'a:2'), drawn([1, 2], 1, 'a'), refused([3, 4], 'POOL_EMPTY')],
    },
    'the pool had enough': {
      operations: [
        put([0, 0], 'a:3'),
        drawn([1, 2], 1, 'a'),
        refused([3, 4], 'INSUFFICIENT_STOCK', { count: 2 }),
      ],
    },
    'a put of enough': {
      operations: [
        put([0, 0], 'a:9'),
        drawn([1, 2], 1, 'a a'),
        put([3, 4], 'a:2', { kind: 'refused', code: 'INVALID' }),
      ],
    },
    'restocked before': {
      operations: [put([0, 0], 'a:0'), restock([1, 2], 'a', 1), refused([3, 4], 'POOL_EMPTY')],
    },
    'never paused': { operations: [start, refused([1, 2], 'POOL_PAUSED')] },
    'no longer paused': {
      operations: [
        start,
        setStatus([1, 2], 'paused'),
        setStatus([3, 4], 'open'),
        refused([5, 6], 'POOL_PAUSED'),
      ],
    },
    'never closed': { operations: [start, refused([1, 2], 'POOL_CLOSED')] },
    'the pool is there': { operations: [start, refused([1, 2], 'POOL_NOT_FOUND')] },
  },
  'drawn-while-shut': {
    paused: { operations: [start, setStatus([1, 2], 'paused'), drawn([3, 4], 1, 'a')] },
    'closed, by draw number': {
      operations: [start, setStatus([1, 2], 'closed'), drawn([3, 9], 1, 'a', { key: 'k', replayed: false })],
    },
  },
  'status-shown': {
    'paused long ago': {
      operations: [
        start,
        setStatus([1, 2], 'paused'),
        setStatus([3, 4], 'open'),
        shown([5, 6], 'a:*-0 b:5-0', { status: 'paused' }),
      ],
    },
  },
  'read-stale': {
    'a draw that was answered': { operations: [start, drawn([1, 2], 1, 'b'), shown([3, 4], 'a:*-0 b:5-0')] },
    'another item': {
      operations: [start, drawn([1, 2], 1, 'b'), shown([3, 4], 'a:*-0 b:5-0', { drawn: 1 })],
    },
    'after one who saw it': {
      operations: [start, lost([1, never]), shown([3, 4], 'a:*-1 b:5-0'), shown([5, 6], 'a:*-0 b:5-0')],
    },
  },
  'read-ahead': {
    'nobody asked': { operations: [start, shown([3, 4], 'a:*-0 b:5-1')] },
    'nobody had asked': { operations: [start, shown([3, 4], 'a:*-1 b:5-0'), drawn([5, 6], 1, 'a')] },
  },
  'read-sums': {
    'more is held than there is': { operations: [start, shown([1, 2], 'a:*-0 b:5-0', { held: 1 })] },
    'more by item than in all': {
      operations: [start, lost([1, never]), shown([2, 3], 'a:*-1 b:5-0', { drawn: 0 })],
    },
  },
  'log-gap': {
    'between two': {
      operations: [start, lost([1, never], { count: 5 })],
      log: [
        { id: 1, pool: 'p', items: ['a'] },
        { id: 3, pool: 'p', items: ['a'] },
      ],
    },
    'at the beginning': {
      operations: [start, drawn([1, 2], 2, 'a')],
      log: [{ id: 2, pool: 'p', items: ['a'] }],
    },
  },
  'log-lost': {
    'the last draw': {
      operations: [start, drawn([1, 2], 1, 'a'), drawn([3, 4], 2, 'a a')],
      log: logOf('a a'),
    },
    'all of it': { operations: [start, drawn([1, 2], 1, 'a', { key: 'k' })], log: [] },
  },
  'log-differs': {
    'another item': { operations: [start, drawn([1, 2], 1, 'a b')], log: logOf('a a') },
    'another key': { operations: [start, drawn([1, 2], 1, 'a', { key: 'k' })], log: logOf('l=a') },
    'another time': {
      operations: [start, drawn([1, 2], 1, 'a', { at: 5 }), drawn([3, 4], 2, 'a', { at: 7 })],
      log: logOf('a', 'a').map((run, k) => ({ ...run, at: [5, 6][k]! })),
    },
    'the time of a later try': {
      operations: [
        start,
        drawn([1, 2], 1, 'a', { key: 'k', replayed: false }),
        drawn([8, 9], 1, 'a', { key: 'k', replayed: true, at: 8 }),
      ],
      log: logOf('k=a').map(run => ({ ...run, at: 1 })),
    },
    'no key': { operations: [start, drawn([1, 2], 1, 'a', { key: 'k' })], log: logOf('a') },
    'another pool': { operations: [start, drawn([1, 2], 1, 'a')], log: [{ id: 1, pool: 'q', items: ['a'] }] },
    'another count': {
      operations: [start, drawn([1, 2], 1, 'a', { key: 'k' })],
      log: [{ id: 1, pool: 'p', items: ['a'], request: { count: 2, partial: true, key: 'k' } }],
    },
  },
  'log-key-twice': {
    answered: { operations: [start, drawn([1, 2], 1, 'a', { key: 'k' })], log: logOf('k=a', 'k=a') },
    'not answered': {
      operations: [start, lost([1, 2], { key: 'k' }), lost([3, 4], { key: 'k' })],
      log: logOf('k=a', 'k=a'),
    },
  },
  'log-unasked': {
    'a forgotten key, drawn more often than was asked': {
      operations: [start, drawn([1, 2], 1, 'a', { key: 'k', at: 1 }), lost([3, 9], { key: 'k' })],
      log: logOf('k=a', 'k=a', 'k=a'),
      keys: { retentionMs: 10, most: 100 },
    },
    'a draw of nobody': { operations: [start, drawn([1, 2], 1, 'a')], log: logOf('a a') },
    'a key of nobody': { operations: [start], log: logOf('k=a') },
    'more than the attempt asked for': {
      operations: [start, lost([1, never], { count: 2 })],
      log: logOf('a a a'),
    },
    'a part of the attempt': { operations: [start, lost([1, never], { count: 3 })], log: logOf('a a') },
    'one attempt twice': {
      operations: [start, lost([1, 9], { count: 2 }), drawn([1, 9], 3, 'a'), lost([1, 9], { count: 3 })],
      log: logOf('a a a a a'),
    },
    'after the attempt had ended': {
      operations: [start, lost([1, 2]), drawn([3, 4], 1, 'a'), drawn([5, 6], 3, 'a')],
      log: logOf('a a a'),
    },
    'before it was asked for': {
      operations: [start, drawn([1, 2], 2, 'a'), lost([3, never])],
      log: logOf('a a'),
    },
    refused: {
      operations: [start, refused([1, 2], 'OVERLOADED', { key: 'k' })],
      log: logOf('k=a'),
    },
    'another count': { operations: [start, lost([1, 9], { key: 'k', count: 2 })], log: logOf('k=a') },
  },
}
