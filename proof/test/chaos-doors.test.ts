import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer as createHttpServer } from 'node:http'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, suite, type TestContext, test } from 'node:test'
import type { Door } from '../src/chaos/client/door.ts'
import { HttpDoor } from '../src/chaos/client/http-door.ts'
import { RespDoor } from '../src/chaos/client/resp-door.ts'
import { Recorder, readAttemptsOf } from '../src/chaos/recorder.ts'
import type { Request } from '../src/history/index.ts'

const directory = mkdtempSync(join(tmpdir(), 'kuji-doors-'))
after(() => rmSync(directory, { recursive: true }))

const read: Request = { kind: 'read', pool: 'p' }
const draw: Request = { kind: 'draw', pool: 'p', count: 1 }
const put: Request = { kind: 'put', pool: 'p', items: [{ id: 'a', stock: 1 }] }

async function listen(t: TestContext, server: Server): Promise<number> {
  const sockets = new Set<Socket>()
  server.on('connection', socket => sockets.add(socket))
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  return (server.address() as AddressInfo).port
}

/** What a client writes down of one request. */
async function lossOf(door: Door, request: Request, patienceMs = 20_000): Promise<string | undefined> {
  const client = `client-${Math.random()}`
  await new Recorder(directory, client).record(1, request, () => door.send(request, patienceMs))
  const [attempt] = readAttemptsOf(directory, client)
  return attempt?.answer?.outcome.kind === 'unknown' ? attempt.answer.lost : 'answered'
}

const pool = '{"version":1,"status":"open","drawn":0,"items":[]}'

const overHttp: readonly [what: string, Request, status: number, body: string, expected: string][] = [
  ['a pool', read, 200, pool, 'answered'],
  ['half a document', read, 200, pool.slice(0, 20), 'malformed'],
  ['a list', read, 200, '[]', 'malformed'],
  ['a pool without items', read, 200, '{"version":1,"status":"open","drawn":0}', 'malformed'],
  [
    'a receipt without a number',
    draw,
    201,
    '{"items":["a"],"version":1,"at":"2026-11-27T00:00:00Z"}',
    'malformed',
  ],
  ['a version that is a text', put, 200, '{"version":"1"}', 'malformed'],
  ['a refusal', draw, 409, '{"code":"POOL_EMPTY"}', 'answered'],
  ['a refusal with the status of another', draw, 404, '{"code":"POOL_EMPTY"}', 'malformed'],
  ['a code that there is not', draw, 409, '{"code":"NO_LUCK"}', 'malformed'],
  ['a page', draw, 502, '<html>', 'malformed'],
  ['the word that nobody knows', draw, 500, '{"code":"OUTCOME_UNKNOWN"}', 'told'],
]

suite('over HTTP', () => {
  for (const [what, request, status, body, expected] of overHttp)
    test(`${what} is ${expected}`, async t => {
      const server = createHttpServer((_, response) => {
        response.writeHead(status, { 'content-type': 'application/json' }).end(body)
      })
      const door = new HttpDoor(`http://127.0.0.1:${await listen(t, server)}`)
      assert.equal(await lossOf(door, request), expected)
    })

  test('a connection that is refused, ends, or ends in the middle of an answer is lost', async t => {
    const answers = ['', 'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"version"']
    const server = createServer(socket => {
      socket.on('error', () => {})
      socket.once('data', () => socket.end(answers.pop()!))
    })
    const door = new HttpDoor(`http://127.0.0.1:${await listen(t, server)}`)
    assert.equal(await lossOf(door, read), 'connection')
    assert.equal(await lossOf(door, read), 'connection')
    server.close()
    assert.equal(await lossOf(door, read), 'connection')
  })

  test('an answer that does not come is not waited for', async t => {
    const door = new HttpDoor(`http://127.0.0.1:${await listen(t, createServer())}`)
    assert.equal(await lossOf(door, draw, 20), 'timeout')
  })
})

/** Answers the commands of libraries that connect, and those of ours with the same bytes each time; null for none. */
function respServer(reply: string | null): Server {
  return createServer(socket => {
    socket.on('error', () => {})
    socket.setEncoding('latin1').on('data', (text: string) => {
      for (const [, name] of text.matchAll(/\*\d+\r\n\$\d+\r\n(\w+)\r\n/g)) {
        if (/^hello$/i.test(name!)) socket.write('%1\r\n$5\r\nproto\r\n:3\r\n')
        else if (!/^(?:pool|draw|putpool)$/i.test(name!)) socket.write('+OK\r\n')
        else if (reply === '') socket.destroy()
        else if (reply !== null) socket.write(reply)
      }
    })
  })
}

const shown = '*8\r\n+version\r\n:1\r\n+status\r\n+open\r\n+drawn\r\n:0\r\n+items\r\n*0\r\n'
const overResp: readonly [what: string, Request, reply: string, expected: string][] = [
  ['a pool', read, shown, 'answered'],
  ['a pool of RESP3', read, `%4${shown.slice(2)}`, 'answered'],
  ['an OK in the place of a pool', read, '+OK\r\n', 'malformed'],
  ['an OK in the place of a draw', draw, '+OK\r\n', 'malformed'],
  ['a draw whose number is a text', draw, '*2\r\n+1\r\n+a\r\n', 'malformed'],
  ['no answer in the language', draw, '?\r\n', 'malformed'],
  ['a refusal', draw, '-POOL_EMPTY nothing is left\r\n', 'answered'],
  ['a code that there is not', draw, '-ERR no luck\r\n', 'malformed'],
  ['the word that nobody knows', draw, '-OUTCOME_UNKNOWN a write failed\r\n', 'told'],
  ['a connection that ends', draw, '', 'connection'],
]

for (const [name, open] of [
  ['ioredis', RespDoor.byIoredis],
  ['node-redis', RespDoor.byNodeRedis],
] as const)
  suite(`over RESP by ${name}`, () => {
    for (const [what, request, reply, expected] of overResp)
      test(`${what} is ${expected}`, async t => {
        const door = await open(`redis://127.0.0.1:${await listen(t, respServer(reply))}`)
        assert.equal(await lossOf(door, request), expected)
        door.close()
      })

    test('an answer that does not come is not waited for', async t => {
      const door = await open(`redis://127.0.0.1:${await listen(t, respServer(null))}`)
      assert.equal(await lossOf(door, draw, 20), 'timeout')
      door.close()
    })
  })
