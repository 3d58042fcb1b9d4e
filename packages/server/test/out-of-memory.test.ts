import assert from 'node:assert/strict'
import { test } from 'node:test'
import { serve, serveSample } from './support/processes.ts'
import { draw, readPool, request } from './support/requests.ts'

/** So little that some hundred pools with long texts fill what there is for pools. */
const smallHeap = { env: { NODE_OPTIONS: '--max-old-space-size=50' } }

const metadata = { text: 'x'.repeat(4000) }
const items = Array.from({ length: 14 }, (_, item) => ({ id: `item-${item}`, weight: 1, stock: 5, metadata }))

test('a server refuses pools before its memory is full, goes on, and starts again with as much', async context => {
  const server = await serveSample(context, '', smallHeap)
  let pools = 0
  for (; ; pools++) {
    assert.ok(pools < 2000, 'that many pools fit')
    const { status, body } = await request(server.url, 'PUT', `/v1/pools/pool-${pools}`, { items })
    if (status === 201) continue
    assert.deepEqual([status, body.code, body.pool], [413, 'TOO_LARGE', `pool-${pools}`])
    assert.match(String(body.detail), /of the heap.*--max-old-space-size/)
    break
  }
  assert.ok(pools > 50)
  for (let pool = 0; pool < pools; pool++) await draw(server.url, `pool-${pool}`)
  const { heapBytes, heapBytesMost } = (await request(server.url, 'GET', '/healthz')).body
  assert.ok(Number(heapBytes) > 0.9 * Number(heapBytesMost))
  const metrics = await (await fetch(`${server.url}/metrics`)).text()
  assert.match(metrics, new RegExp(`^kuji_heap_bytes ${heapBytes}$`, 'm'))
  assert.match(metrics, new RegExp(`^kuji_heap_bytes_most ${heapBytesMost}$`, 'm'))
  assert.equal((await server.stop()).code, 0)
  const again = await serve(context, [server.file], smallHeap)
  for (let pool = 0; pool < pools; pool++) assert.equal((await readPool(again.url, `pool-${pool}`)).drawn, 1)
  assert.equal((await request(again.url, 'PUT', '/v1/pools/one-more', { items })).status, 413)
  assert.equal((await request(again.url, 'DELETE', '/v1/pools/pool-0')).status, 200)
  assert.equal((await request(again.url, 'PUT', '/v1/pools/one-more', { items })).status, 201)
})

/** What a program around the engine may do: takes memory, more and more, from a signal on. */
const leak = `
  process.on('SIGUSR2', () => {
    globalThis.kept = []
    setInterval(() => kept.push(Array.from({ length: 20_000 }, (_, n) => ({ n }))), 5)
  })`

test('a server that runs out of memory ends at once, and has lost nothing that it answered', async context => {
  const options = `--max-old-space-size=50 --import=data:text/javascript,${encodeURIComponent(leak)}`
  const server = await serveSample(
    context,
    'pools: [{ id: box, mode: urn, items: [{ id: ticket, stock: 1000000 }] }]',
    {
      env: { NODE_OPTIONS: options },
    },
  )
  let answered = 0
  const drawing = (async () => {
    for (;;) answered = (await draw(server.url, 'box')).id
  })()
  while (answered < 10) await new Promise(resolve => setTimeout(resolve, 5))
  server.process.kill('SIGUSR2')
  // The connection is gone, and so is the server.
  await assert.rejects(drawing, TypeError)
  const { code, stderr } = await server.ended
  assert.notEqual(code, 0)
  assert.match(stderr, /heap out of memory/)
  const { url } = await serve(context, [server.file])
  const { drawn } = await readPool(url, 'box')
  // The last one may have been made, and its answer not sent.
  assert.ok(drawn === answered || drawn === answered + 1, `${drawn} draws, ${answered} answered`)
})
