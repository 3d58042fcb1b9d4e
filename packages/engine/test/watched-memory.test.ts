import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { limits, open } from '@kuji/engine'
import { PoolNames } from '../src/feed/pool-names.ts'
import { openIn } from '../src/open.ts'
import { parseManifest } from '../src/pool/manifest.ts'
import { applyPut, State } from '../src/pool/state.ts'
import { worldAt } from './support/world.ts'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void
const eventBytes = 8 * limits.feedChanges

function heapBytes(): number {
  collect()
  return process.memoryUsage().heapUsed
}

test('events that are let go of are not held in memory, however few and large they are', async () => {
  const kuji = await open({ durability: 'none' })
  await kuji.putPool({ id: 'p', items: [{ id: 'a', weight: 1, stock: 'unlimited' }] })
  kuji.watch()
  await kuji.drawMany('p', limits.feedChanges)
  const before = heapBytes()
  for (let k = 0; k < 20; k++) await kuji.drawMany('p', limits.feedChanges)
  const events = (heapBytes() - before) / eventBytes
  assert.ok(events < 8, `${events.toFixed(1)} of them`)
  await kuji.close()
})

test('when nobody has watched for a while, no event is held in memory', async () => {
  let clock = 1
  const kuji = await openIn({ durability: 'none' }, worldAt({ elapsed: () => clock }))
  await kuji.putPool({ id: 'p', items: [{ id: 'a', weight: 1, stock: 'unlimited' }] })
  await kuji.drawMany('p', limits.feedChanges)
  const before = heapBytes()
  kuji.watch()
  for (let k = 0; k < 4; k++) await kuji.drawMany('p', limits.feedChanges)
  assert.ok((heapBytes() - before) / eventBytes > 3, 'as long as somebody may come back')
  clock += limits.feedLingerMs + 1
  await kuji.draw('p')
  const events = (heapBytes() - before) / eventBytes
  assert.ok(events < 1, `${events.toFixed(1)} of them`)
  await kuji.close()
})

test('lists of items that a watcher may need are those of the state, and no copies', () => {
  const state = new State()
  const put = (...ids: string[]) => {
    const rules = parseManifest({ id: 'p', items: ids.map(id => ({ id, weight: 1, stock: 1 })) })
    return applyPut(state, 0, rules)
  }
  put('a', 'b')
  const names = new PoolNames(state)
  const pool = put('c', 'd')
  // As a batch brings them: read anew, and the state may be ahead by then.
  names.set(0, 'p', ['a', 'c'])
  assert.deepEqual(names.itemIds(0), ['a', 'c'])
  names.set(0, 'p', ['c', 'd'])
  assert.equal(names.itemIds(0), pool.itemIds)
})
