import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openDoor } from './support/doors.ts'
import { openHolding } from './support/holding-door.ts'
import { readPool, request } from './support/requests.ts'
import { withLimits } from './support/smaller-limits.ts'
import { openSocket, readToEnd, statusesIn } from './support/sockets.ts'

const draw = 'POST /v1/pools/open/draws HTTP/1.1\r\nHost: localhost\r\n'
const whole = `${draw}Content-Type: application/json\r\nContent-Length: 11\r\n\r\n{"count":2}`

test('a draw is answered with its receipt, whatever stands behind it on its connection', async context => {
  const { url, arrived, answer, meter } = await openHolding(context)
  for (const [count, garbage, status] of [
    [1, 'GARBAGE\r\n\r\n', 400],
    [2, 'GARBAGE\r\n\r\n', 400],
    [1, `${draw}X: ${'x'.repeat(20_000)}\r\n\r\n`, 431],
    [1, `${draw}Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n`, 400],
  ] as const) {
    const { drawn } = await readPool(url, 'open')
    const socket = await openSocket(url)
    const text = readToEnd(socket)
    socket.write(whole.repeat(count) + garbage)
    for (let k = 0; k < count; k++) {
      await arrived()
      answer()
    }
    const answers = await text
    assert.deepEqual(statusesIn(answers), [...Array.from({ length: count }, () => 201), status], garbage)
    assert.match(answers, new RegExp(`"id":${drawn + 1},`))
    assert.equal((await readPool(url, 'open')).drawn, drawn + 2 * count)
  }
  assert.equal(meter.refusals.get('INVALID'), 4, 'what is refused so is counted like any other refusal')
})

/** Two seconds: a connection may be made a moment before its first bytes come. */
const impatient = { headersTimeoutMs: 2_000, requestTimeoutMs: 2_000, timeoutCheckMs: 20 }

/** Waits until the server has given up on a request that begins now, and with it on those that began before. */
async function untilGivenUp(url: string): Promise<void> {
  const socket = await openSocket(url)
  socket.write('GET /')
  assert.deepEqual(statusesIn(await readToEnd(socket)), [408])
}

test('a request that takes too long does not take the place of the answer before it', async context => {
  withLimits(context, impatient)
  const rows = [
    [draw, '\r\n'],
    [`${draw}Content-Type: application/json\r\nContent-Length: 11\r\n\r\n{"c`, 'ount":2}'],
  ] as const
  const runs = rows.map(async ([rest, late]) => {
    const { url, arrived, answer, meter } = await openHolding(context)
    const socket = await openSocket(url)
    const text = readToEnd(socket)
    socket.write(whole + rest)
    await arrived()
    await untilGivenUp(url)
    socket.write(late)
    answer()
    assert.deepEqual(statusesIn(await text), [201, 408], rest)
    assert.equal((await readPool(url, 'open')).drawn, 2, 'what has been given up is not begun')
    assert.equal(meter.refusals.get('INVALID'), 2, 'and the one that was waited for')
  })
  await Promise.all(runs)
})

test('nothing is written into a stream of events', async context => {
  withLimits(context, impatient)
  const { url } = await openDoor(context)
  const runs = ['GARBAGE\r\n\r\n', 'GET /', `${draw}Content-Length: 5\r\n\r\n`].map(async more => {
    const socket = await openSocket(url)
    context.after(() => socket.destroy())
    let text = ''
    socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
    socket.write('GET /v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n')
    while (!text.includes('retry:')) await new Promise(setImmediate)
    socket.write(more)
    await untilGivenUp(url)
    await request(url, 'PUT', `/v1/pools/p${socket.localPort}`, {
      items: [{ id: 'a', weight: 1, stock: 'unlimited' }],
    })
    while (!text.includes(`p${socket.localPort}`)) await new Promise(setImmediate)
    assert.deepEqual(statusesIn(text), [200], more)
  })
  await Promise.all(runs)
})

test('a stream whose own request does not end is not told so in its midst', async context => {
  withLimits(context, impatient)
  const { url, stop } = await openDoor(context)
  const socket = await openSocket(url)
  const text = readToEnd(socket)
  socket.write('GET /v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\n')
  await untilGivenUp(url)
  await stop(5000)
  assert.deepEqual(statusesIn(await text), [200])
})
