import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { createKey, hashKey } from '../src/access/api-key.ts'
import { scopes } from '../src/access/caller.ts'
import { KeyAccess } from '../src/access/key-access.ts'
import { openDoor as openHttp } from './support/doors.ts'
import { openDoor as openGrpc } from './support/grpc-door.ts'
import { field, frame, RawConnection } from './support/raw-grpc.ts'
import { assertProblem, request } from './support/requests.ts'
import { type Refusal, RespClient } from './support/resp-client.ts'
import { openDoor as openResp } from './support/resp-door.ts'

/** Keys whose limit is a number of requests that is never filled up again. */
function limited(burst: number) {
  const [key, reader] = [createKey(), createKey()]
  const limit = { requestsPerSecond: 1, burst }
  const keys = [
    { name: 'shop', hash: hashKey(key), scopes: new Set(scopes), limit },
    { name: 'reader', hash: hashKey(reader), scopes: new Set(['read'] as const), limit },
  ]
  return { key, reader, access: new KeyAccess(keys, () => 0) }
}

const items = [{ id: 'a', weight: 1, stock: 'unlimited' }]

async function openPools(context: TestContext, burst: number) {
  const keys = limited(burst)
  const { url, kuji } = await openHttp(context, { access: keys.access })
  await kuji.putPool({ id: 'open', items: [{ id: 'a', weight: 1, stock: 'unlimited' }] })
  for (const weight of [2, 3]) await kuji.updateItem('open', 'a', { weight })
  const ask = (method: string, path: string, body?: unknown, headers = {}, key = keys.key) =>
    request(url, method, path, body, { authorization: `Bearer ${key}`, ...headers })
  return { ...keys, kuji, ask }
}

test('HTTP: a condition that takes several attempts is one request', async context => {
  for (const tag of ['*', '"1", "2", "3"', 'W/"3", "3"']) {
    const { ask } = await openPools(context, 1)
    const path = '/v1/pools/open/items/a'
    assert.equal((await ask('PATCH', path, { weight: 9 }, { 'if-match': tag })).status, 200, tag)
    assertProblem(await ask('PATCH', path, { weight: 8 }, { 'if-match': tag }), 'LIMIT_REACHED')
  }
})

test('HTTP: a condition that no version fits is judged like any other, and tells which one there is', async context => {
  const { ask, reader } = await openPools(context, 4)
  const none = { 'if-match': '"0"' }
  const path = '/v1/pools/open'
  const conflict = assertProblem(await ask('PUT', path, { items }, none), 'VERSION_CONFLICT')
  assert.equal(conflict.version, 3)
  assert.match(String(conflict.detail), /version 3/)
  assert.doesNotMatch(String(conflict.detail), /9007199254740991/)
  assertProblem(await ask('PUT', path, { items }, none, reader), 'FORBIDDEN')
  assertProblem(await ask('PATCH', '/v1/pools/none/items/a', { weight: 1 }, none), 'POOL_NOT_FOUND')
  assertProblem(await ask('PUT', path, { items: [] }, none), 'INVALID')
  await ask('GET', path)
  assertProblem(await ask('PUT', path, { items }, none), 'LIMIT_REACHED')
})

test('HTTP: a request counts whatever becomes of it', async context => {
  const draws = '/v1/pools/open/draws'
  const rows = [
    ['POST', draws, { count: 0 }],
    ['POST', draws, '{'],
    ['POST', '/v1/pools/none/draws', {}],
    ['GET', '/v1/draws/x', undefined],
  ] as const
  for (const [method, path, body] of rows) {
    const { ask } = await openPools(context, 1)
    assert.ok((await ask(method, path, body)).status < 429)
    assertProblem(await ask('POST', draws), 'LIMIT_REACHED')
  }
  const { ask, reader } = await openPools(context, 1)
  assertProblem(await ask('POST', draws, {}, {}, reader), 'FORBIDDEN')
  assertProblem(await ask('GET', '/v1/pools', undefined, {}, reader), 'LIMIT_REACHED')
})

test('gRPC: a request counts whatever becomes of it, and a stream for each of its requests', async context => {
  const { key, access } = limited(3)
  const { port, kuji } = await openGrpc(context, { access })
  const connection = await RawConnection.open(context, port)
  const headers = { authorization: `Bearer ${key}` }
  const code = async (method: string, ...messages: Buffer[]) => {
    const end = await connection.call(method, Buffer.concat(messages.map(message => frame(message))), headers)
    return end.headers['kuji-code']
  }
  const draw = field(1, Buffer.from('few'))
  assert.equal(await code('Draw', Buffer.from([0xff])), 'INVALID')
  assert.equal(await code('DrawStream', field(1, draw), Buffer.from([0xff]), field(1, draw)), undefined)
  assert.equal(await code('Draw', draw), 'LIMIT_REACHED')
  assert.equal((await kuji.pool('few')).drawn, 1)
})

test('RESP: a command about draws or pools counts in any case, one about the connection does not', async context => {
  const { key, access } = limited(3)
  const { port } = await openResp(context, { access })
  const client = await RespClient.open(context, port)
  await client.ask('AUTH', key)
  for (const command of ['PING', 'INFO', 'COMMAND', 'CLIENT ID']) await client.ask(...command.split(' '))
  assert.ok(Array.isArray(await client.ask('DRAW', 'summer')))
  for (const command of ['DRAW summer COUNT 0', 'NOTHING'])
    assert.equal(((await client.ask(...command.split(' '))) as Refusal).code, 'INVALID')
  const refusal = (await client.ask('DRAW', 'summer')) as Refusal
  assert.equal(refusal.code, 'LIMIT_REACHED')
  assert.match(refusal.message, / \(again in 1 s\)$/)
  assert.equal(await client.ask('PING'), 'PONG')
})
