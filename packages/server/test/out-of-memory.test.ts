import assert from 'node:assert/strict'
import { test } from 'node:test'
import { serve, serveSample } from './support/processes.ts'
import { draw, readPool, request } from './support/requests.ts'

/** So little that some hundred pools do not fit. */
const smallHeap = { env: { NODE_OPTIONS: '--max-old-space-size=40' } }

// Long texts fill it in less time than many items.
const metadata = { text: 'x'.repeat(4000) }
const items = Array.from({ length: 14 }, (_, item) => ({ id: `item-${item}`, weight: 1, stock: 5, metadata }))

test('a server that runs out of memory ends at once, and has lost nothing that it answered', async context => {
  const server = await serveSample(context, '', smallHeap)
  const answered: { pool: string; draw: number }[] = []
  for (let pool = 0; server.process.exitCode === null && server.process.signalCode === null; pool++) {
    assert.ok(pool < 2000, 'that many pools fit')
    const id = `pool-${pool}`
    try {
      const { status } = await request(server.url, 'PUT', `/v1/pools/${id}`, { items })
      assert.equal(status, 201)
      answered.push({ pool: id, draw: (await draw(server.url, id)).id })
    } catch (error) {
      // The connection is gone, and so is the server.
      if (!(error instanceof TypeError)) throw error
      break
    }
  }
  const { code, stderr } = await server.ended
  assert.notEqual(code, 0)
  assert.match(stderr, /heap out of memory/)
  const { url } = await serve(context, [server.file])
  assert.ok(answered.length > 10, `${answered.length} pools`)
  for (const { pool } of answered) assert.ok((await readPool(url, pool)).drawn >= 1, pool)
  assert.ok((await draw(url, 'pool-0')).id > answered.at(-1)!.draw)
})
