import assert from 'node:assert/strict'
import { test } from 'node:test'
import { serveSample } from '../../server/test/support/processes.ts'
import { KujiClient } from '../src/index.ts'

test('pools are read over as many pages as there are', async context => {
  const { url } = await serveSample(context, 'pools: []')
  const client = new KujiClient({ url, timeoutMs: 120_000, tryTimeoutMs: 120_000 })
  const ids = Array.from({ length: 1_001 }, (_, index) => `p${String(index).padStart(4, '0')}`)
  const items = [{ id: 'a', weight: 1, stock: 1 }]
  // Not all at once: a connection that waits for its turn for seconds is closed, and the put on it in doubt.
  for (let from = 0; from < ids.length; from += 50)
    await Promise.all(ids.slice(from, from + 50).map(id => client.putPool({ id, items }, { ifVersion: 0 })))
  const read: string[] = []
  for await (const { id } of client.pools()) read.push(id)
  assert.deepEqual(read, ids)
})
