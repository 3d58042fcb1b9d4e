import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openHolding } from './support/holding-door.ts'
import { openSocket, readToEnd, statusesIn } from './support/sockets.ts'

test('a stream of events that begins while the server stops ends at once', async context => {
  const { url, arrived, answer, stop } = await openHolding(context)
  const socket = await openSocket(url)
  const text = readToEnd(socket)
  socket.write('POST /v1/pools/open/draws HTTP/1.1\r\nHost: localhost\r\n\r\n')
  await arrived()
  // Longer than any test: only an end of the stream ends the stop.
  const stopped = stop(100_000)
  socket.write('GET /v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n')
  await new Promise(setImmediate)
  answer()
  await stopped
  assert.equal(statusesIn(await text)[0], 201)
})
