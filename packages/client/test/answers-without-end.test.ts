import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { EventParser } from '../src/event-parser.ts'
import { KujiClient } from '../src/index.ts'
import { assertRefused } from './support/refused.ts'

/** A server whose answers never end. Tells how many bytes it has given away. */
async function serveWithoutEnd(context: TestContext, status: number) {
  const piece = Buffer.alloc(64 * 1024, ' ')
  let given = 0
  const server = createServer((request, response) => {
    request.resume()
    response.writeHead(status, { 'content-type': 'application/json' })
    const give = () => {
      do given += piece.length
      while (response.write(piece))
    }
    response.on('drain', give)
    give()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  context.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return { client: new KujiClient({ url: `http://127.0.0.1:${port}`, retries: 0 }), given: () => given }
}

test('an answer without an end is given up as broken, before it fills the memory', async context => {
  for (const status of [200, 503]) {
    const { client, given } = await serveWithoutEnd(context, status)
    const { message } = await assertRefused(client.draw('p'), 'OUTCOME_UNKNOWN')
    assert.match(message, /larger than 16,777,216 bytes/)
    assert.ok(given() < 64 * 2 ** 20, `${given()} bytes`)
    await assertRefused(client.health(), 'INTERNAL')
    await assertRefused(client.events({ after: 1 }).next(), 'INTERNAL')
  }
})

test('an event without an end is given up, whether its line or the list of its lines does not end', () => {
  const line = new EventParser(1000)
  assert.deepEqual(line.push(`data: ${'x'.repeat(900)}\n\n`).length, 1, 'the next event counts for itself')
  assert.deepEqual(line.push(`data: ${'x'.repeat(900)}`), [])
  assert.throws(() => line.push('x'.repeat(100)), /larger than 1,000 characters/)
  const list = new EventParser(1000)
  assert.throws(() => list.push('data: x\n'.repeat(1001)), /larger than 1,000 characters/)
})
