import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KujiClient } from '../src/index.ts'
import { assertRefused } from './support/refused.ts'
import { json, receipt, scriptedClient } from './support/scripted-server.ts'

const uuid = /^"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"$/

test('each draw has a key of its own, a random UUID, and takes the key for access along', async () => {
  const { client, sent } = scriptedClient([receipt], {
    url: 'https://kuji.test/behind/a/path/',
    apiKey: 'secret',
  })
  for (let draws = 0; draws < 50; draws++)
    await client.draw('a/b c', { count: 2, partial: true, recipient: 'é' })
  const headers = sent.map(({ init }) => init.headers as Record<string, string>)
  for (const each of headers) {
    assert.match(each['idempotency-key'] ?? '', uuid)
    assert.equal(each.authorization, 'Bearer secret')
  }
  assert.equal(new Set(headers.map(each => each['idempotency-key'])).size, 50)
  assert.equal(sent[0]?.url, 'https://kuji.test/behind/a/path/v1/pools/a%2Fb%20c/draws')
  assert.equal(sent[0]?.init.body, '{"count":2,"partial":true,"recipient":"é"}')
  assert.equal(sent[0]?.init.redirect, 'manual')
})

test('versions are conditions of HTTP', async () => {
  const answer = json({ id: 'p', version: 4, created: false, changed: true, status: 'open' })
  const { client, sent } = scriptedClient([answer])
  const manifest = { id: 'p', items: [{ id: 'a', weight: 1, stock: 9 }] }
  await client.putPool(manifest, { ifVersion: 3 })
  await client.putPool(manifest, { ifVersion: 0 })
  await client.putPool(manifest)
  await client.updateItem('p', 'a', { weight: 2 }, { ifVersion: 12 })
  const headers = sent.map(({ init }) => init.headers as Record<string, string>)
  assert.deepEqual(
    headers.map(each => [each['if-match'], each['if-none-match']]),
    [
      ['"3"', undefined],
      [undefined, '*'],
      [undefined, undefined],
      ['"12"', undefined],
    ],
  )
})

test('what cannot be sent is refused by name, before anything is', async () => {
  const { client, sent } = scriptedClient([receipt])
  // As programs without types have them.
  const nothing = null as never
  const manifest = { id: 'p', items: [] }
  const rows: [Promise<unknown>, string][] = [
    [client.draw(''), 'pool'],
    [client.draw('.'), 'pool'],
    [client.draw('..'), 'pool'],
    [client.draw('p', { key: '' }), 'key'],
    [client.draw('p', { key: 'é' }), 'key'],
    [client.draw('p', { key: 'a\nb' }), 'key'],
    [client.draw('p', { key: 'k'.repeat(256) }), 'key'],
    [client.draw('p', { timeoutMs: 0 }), 'timeoutMs'],
    [client.updateItem('p', '..', { restock: 1 }), 'item'],
    [client.putPool({ id: '..', items: [] }), 'pool'],
    [client.updateItem('p', 'a', { restock: 1 }, { ifVersion: -1 }), 'ifVersion'],
    [client.receipt(0), 'id'],
    [client.receipt(1.5), 'id'],
    [client.events({ after: -1 }).next(), 'after'],
    [client.events(nothing).next(), 'options'],
    [client.draw('p', nothing), 'options'],
    [client.draw('p', { key: 7 as never }), 'key'],
    [client.putPool(nothing), 'manifest'],
    [client.putPool(manifest, nothing), 'options'],
    [client.updateItem('p', 'a', nothing), 'update'],
    [client.updateItem('p', 'a', { restock: 1 }, nothing), 'options'],
    [client.pausePool('p', nothing), 'options'],
    [client.pool('p', nothing), 'options'],
    [client.pools(nothing).next(), 'options'],
  ]
  for (const [call, field] of rows) assert.equal((await assertRefused(call, 'INVALID')).fields.field, field)
  assert.equal(sent.length, 0)
})

test('options of a client are checked by name', () => {
  const url = 'http://127.0.0.1:7070'
  const rows = [
    [null as never, 'options'],
    [{} as never, 'url'],
    [{ url: 'nowhere' }, 'url'],
    [{ url: 'ftp://x' }, 'url'],
    [{ url: 'http://user:password@x' }, 'url'],
    [{ url: 'http://x?query' }, 'url'],
    [{ url, apiKey: '' }, 'apiKey'],
    [{ url, apiKey: 'a b' }, 'apiKey'],
    [{ url, timeoutMs: 0 }, 'timeoutMs'],
    [{ url, timeoutMs: 2 ** 31 }, 'timeoutMs'],
    [{ url, tryTimeoutMs: 1.5 }, 'tryTimeoutMs'],
    [{ url, retries: -1 }, 'retries'],
    [{ url, retries: Number.NaN }, 'retries'],
  ] as const
  for (const [options, field] of rows) {
    assert.throws(
      () => new KujiClient(options),
      { code: 'INVALID', fields: { field } },
      JSON.stringify(options),
    )
  }
})
