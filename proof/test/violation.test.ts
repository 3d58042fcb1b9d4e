import assert from 'node:assert/strict'
import { test } from 'node:test'
import { differences } from '../src/sim/model/violation.ts'

const item = (place: number) => ({ id: `item-${place}`, stock: 5, drawn: place })
const pool = { id: 'p', version: 3, items: Array.from({ length: 300 }, (_, place) => item(place)) }

test('what differs is told by item and field, and nothing else', () => {
  const items = pool.items.with(7, { ...item(7), drawn: 8 })
  assert.equal(differences({ ...pool, items }, pool), 'items["item-7"].drawn is 8, expected 7')
  assert.equal(differences({ ...pool, version: 4 }, pool), 'version is 4, expected 3')
  assert.equal(differences(pool, pool), '')
  assert.equal(differences('DRAW_NOT_FOUND', 7), '"DRAW_NOT_FOUND", expected 7')
  assert.equal(differences({ id: 1 }, { id: 1, at: 2 }), 'at is undefined, expected 2')
})

test('of many differences the first are told, and how many more there are', () => {
  const told = differences({ ...pool, items: pool.items.slice(1) }, pool)
  assert.match(
    told,
    /^items\.length is 299, expected 300; items\["item-0"\]\.id is "item-1", expected "item-0"/,
  )
  assert.match(told, /; and \d+ more$/)
  assert.ok(told.length < 400)
})
