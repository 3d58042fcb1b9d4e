import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type KeyRules, ModelKeys } from '../src/sim/model/model-keys.ts'
import type { DrawOperation } from '../src/sim/model/operation.ts'

const second = 1000
const day = 86_400 * second

const draw = (key: string): DrawOperation => ({
  ...{ kind: 'draw', pool: 'p', count: 1, partial: false, bulk: false, key, recipient: '' },
})

/** A life of some keys: which are found, by name, at a time. */
class Life {
  readonly keys: ModelKeys
  #draws = 0

  constructor(mayLackRoom = false) {
    this.keys = new ModelKeys(mayLackRoom)
  }

  start(asked: Partial<KeyRules>, logged: KeyRules | null): void {
    assert.equal(this.keys.open(asked, logged), '')
  }

  draw(key: string, at: number): void {
    this.keys.add(draw(key), { id: ++this.#draws, pool: 'p', items: ['it'], version: 1, at, replayed: false })
  }

  /** The keys that have to bring their receipt again, those that may in brackets. */
  found(names: string, from: number, to = from): string {
    const look = (key: string): string => {
      const kept = this.keys.find(draw(key), { from, to })
      return kept === undefined ? '' : kept.certain ? key : `(${key})`
    }
    return [...names].map(look).join('')
  }
}

test('keys expire by the time of the log, and the oldest go where there are too many', () => {
  const life = new Life()
  life.start({ retentionMs: 60 * second, most: 3 }, null)
  for (const [place, key] of [...'abc'].entries()) life.draw(key, place * second)
  assert.equal(life.found('abcd', 10 * second), 'abc')
  assert.equal(life.found('abc', 59 * second, 61 * second), '(a)(b)c')
  assert.equal(life.found('abc', 61 * second), 'c')
  life.draw('d', 30 * second)
  assert.equal(life.found('abcd', 30 * second), 'bcd')
  assert.equal(life.keys.forgottenEarly, 1)
  life.draw('e', 100 * second)
  assert.deepEqual([life.keys.size, life.keys.forgottenEarly], [1, 1])
})

test('a start with fewer keys forgets none by itself, and then sixteen for each that comes', () => {
  const life = new Life()
  const before = { retentionMs: day, most: 100 }
  life.start(before, null)
  for (let k = 0; k < 40; k++) life.draw(`${k}`, k)
  life.start({ most: 3 }, before)
  assert.equal(life.keys.isDue, true)
  assert.equal(life.keys.size, 40)
  life.draw('one', 100)
  assert.deepEqual([life.keys.size, life.keys.forgottenEarly, life.keys.isDue], [25, 16, false])
  life.draw('two', 101)
  life.draw('three', 102)
  assert.deepEqual([life.keys.size, life.keys.forgottenEarly], [3, 40])
  life.start({ most: 5 }, { ...before, most: 3 })
  life.draw('four', 103)
  assert.deepEqual([life.keys.size, life.keys.forgottenEarly], [4, 0])
})

test('a start with a longer time finds what had expired and not gone, and one with a shorter time does not', () => {
  const life = new Life()
  const short = { retentionMs: 60 * second, most: 10 }
  life.start(short, null)
  life.draw('a', 0)
  assert.equal(life.found('a', 100 * second), '')
  life.start({ retentionMs: day }, short)
  assert.equal(life.found('a', 100 * second), 'a')
  life.keys.answered(true)
  life.start({}, { ...short, retentionMs: day })
  assert.equal(life.found('a', 100 * second), 'a')
  life.start(short, { ...short, retentionMs: day })
  assert.equal(life.found('a', 100 * second), '')
})

test('what the log has to say of it follows from the requests with a key', () => {
  const life = new Life()
  const [one, other] = [
    { retentionMs: day, most: 1_000_000 },
    { retentionMs: day, most: 7 },
  ]
  life.start({}, null)
  life.keys.answered(false)
  assert.notEqual(life.keys.open({}, one), '')
  life.draw('a', 0)
  life.start({ most: 7 }, one)
  assert.equal(life.keys.mayEndWith(one), true)
  assert.equal(life.keys.mayEndWith(other), false)
  assert.notEqual(life.keys.log(one), '')
  assert.equal(life.keys.log(other), '')
  assert.notEqual(life.keys.log(other), '')
})

test('where there may have been no room, both rules hold until the log says so', () => {
  const life = new Life(true)
  const long = { retentionMs: day, most: 9 }
  life.start(long, null)
  life.draw('a', 0)
  life.start({ retentionMs: 60 * second }, long)
  assert.equal(life.found('a', 100 * second), '(a)')
  life.keys.answered(true)
  assert.equal(life.found('a', 100 * second), '(a)')
  assert.equal(life.keys.log({ ...long, retentionMs: 60 * second }), '')
  assert.equal(life.found('a', 100 * second), '')
})
