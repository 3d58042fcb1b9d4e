import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { serverLimits } from '../src/limits.ts'
import { openDoor } from './support/doors.ts'
import { assertProblem, draw, readPool, request } from './support/requests.ts'
import { openSocket, readToEnd, sendRaw } from './support/sockets.ts'

const draws = '/v1/pools/open/draws'
const head = `POST ${draws} HTTP/1.1\r\nHost: localhost\r\n`
const jsonHead = `${head}Content-Type: application/json\r\n`

/** A server with a pool, of which the rest of the test is that it goes on. */
async function openPool(context: TestContext) {
  const door = await openDoor(context)
  await request(door.url, 'PUT', '/v1/pools/open', { items: [{ id: 'a', weight: 1, stock: 'unlimited' }] })
  const others = async () => {
    const { id } = await draw(door.url, 'open')
    assert.equal((await readPool(door.url, 'open')).drawn, id)
  }
  return { ...door, others }
}

test('bytes that are no request, or a doubtful one, are refused and the connection is closed', async context => {
  const { url, others, lines } = await openPool(context)
  const body = '{"count":1}'
  const rows: readonly (readonly [string, string | Buffer, number])[] = [
    ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400],
    ['TLS', Buffer.from('16030100a5010000a10303', 'hex'), 400],
    ['RESP', '*1\r\n$4\r\nPING\r\n', 400],
    ['HTTP/0.9', 'GET /healthz\r\n\r\n', 400],
    ['a version that is none', 'GET /healthz HTTP/9.9\r\nHost: localhost\r\n\r\n', 400],
    ['zeros', Buffer.alloc(1024), 400],
    ['a NUL in the path', 'GET /v1/pools/a\0b HTTP/1.1\r\nHost: localhost\r\n\r\n', 400],
    ['a path of 20 KB', `GET /${'x'.repeat(20_000)} HTTP/1.1\r\nHost: localhost\r\n\r\n`, 431],
    ['headers of 20 KB', `${head}${'X: x\r\n'.repeat(3_500)}\r\n`, 431],
    [
      'a length beside chunks',
      `${jsonHead}Content-Length: 11\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      400,
    ],
    ['two lengths', `${jsonHead}Content-Length: 11\r\nContent-Length: 12\r\n\r\n${body}`, 400],
    ['a negative length', `${jsonHead}Content-Length: -1\r\n\r\n${body}`, 400],
    ['a length of 2^64', `${jsonHead}Content-Length: 18446744073709551616\r\n\r\n${body}`, 400],
    ['a length of 2^62', `${jsonHead}Content-Length: 4611686018427387904\r\n\r\n${body}`, 413],
    [
      'chunks that are not the last coding',
      `${jsonHead}Transfer-Encoding: chunked, identity\r\n\r\n${body}`,
      400,
    ],
    ['a coding in disguise', `${jsonHead}Transfer-Encoding: xchunked\r\n\r\n${body}`, 400],
    ['a space before the colon', `${jsonHead}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n`, 400],
    ['a folded header', `${head}X: a\r\n b\r\nConnection: close\r\nContent-Length: x\r\n\r\n`, 400],
    [
      'a chunk size that is none',
      `${jsonHead}Transfer-Encoding: chunked\r\n\r\nzz\r\n${body}\r\n0\r\n\r\n`,
      400,
    ],
    ['a chunk of 2^64', `${jsonHead}Transfer-Encoding: chunked\r\n\r\n10000000000000000\r\n${body}`, 400],
  ]
  for (const [name, bytes, status] of rows) {
    await context.test(`${name} is refused with ${status}`, async () => {
      const answer = await sendRaw(url, bytes)
      assert.equal(answer.status, status)
      assert.match(answer.head, /^content-type: application\/problem\+json/im)
      assert.equal(JSON.parse(answer.body).status, status)
      await others()
    })
  }
  assert.doesNotMatch(lines(), /"level":"error"/)
})

test('a body that no program should have sent is refused, whatever is in it', async context => {
  const { url, others, lines } = await openPool(context)
  const post = (body: string | Buffer) => {
    const length = Buffer.byteLength(body)
    const start = `${jsonHead}Connection: close\r\nContent-Length: ${length}\r\n\r\n`
    return sendRaw(url, Buffer.concat([Buffer.from(start), Buffer.from(body)]))
  }
  const rows: readonly (readonly [string, string | Buffer, number])[] = [
    ['a million lists in one another', '['.repeat(1_000_000), 413],
    ['as many as fit', '['.repeat(65_536), 400],
    ['objects in one another', '{"a":'.repeat(13_000), 400],
    ['bytes that are no UTF-8', Buffer.from('7b22636f756e74223a31c3287d', 'hex'), 400],
    ['half a character', Buffer.from('{"recipient":"\u{1f3b2}"}').subarray(0, 17), 400],
    ['UTF-16', Buffer.from('{"count":1}', 'utf16le'), 400],
    ['zeros', Buffer.alloc(100), 400],
    ['a prototype', '{"__proto__":{"count":3},"constructor":{"prototype":{"count":3}}}', 400],
    ['two documents', '{"count":1}{"count":2}', 400],
    ['a field twice', '{"count":1,"partial":true,"count":2}', 400],
  ]
  for (const [name, body, status] of rows) {
    await context.test(`${name}: ${status}`, async () => {
      assert.equal((await post(body)).status, status)
      await others()
    })
  }
  assert.equal((await readPool(url, 'open')).drawn, rows.length)
  assert.doesNotMatch(lines(), /"level":"error"/)
})

test('what stands behind a refused body is never taken for a request', async context => {
  const { url } = await openPool(context)
  const hidden = `${head}\r\n`
  const padding = ' '.repeat(70_000)
  const { status } = await sendRaw(
    url,
    `${jsonHead}Content-Length: ${padding.length + hidden.length}\r\n\r\n${padding}${hidden}`,
  )
  assert.equal(status, 413)
  const { drawn } = await readPool(url, 'open')
  assert.equal(drawn, 0)
})

test('requests in one piece are answered in their order', async context => {
  const { url } = await openPool(context)
  const socket = await openSocket(url)
  const count = serverLimits.httpPipelined
  const one = `${jsonHead}Content-Length: 11\r\n\r\n{"count":2}`
  socket.write(one.repeat(count - 1) + one.replace('Host', 'Connection: close\r\nHost'))
  const text = await readToEnd(socket)
  const ids = [...text.matchAll(/\{"id":(\d+),/g)].map(([, id]) => Number(id))
  assert.deepEqual(
    ids,
    Array.from({ length: count }, (_, index) => 1 + 2 * index),
  )
})

test('a client that asks on and on and reads no answer is cut off, and holds up nobody', async context => {
  const { url, kuji, others } = await openPool(context)
  const socket = await openSocket(url)
  const closed = new Promise(resolve => socket.once('close', resolve))
  socket.pause()
  const many = `${jsonHead}Content-Length: 2\r\n\r\n{}`.repeat(500)
  const ask = () => {
    while (socket.writable && socket.write(many)) {}
  }
  socket.on('drain', ask).on('error', () => {})
  ask()
  await closed
  await others()
  // What it asked for beyond the bound was never begun.
  assert.ok(kuji.status().drawNumber < 100_000)
})

test('a request in single bytes is one like any other', async context => {
  const { url } = await openPool(context)
  const socket = await openSocket(url)
  socket.setNoDelay(true)
  const answer = readToEnd(socket)
  for (const byte of `${jsonHead}Connection: close\r\nContent-Length: 11\r\n\r\n{"count":2}`) {
    socket.write(byte)
    await new Promise(setImmediate)
  }
  assert.match(await answer, /^HTTP\/1\.1 201 /)
})

test('a client that is gone before its answer harms nobody', async context => {
  const { url, lines } = await openPool(context)
  for (let round = 0; round < 20; round++) {
    const socket = await openSocket(url)
    socket.write(`${head}\r\n`)
    if (round % 2 === 0) socket.resetAndDestroy()
    else socket.end()
    await draw(url, 'open')
  }
  assert.doesNotMatch(lines(), /"level":"error"/)
})

test('whoever takes too long to say what he wants is cut off, and others are served meanwhile', async context => {
  const { url, others } = await openPool(context)
  const rows = [
    ['nothing at all', ''],
    ['half of a line', 'POST /v1/po'],
    ['headers without an end', head],
    ['a body that does not come', `${jsonHead}Content-Length: 11\r\n\r\n`],
    ['a chunk that does not come', `${jsonHead}Transfer-Encoding: chunked\r\n\r\nb\r\n{"co`],
  ] as const
  let waiting = rows.length
  const ends = rows.map(async ([name, bytes]) => {
    const socket = await openSocket(url)
    socket.write(bytes)
    const answer = await readToEnd(socket)
    waiting--
    assert.match(answer, /^HTTP\/1\.1 408 [\s\S]*"status":408/, name)
  })
  while (waiting > 0) {
    await others()
    await new Promise(resolve => setTimeout(resolve, 100))
  }
  await Promise.all(ends)
})

test('a body may be announced and waited for', async context => {
  const { url } = await openPool(context)
  const socket = await openSocket(url)
  const answer = readToEnd(socket)
  socket.write(`${jsonHead}Expect: 100-continue\r\nConnection: close\r\nContent-Length: 11\r\n\r\n`)
  socket.once('data', () => socket.write('{"count":2}'))
  assert.match(await answer, /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 201 /)
})

test('a connection that asks for another protocol is answered in this one', async context => {
  const { url } = await openPool(context)
  for (const protocol of ['h2c', 'websocket']) {
    const upgrade = `Connection: Upgrade, close\r\nUpgrade: ${protocol}\r\n`
    assert.equal((await sendRaw(url, `${head}${upgrade}\r\n`)).status, 201)
  }
  assertProblem(await request(url, 'OPTIONS', draws), 'INVALID', 405)
})
