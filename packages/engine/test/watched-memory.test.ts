import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { limits, open } from '@kuji/engine'

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
