import assert from 'node:assert/strict'
import { test } from 'node:test'
import { open } from '@kuji/engine'
import { temporaryDirectory } from './support/temporary.ts'

const pool = { id: 'p', items: ['x', 'y'].map(id => ({ id, weight: 1, stock: 10 })) }

test('an update is what the object said at the call, whatever the caller does with it after', async t => {
  const dir = temporaryDirectory(t)
  const kuji = await open({ dir, durability: 'os' })
  await kuji.putPool(pool)
  const update = { restock: 1 }
  const first = kuji.updateItem('p', 'x', update)
  update.restock = 2
  const second = kuji.updateItem('p', 'x', update)
  update.restock = -8.5
  await Promise.all([first, second])
  assert.equal((await kuji.pool('p')).items[0]!.stock, 13)
  await kuji.close()
  const again = await open({ dir, durability: 'os' })
  assert.equal((await again.pool('p')).items[0]!.stock, 13)
  await again.close()
})

test('the ids of a bulk receipt cannot be changed, after a restart neither', async t => {
  const dir = temporaryDirectory(t)
  for (let start = 0; start < 2; start++) {
    const kuji = await open({ dir, durability: 'os' })
    await kuji.putPool(pool)
    const { itemIds } = await kuji.drawMany('p', 2)
    assert.throws(() => (itemIds as string[]).reverse(), TypeError)
    await kuji.close()
  }
})
