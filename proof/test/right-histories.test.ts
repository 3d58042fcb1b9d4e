import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Drawn, DrawRequest, History, Operation } from '../src/history/index.ts'
import { checkHistory } from '../src/history/index.ts'
import { type LoggedHistory, SequentialModel, type Wish } from './support/sequential-model.ts'

const oneOf = <T>(...values: T[]) => fc.constantFrom(...values)

function wishes(lost: fc.Arbitrary<Wish['lost']>, minLength: number): fc.Arbitrary<Wish[]> {
  const wish = fc.record({
    what: oneOf<Wish['what']>(
      ...(['draw', 'draw', 'draw', 'keyed', 'keyed', 'keyed', 'restock', 'put', 'status', 'read'] as const),
    ),
    pool: fc.nat(1),
    size: fc.integer({ min: 1, max: 5 }),
    key: fc.nat(7),
    before: fc.nat(60),
    after: fc.nat(60),
    lost,
  })
  return fc.array(wish, { minLength, maxLength: 80, size: 'max' })
}

const anyLoss = wishes(oneOf<Wish['lost']>('no', 'no', 'no', 'answer', 'question'), 1)
const noLoss = wishes(fc.constant<Wish['lost']>('no'), 20)
const seed = 20_261_127

test('nothing is found in what a sequential model answers to clients at once, answers lost included', () => {
  const property = fc.property(anyLoss, list => {
    const history = SequentialModel.run(list)
    assert.deepEqual(checkHistory(history), [])
    assert.deepEqual(checkHistory({ operations: history.operations }), [], 'without the log')
  })
  fc.assert(property, { seed, numRuns: 1000 })
})

test('nor where keys are forgotten', () => {
  const retention = fc.record({
    retentionMs: fc.integer({ min: 1, max: 500 }),
    most: fc.integer({ min: 1, max: 9 }),
  })
  const property = fc.property(anyLoss, retention, (list, keys) => {
    const history = SequentialModel.run(list, keys)
    assert.deepEqual(checkHistory(history), [])
    assert.deepEqual(checkHistory({ operations: history.operations, keys }), [], 'without the log')
  })
  fc.assert(property, { seed, numRuns: 1000 })
})

type Draw = Operation & { readonly request: DrawRequest; readonly outcome: Drawn }

/** Makes a right history wrong, or returns undefined where it has nothing for that. */
type Spoil = (history: LoggedHistory, pick: (below: number) => number) => History | undefined

function drawsOf({ operations }: History): Draw[] {
  return operations.filter((entry): entry is Draw => entry.outcome.kind === 'drawn')
}

function replaced({ operations, log }: LoggedHistory, old: Operation, by: Operation | null): History {
  return { operations: operations.flatMap(entry => (entry !== old ? [entry] : by === null ? [] : [by])), log }
}

function spoilDraw(change: (draw: Draw) => Partial<Drawn>, log = true): Spoil {
  return (history, pick) => {
    const draws = drawsOf(history)
    const draw = draws[pick(draws.length)]
    if (draw === undefined) return undefined
    const spoiled = replaced(history, draw, { ...draw, outcome: { ...draw.outcome, ...change(draw) } })
    return log ? spoiled : { operations: spoiled.operations }
  }
}

const spoilers: Record<string, Spoil> = {
  'a receipt with another number': spoilDraw(({ outcome: { id } }) => ({ id: id + 1 })),
  'a receipt with another item': spoilDraw(({ outcome: { items } }) => ({
    items: [items[0] === 'a' ? 'b' : 'a', ...items.slice(1)],
  })),
  'a receipt with one item more': spoilDraw(
    ({ request, outcome: { items } }) => ({ items: [...items, ...Array(request.count).fill('b')] }),
    false,
  ),
  'a log that lacks the last draw': ({ operations, log }) => {
    const end = log.at(-1)
    if (end === undefined) return undefined
    const items = end.items.slice(0, -1)
    return { operations, log: items.length > 0 ? log.with(-1, { ...end, items }) : log.slice(0, -1) }
  },
  'a log that lacks a record': ({ operations, log }, pick) =>
    log.length < 2 ? undefined : { operations, log: log.toSpliced(pick(log.length - 1), 1) },
  'a log with a draw that nobody asked for': ({ operations, log }) => {
    const end = log.at(-1)
    const id = end === undefined ? 1 : end.id + end.items.length
    return { operations, log: [...log, { id, pool: 'q', items: ['a'] }] }
  },
  'an attempt that never was': (history, pick) => {
    const unkeyed = drawsOf(history).filter(({ request }) => request.key === undefined)
    const draw = unkeyed[pick(unkeyed.length)]
    return draw === undefined ? undefined : replaced(history, draw, null)
  },
  'a draw that was answered before the one before it was asked for': (history, pick) => {
    const made = drawsOf(history).filter(({ request }) => request.key === undefined)
    if (made.length < 2) return undefined
    const later = 1 + pick(made.length - 1)
    const invoked = made[pick(later)]!.invoked - 2
    const spoiled = { ...made[later]!, invoked, completed: invoked + 1 }
    return { operations: replaced(history, made[later]!, spoiled).operations }
  },
  'a replay with another time': (history, pick) => {
    const replays = drawsOf(history).filter(({ outcome }) => outcome.replayed === true)
    const draw = replays[pick(replays.length)]
    if (draw === undefined) return undefined
    const spoiled = { ...draw, outcome: { ...draw.outcome, at: draw.outcome.at! + 1 } }
    return { operations: replaced(history, draw, spoiled).operations }
  },
  'a pool with less stock than was drawn': history => {
    const drawn = drawsOf(history).flatMap(({ request, outcome }) =>
      request.pool === 'p' && outcome.replayed === false ? outcome.items : [],
    )
    const units = drawn.filter(item => item === 'a').length
    if (units === 0) return undefined
    const operations = history.operations.map((entry): Operation => {
      if (entry.request.kind !== 'put' || entry.request.pool !== 'p') return entry
      const items = entry.request.items.map(item => (item.id === 'a' ? { ...item, stock: units - 1 } : item))
      return { ...entry, request: { ...entry.request, items } }
    })
    return { operations: operations.filter(({ outcome }) => outcome.kind !== 'shown') }
  },
  'a pool that shows one draw less': spoilRead(-1),
  'a pool that shows one draw more': spoilRead(1),
}

function spoilRead(by: number): Spoil {
  return history => {
    const read = history.operations.at(-1)!
    if (read.outcome.kind !== 'shown') return undefined
    const [first, ...rest] = read.outcome.items
    const drawn = first!.drawn + by
    if (drawn < 0) return undefined
    const items = [{ ...first!, drawn }, ...rest]
    return replaced(history, read, {
      ...read,
      outcome: { ...read.outcome, drawn: read.outcome.drawn + by, items },
    })
  }
}

for (const [name, spoil] of Object.entries(spoilers))
  test(`a history made wrong is found: ${name}`, () => {
    let spoiled = 0
    const property = fc.property(noLoss, fc.nat(), (list, chance) => {
      const history = spoil(SequentialModel.run(list), below => (below > 0 ? chance % below : 0))
      if (history === undefined) return
      spoiled++
      assert.notDeepEqual(checkHistory(history), [])
    })
    fc.assert(property, { seed, numRuns: 300 })
    assert.ok(spoiled > 20, `${spoiled} of 300 histories had something to spoil`)
  })
