import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Kuji } from '@kuji/engine'
import type { DrawOptions } from '@kuji/engine/contract'
import { openDoor } from './support/doors.ts'
import { serveSample } from './support/processes.ts'
import { assertProblem, readPool, request } from './support/requests.ts'
import { sendRaw } from './support/sockets.ts'

const draws = '/v1/pools/open/draws'
const pools =
  'pools: [{ id: open, items: [{ id: a, weight: 1, stock: 50 }, { id: b, weight: 1, stock: 50 }] }]'

test('a key is taken in quotes or bare, as the same key', async context => {
  const keys: (string | undefined)[] = []
  const kuji: Partial<Kuji> = {
    drawTo(sink, token, pool, { key }: DrawOptions = {}) {
      keys.push(key)
      sink.answer(token, { id: keys.length, pool, items: ['a'], version: 1, at: 0, replayed: false })
    },
  }
  const { url } = await openDoor(context, { kuji })
  const good = [
    ['order-42', 'order-42'],
    ['"order-42"', 'order-42'],
    ['"with \\"quotes\\" and \\\\"', 'with "quotes" and \\'],
    ['a, b', 'a, b'],
    ['inner " quote', 'inner " quote'],
    ['x'.repeat(255), 'x'.repeat(255)],
    [`"${'x'.repeat(255)}"`, 'x'.repeat(255)],
    [`"${'\\"'.repeat(255)}"`, '"'.repeat(255)],
  ] as const
  for (const [sent, key] of good) {
    assert.equal((await request(url, 'POST', draws, {}, { 'idempotency-key': sent })).status, 201)
    assert.equal(keys.at(-1), key)
  }
  const bad = [
    '',
    '""',
    '"',
    '"open',
    '"a"b',
    '"a";p=1',
    '"a", "b"',
    '"bad \\n"',
    'clé',
    'tab\tbed',
    'x'.repeat(256),
  ]
  for (const sent of bad) {
    const answer = await request(url, 'POST', draws, {}, { 'idempotency-key': sent })
    assert.equal(assertProblem(answer, 'INVALID').field, 'Idempotency-Key', sent)
  }
  const head = `POST ${draws} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n`
  const twice = await sendRaw(url, `${head}Idempotency-Key: a\r\nIdempotency-Key: a\r\n\r\n`)
  assert.equal(twice.status, 400)
  assert.match(twice.body, /several times/)
  assert.equal(keys.length, good.length, 'what was refused drew nothing')
})

test('a request sent again with its key gives the same receipt with 200, and draws nothing', async context => {
  const { url } = await serveSample(context, pools)
  const send = (key: string, body: object) => request(url, 'POST', draws, body, { 'idempotency-key': key })
  const first = await send('order-42', { count: 3, recipient: 'user-7' })
  assert.equal(first.status, 201)
  for (const key of ['order-42', '"order-42"']) {
    const again = await send(key, { count: 3, recipient: 'user-7' })
    assert.equal(again.status, 200)
    assert.deepEqual(again.body, { ...first.body, replayed: true })
  }
  assertProblem(await send('order-42', { count: 4, recipient: 'user-7' }), 'KEY_CONFLICT')
  assert.equal((await readPool(url, 'open')).drawn, 3)
})

test('requests with one key that are under way together share one draw', async context => {
  const { url } = await serveSample(context, pools)
  const answers = await Promise.all(
    Array.from({ length: 20 }, () => request(url, 'POST', draws, { count: 2 }, { 'idempotency-key': 'k' })),
  )
  assert.deepEqual(answers.map(({ status }) => status).sort(), [
    ...Array.from({ length: 19 }, () => 200),
    201,
  ])
  assert.equal(new Set(answers.map(({ body }) => body.id)).size, 1)
  assert.equal((await readPool(url, 'open')).drawn, 2)
})

test('a receipt is found by any of its draw numbers', async context => {
  const { url } = await serveSample(context, pools)
  const { body } = await request(url, 'POST', draws, { count: 3 }, { 'idempotency-key': 'kept' })
  for (const id of [1, 2, 3]) {
    const found = await request(url, 'GET', `/v1/draws/${id}`)
    assert.equal(found.status, 200)
    assert.deepEqual(found.body, { ...body, replayed: true })
  }
  assertProblem(await request(url, 'GET', '/v1/draws/4'), 'DRAW_NOT_FOUND')
})
