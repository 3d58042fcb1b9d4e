import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Kuji, open } from '@kuji/engine'
import { codeOf } from '../support/codes.ts'

async function openWithKeys(): Promise<Kuji> {
  const kuji = await open({ durability: 'none' })
  await kuji.putPool({ id: 'p', items: [{ id: 'a', weight: 1, stock: 'unlimited' }] })
  await kuji.draw('p', { key: 'first' })
  return kuji
}

test('a pool id of any length and any characters is refused like every unknown one, with a key too', async () => {
  const kuji = await openWithKeys()
  for (const pool of ['', 'x'.repeat(3000), '鍵'.repeat(3000), `${'x'.repeat(3000)}鍵`, '\ud800', 'p\0'])
    for (const key of ['k', '鍵', 'k'.repeat(255), '鍵'.repeat(255)])
      assert.equal(await codeOf(kuji.draw(pool, { key, recipient: '誰' })), 'POOL_NOT_FOUND')
  assert.equal((await kuji.draw('p')).id, 2)
  await kuji.close()
})

test('a zero byte does not move the border between a pool id and a key', async () => {
  const kuji = await openWithKeys()
  const { id } = await kuji.draw('p', { key: 'b\0c' })
  assert.equal(await codeOf(kuji.draw('p\0b', { key: 'c' })), 'POOL_NOT_FOUND')
  assert.equal((await kuji.draw('p', { key: 'b\0c' })).id, id)
  await kuji.close()
})
