import assert from 'node:assert/strict'
import { test } from 'node:test'
import { serveSample } from '../../server/test/support/processes.ts'
import { KujiClient } from '../src/index.ts'

test('pools are read over as many pages as there are', async context => {
  const { url } = await serveSample(context, 'pools: []')
  const client = new KujiClient({ url })
  const ids = Array.from({ length: 1_001 }, (_, index) => `p${String(index).padStart(4, '0')}`)
  const items = [{ id: 'a', weight: 1, stock: 1 }]
  await Promise.all(ids.map(id => client.putPool({ id, items }, { ifVersion: 0 })))
  const read: string[] = []
  for await (const { id } of client.pools()) read.push(id)
  assert.deepEqual(read, ids)
})
