import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { Code } from '@kuji/engine/contract'
import { openDoor } from './support/doors.ts'
import { readLog } from './support/log-lines.ts'
import { serveSample } from './support/processes.ts'
import { assertProblem, draw, readPool, request } from './support/requests.ts'

const pools = `
pools:
  - { id: open, items: [{ id: a, weight: 1, stock: 5 }, { id: b, weight: 2, stock: unlimited }] }
  - { id: empty, items: [{ id: a, weight: 1, stock: 0 }] }
  - { id: few, items: [{ id: a, weight: 1, stock: 3 }] }
  - { id: closed, items: [{ id: a, weight: 1, stock: 3 }] }
  - { id: paused, items: [{ id: a, weight: 1, stock: 3 }] }
`

/** Method, path, body (a text is sent as it is), code, and what the detail has to say. */
type Row = readonly [string, string, unknown, Code, RegExp]

const draws = '/v1/pools/open/draws'
const oneItem = [{ id: 'a', weight: 1, stock: 1 }]

const drawRows: readonly Row[] = [
  ['POST', draws, { count: 0 }, 'INVALID', /^count: expected a whole number from 1 to 10,000, got 0$/],
  ['POST', draws, { count: 10_001 }, 'INVALID', /^count: .* got 10001$/],
  ['POST', draws, { count: -1 }, 'INVALID', /^count: .* got -1$/],
  ['POST', draws, { count: 1.5 }, 'INVALID', /^count: .* got 1.5$/],
  ['POST', draws, { count: '3' }, 'INVALID', /^count: .* got "3"$/],
  ['POST', draws, { count: null }, 'INVALID', /^count: .* got null$/],
  ['POST', draws, { count: true }, 'INVALID', /^count: .* got true$/],
  ['POST', draws, { count: [1] }, 'INVALID', /^count: .* got a list$/],
  ['POST', draws, '{"count":1e400}', 'INVALID', /^count: .* got Infinity$/],
  ['POST', draws, '{"count":NaN}', 'INVALID', /^the body is not JSON/],
  ['POST', draws, { partial: 1 }, 'INVALID', /^partial: expected true or false, got 1$/],
  ['POST', draws, { cuont: 1 }, 'INVALID', /^cuont: unknown field; known are count, recipient, partial$/],
  ['POST', draws, { recipient: '' }, 'INVALID', /^recipient: expected a text of 1 to 255, got ""$/],
  ['POST', draws, { recipient: 'x'.repeat(256) }, 'INVALID', /^recipient: expected a text of 1 to 255, got/],
  ['POST', draws, { recipient: 7 }, 'INVALID', /^recipient: expected a text of 1 to 255, got 7$/],
  ['POST', draws, { key: 'order-42' }, 'INVALID', /^key: .* the header Idempotency-Key$/],
  ['POST', draws, { hold: 60 }, 'INVALID', /^hold: not in this version/],
  ['POST', draws, '{"__proto__":{"count":5}}', 'INVALID', /^__proto__: unknown field/],
  ['POST', draws, '{"constructor":1}', 'INVALID', /^constructor: unknown field/],
  ['POST', draws, [], 'INVALID', /^body: expected an object, got an empty list$/],
  ['POST', draws, 'null', 'INVALID', /^body: expected an object, got null$/],
  ['POST', draws, '7', 'INVALID', /^body: expected an object, got 7$/],
  ['POST', draws, '{"count":', 'INVALID', /^the body is not JSON/],
  ['POST', draws, '{"count":1,"count":1}', 'INVALID', /^an object of the body has the same field twice$/],
  ['POST', draws, '{"count":1,"c\\u006funt":2}', 'INVALID', /the same field twice$/],
  ['POST', draws, '\ufeff{}', 'INVALID', /^the body is not JSON/],
  ['POST', draws, '['.repeat(60_000), 'INVALID', /nested more than 19 levels/],
  ['POST', draws, `{"count":1,"x":"${'x'.repeat(70_000)}"}`, 'TOO_LARGE', /over 65536 bytes/],
  ['POST', '/v1/pools/nowhere/draws', undefined, 'POOL_NOT_FOUND', /nowhere/],
  ['POST', '/v1/pools/__proto__/draws', undefined, 'POOL_NOT_FOUND', /__proto__/],
  ['POST', '/v1/pools/constructor/draws', undefined, 'POOL_NOT_FOUND', /constructor/],
  ['POST', '/v1/pools/empty/draws', undefined, 'POOL_EMPTY', /empty/],
  ['POST', '/v1/pools/few/draws', { count: 4 }, 'INSUFFICIENT_STOCK', /few/],
  ['POST', '/v1/pools/closed/draws', undefined, 'POOL_CLOSED', /closed/],
  ['POST', '/v1/pools/paused/draws', undefined, 'POOL_PAUSED', /paused/],
]

const put = '/v1/pools/new'
const putRows: readonly Row[] = [
  ['PUT', put, undefined, 'INVALID', /^body: expected an object, got null$/],
  ['PUT', put, {}, 'INVALID', /^items: missing; expected a list of at least 1$/],
  ['PUT', put, { items: [] }, 'INVALID', /^items: expected a list of at least 1, got an empty list$/],
  ['PUT', put, { items: {} }, 'INVALID', /^items: expected a list/],
  ['PUT', put, { id: 'other', items: oneItem }, 'INVALID', /^id: expected "new"/],
  [
    'PUT',
    put,
    { items: oneItem, mode: 'lottery' },
    'INVALID',
    /^mode: expected one of weighted, urn, got "lottery"$/,
  ],
  ['PUT', put, { items: oneItem, colour: 1 }, 'INVALID', /^colour: unknown field; known are id, mode, items/],
  ['PUT', put, { items: oneItem, fallback: 'z' }, 'INVALID', /^fallback: /],
  ['PUT', put, { items: oneItem, lastOne: 'a' }, 'INVALID', /^lastOne: /],
  [
    'PUT',
    put,
    { items: [{ id: 'a', weight: 1 }] },
    'INVALID',
    /^items\[0\]\.stock: missing; expected a whole number from/,
  ],
  ['PUT', put, { items: [{ id: 'a', stock: 1 }] }, 'INVALID', /^items\[0\]\.weight: /],
  ['PUT', put, { items: [{ id: 'a', weight: 0, stock: 1 }] }, 'INVALID', /^items\[0\]\.weight: /],
  ['PUT', put, { items: [{ id: 'a', weight: -1, stock: 1 }] }, 'INVALID', /^items\[0\]\.weight: .*got -1$/],
  ['PUT', put, { items: [{ id: 'a', weight: '1', stock: 1 }] }, 'INVALID', /^items\[0\]\.weight: .*got "1"$/],
  [
    'PUT',
    put,
    '{"items":[{"id":"a","weight":1e999,"stock":1}]}',
    'INVALID',
    /^items\[0\]\.weight: .*got Infinity$/,
  ],
  ['PUT', put, { items: [{ id: 'a', weight: 1e-10, stock: 1 }] }, 'INVALID', /^items\[0\]\.weight: .*exact/],
  ['PUT', put, { items: [{ id: 'a', weight: 1, stock: -1 }] }, 'INVALID', /^items\[0\]\.stock: .*got -1$/],
  ['PUT', put, { items: [{ id: 'a', weight: 1, stock: 0.5 }] }, 'INVALID', /^items\[0\]\.stock: .*got 0.5$/],
  ['PUT', put, { items: [{ id: 'a', weight: 1, stock: 2 ** 51 }] }, 'INVALID', /^items\[0\]\.stock: /],
  ['PUT', put, { items: [{ id: 'a', weight: 1, stock: 'lots' }] }, 'INVALID', /or "unlimited", got "lots"$/],
  [
    'PUT',
    put,
    { items: [{ id: '', weight: 1, stock: 1 }] },
    'INVALID',
    /^items\[0\]\.id: expected an id: 1 to 128/,
  ],
  ['PUT', put, { items: [{ id: 'a b', weight: 1, stock: 1 }] }, 'INVALID', /^items\[0\]\.id: .*got "a b"$/],
  ['PUT', put, { items: [{ id: 'x'.repeat(129), weight: 1, stock: 1 }] }, 'INVALID', /^items\[0\]\.id: /],
  ['PUT', put, { items: [...oneItem, ...oneItem] }, 'INVALID', /^items\[1\]\.id: .*twice/],
  ['PUT', put, { items: oneItem, metadata: 'm'.repeat(5000) }, 'TOO_LARGE', /^metadata: /],
  [
    'PUT',
    put,
    `{"items":[{"id":"a","weight":1,"stock":1,"__proto__":1}]}`,
    'INVALID',
    /^items\[0\]\.__proto__: unknown/,
  ],
  [
    'PUT',
    put,
    '{"items":[{"id":"a","weight":1,"stock":1,"metadata":{"a":1,"b":{"c":1,"c":2}}}]}',
    'INVALID',
    /the same field twice$/,
  ],
  ['PUT', '/v1/pools/a%20b', { items: oneItem }, 'INVALID', /^id: /],
  ['PUT', `/v1/pools/${'x'.repeat(129)}`, { items: oneItem }, 'INVALID', /^id: /],
  ['PUT', '/v1/pools/closed', { items: oneItem }, 'POOL_CLOSED', /closed/],
]

const otherRows: readonly Row[] = [
  ['PATCH', '/v1/pools/open/items/a', {}, 'INVALID', /^body: expected at least one of restock, weight$/],
  ['PATCH', '/v1/pools/open/items/a', { restock: 0 }, 'INVALID', /^restock: .*got 0$/],
  ['PATCH', '/v1/pools/open/items/a', { restock: -3 }, 'INVALID', /^restock: /],
  ['PATCH', '/v1/pools/open/items/a', { restock: 2 ** 50 }, 'INVALID', /./],
  ['PATCH', '/v1/pools/open/items/a', { weight: 'x' }, 'INVALID', /^weight: /],
  [
    'PATCH',
    '/v1/pools/open/items/a',
    { stock: 4 },
    'INVALID',
    /^stock: unknown field; known are restock, weight$/,
  ],
  ['PATCH', '/v1/pools/open/items/z', { restock: 1 }, 'ITEM_NOT_FOUND', /z/],
  ['PATCH', '/v1/pools/open/items/__proto__', { restock: 1 }, 'ITEM_NOT_FOUND', /__proto__/],
  ['PATCH', '/v1/pools/nowhere/items/a', { restock: 1 }, 'POOL_NOT_FOUND', /nowhere/],
  ['GET', '/v1/draws/0', undefined, 'INVALID', /^id: expected a draw number/],
  ['GET', '/v1/draws/1.5', undefined, 'INVALID', /^id: expected a draw number/],
  ['GET', '/v1/draws/9999999999999999', undefined, 'INVALID', /./],
  ['GET', '/v1/draws/1', undefined, 'DRAW_NOT_FOUND', /1/],
  ['GET', '/v1/draws/x', undefined, 'INVALID', /^id: .*got "x"$/],
  ['GET', '/v1/events?after=-1', undefined, 'INVALID', /^after: expected a position/],
  ['GET', '/v1/events?after=1e3', undefined, 'INVALID', /^after: /],
  ['GET', '/v1/events?since=1', undefined, 'INVALID', /^since: unknown field; known are after$/],
  ['POST', '/v1/pools/a%00b/draws', undefined, 'POOL_NOT_FOUND', /a/],
  ['PUT', '/v1/pools/a%00b', { items: oneItem }, 'INVALID', /^id: /],
  ['GET', '/v1/pools/nowhere', undefined, 'POOL_NOT_FOUND', /nowhere/],
  ['GET', '/v1/pools/toString', undefined, 'POOL_NOT_FOUND', /toString/],
  ['DELETE', '/v1/pools/nowhere', undefined, 'POOL_NOT_FOUND', /nowhere/],
  ['POST', '/v1/pools/nowhere/pause', undefined, 'POOL_NOT_FOUND', /nowhere/],
  ['POST', '/v1/pools/open/pause', { until: 5 }, 'INVALID', /^until: unknown field; none is known here$/],
  ['POST', '/v1/pools/closed/resume', undefined, 'POOL_CLOSED', /closed/],
  [
    'GET',
    '/v1/pools?limit=0',
    undefined,
    'INVALID',
    /^limit: expected a whole number from 1 to 1,000, got "0"$/,
  ],
  ['GET', '/v1/pools?limit=1001', undefined, 'INVALID', /^limit: /],
  ['GET', '/v1/pools?limit=1e1', undefined, 'INVALID', /^limit: /],
  ['GET', '/v1/pools?limit=1&limit=2', undefined, 'INVALID', /^limit: .*got a list$/],
  ['GET', '/v1/pools?page=2', undefined, 'INVALID', /^page: unknown field; known are after, limit$/],
]

async function prepare(context: TestContext) {
  const server = await serveSample(context, pools)
  await request(server.url, 'POST', '/v1/pools/closed/close')
  await request(server.url, 'POST', '/v1/pools/paused/pause')
  return server
}

test('bad requests give their code, name the field, and change nothing', async context => {
  const { url, stderr } = await prepare(context)
  const before = await readPool(url, 'open')
  for (const [method, path, body, code, detail] of [...drawRows, ...putRows, ...otherRows]) {
    const shown = JSON.stringify(body ?? '').slice(0, 80)
    await context.test(`${method} ${path.slice(0, 60)} ${shown} is refused with ${code}`, async () => {
      const problem = assertProblem(await request(url, method, path, body), code)
      assert.match(String(problem.detail), detail)
      const named = /^([\w.[\]]+): /.exec(String(problem.detail))?.[1]
      if (code === 'INVALID' && named !== undefined) assert.equal(problem.field, named)
    })
  }
  assert.deepEqual(await readPool(url, 'open'), before)
  const { id } = await draw(url, 'open')
  assert.equal(id, 1, 'no refused request took a draw number')
  assertProblem(await request(url, 'GET', '/v1/pools/new'), 'POOL_NOT_FOUND')
  assert.deepEqual(
    readLog(stderr()).filter(({ level }) => level === 'error'),
    [],
    'nothing of this is a defect',
  )
})

test('ids that are names of the language work like any other', async context => {
  const { url } = await serveSample(context, '')
  for (const id of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
    const items = [{ id, weight: 1, stock: 2 }]
    assert.equal((await request(url, 'PUT', `/v1/pools/${id}`, { items })).status, 201)
    assert.deepEqual((await draw(url, id)).items, [id])
    const patched = await request(url, 'PATCH', `/v1/pools/${id}/items/${id}`, { restock: 1 })
    assert.equal(patched.status, 200)
    assert.equal((await readPool(url, id)).items[0]?.remaining, 2)
  }
})

test('metadata named like the language comes back as it was put', async context => {
  const { url } = await serveSample(context, '')
  const metadata = '{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}'
  const body = `{"items":[{"id":"a","weight":1,"stock":1,"metadata":${metadata}}],"metadata":${metadata}}`
  assert.equal((await request(url, 'PUT', '/v1/pools/odd', body)).status, 201)
  const text = await (await fetch(`${url}/v1/pools/odd`)).text()
  assert.equal(text.split(metadata).length, 3, text)
  const other = await request(url, 'GET', '/healthz')
  assert.equal(other.body.polluted, undefined)
})

test('a query that a request does not take is refused: nothing that was meant for it is lost', async context => {
  const { url, kuji } = await openDoor(context)
  await kuji.putPool({ id: 'open', items: [{ id: 'a', weight: 1, stock: 'unlimited' }] })
  const rows = [
    ['POST', '/v1/pools/open/draws?count=10', 'count'],
    ['POST', '/v1/pools/open/draws?key=order-42', 'key'],
    ['GET', '/v1/pools/open?x=1', 'x'],
    ['POST', '/v1/pools/open/pause?x', 'x'],
    ['GET', '/v1/draws/1?__proto__=1', '__proto__'],
  ] as const
  for (const [method, path, field] of rows) {
    const problem = assertProblem(await request(url, method, path), 'INVALID')
    assert.equal(problem.field, field, path)
  }
  assert.equal((await kuji.pool('open')).drawn, 0)
  assert.equal((await request(url, 'GET', '/healthz?probe=1')).status, 200)
})

test('a body in an encoding or a charset that is not served is refused, not read as another', async context => {
  const { url, kuji } = await openDoor(context)
  await kuji.putPool({ id: 'open', items: [{ id: 'a', weight: 1, stock: 'unlimited' }] })
  const post = (headers: Record<string, string>) =>
    request(url, 'POST', '/v1/pools/open/draws', '{"recipient":"user"}', headers)
  for (const headers of [
    { 'content-encoding': 'gzip' },
    { 'content-encoding': 'br, identity' },
    { 'content-type': 'application/json; charset=latin1' },
    { 'content-type': 'application/json;charset="utf-16"' },
  ])
    assertProblem(await post(headers), 'INVALID', 415)
  for (const headers of [
    { 'content-encoding': 'identity' },
    { 'content-type': 'application/json; charset=UTF-8' },
    { 'content-type': 'application/json;charset="utf-8"' },
  ])
    assert.equal((await post(headers)).status, 201)
  assert.equal((await kuji.pool('open')).drawn, 3)
})
