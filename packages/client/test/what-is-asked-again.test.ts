import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { certificate } from '../../server/test/support/certificate.ts'
import type { Code } from '../src/index.ts'
import { codes, KujiClient, KujiError } from '../src/index.ts'
import { assertRefused } from './support/refused.ts'
import {
  type Answer,
  broken,
  json,
  problem,
  receipt,
  scriptedClient,
  silent,
  unreachable,
} from './support/scripted-server.ts'

const summary = json({
  id: 'p',
  version: 4,
  mode: 'weighted',
  status: 'open',
  drawn: 0,
  items: 1,
  remaining: 9,
})
const put = json({ id: 'p', version: 4, created: false, changed: true })
const manifest = { id: 'p', items: [{ id: 'a', weight: 1, stock: 9 }] }

const calls = {
  draw: client => client.draw('p'),
  pool: client => client.pool('p'),
  put: client => client.putPool(manifest),
  'put for a version': client => client.putPool(manifest, { ifVersion: 3 }),
  restock: client => client.updateItem('p', 'a', { restock: 5 }),
  'restock for a version': client => client.updateItem('p', 'a', { restock: 5 }, { ifVersion: 3 }),
  reweigh: client => client.updateItem('p', 'a', { weight: 5 }),
  pause: client => client.pausePool('p'),
  resume: client => client.resumePool('p'),
  close: client => client.closePool('p'),
  delete: client => client.deletePool('p'),
} satisfies Record<string, (client: KujiClient) => Promise<unknown>>

type Name = keyof typeof calls

const succeeds: Record<Name, Answer> = {
  ...{
    draw: receipt,
    pool: json({ id: 'p', version: 1, status: 'open', items: [] }),
    put,
    'put for a version': put,
  },
  ...{ restock: summary, 'restock for a version': summary, reweigh: summary },
  ...{ pause: summary, resume: summary, close: summary, delete: summary },
}

const names = Object.keys(calls) as Name[]
/** Done twice they would do more than asked. */
const onceOnly = new Set<Name>(['restock', 'delete'])

test('what passes is asked again for every call: nothing was done', async () => {
  for (const name of names) {
    for (const [code, status] of [
      ['OVERLOADED', 503],
      ['READ_ONLY', 503],
      ['LIMIT_REACHED', 429],
    ] as const) {
      const { client, sent } = scriptedClient([problem(code, status), unreachable, succeeds[name]])
      await calls[name](client)
      assert.equal(sent.length, 3, `${name}, ${code}`)
    }
  }
})

test('what may have taken place is asked again where that is the same as asking once', async () => {
  const doubts: Answer[] = [
    ...[broken, problem('OUTCOME_UNKNOWN', 500), () => new Response('', { status: 502 })],
    ...[() => new Response('', { status: 504 }), () => new Response('{"id":', { status: 200 })],
  ]
  for (const name of names) {
    for (const doubt of doubts) {
      const { client, sent } = scriptedClient([doubt, succeeds[name]])
      if (onceOnly.has(name)) {
        const error = await assertRefused(calls[name](client), 'OUTCOME_UNKNOWN')
        assert.equal(error.fields.pool, 'p')
        assert.equal(sent.length, 1, name)
      } else {
        await calls[name](client)
        assert.equal(sent.length, 2, name)
      }
    }
  }
})

test('other refusals are final, and come with their fields', async () => {
  const passing = new Set(['OVERLOADED', 'READ_ONLY', 'LIMIT_REACHED', 'OUTCOME_UNKNOWN'])
  for (const [code, { status }] of Object.entries(codes)) {
    if (passing.has(code)) continue
    for (const name of names) {
      const { client, sent } = scriptedClient([problem(code, status, { remaining: 3 }), succeeds[name]])
      const error = await assertRefused(calls[name](client), code as Code)
      assert.deepEqual(error.fields, { remaining: 3 })
      assert.equal(error.message, `${code} it is`)
      assert.equal(sent.length, 1, `${name}, ${code}`)
    }
  }
})

test('a conflict behind a try in doubt may be with that try, and is told as unknown', async () => {
  for (const name of ['put for a version', 'restock for a version'] as const) {
    const { client, sent } = scriptedClient([broken, problem('VERSION_CONFLICT', 409, { version: 4 })])
    const error = await assertRefused(calls[name](client), 'OUTCOME_UNKNOWN')
    assert.equal(error.fields.last, 'VERSION_CONFLICT')
    assert.ok(error.cause instanceof KujiError)
    assert.equal(error.cause.fields.version, 4)
    assert.equal(sent.length, 2)
    const sure = scriptedClient([unreachable, problem('VERSION_CONFLICT', 409)])
    await assertRefused(calls[name](sure.client), 'VERSION_CONFLICT')
  }
})

test('a draw in doubt is asked again of a server whose log has failed, until it has been restarted', async () => {
  const failed = problem('OUTCOME_UNKNOWN', 500)
  const { client, sent } = scriptedClient([failed, failed, unreachable, receipt])
  assert.equal((await client.draw('p')).id, 7)
  assert.equal(sent.length, 4)
})

test('without any connection nothing was changed, and that is what is said', async () => {
  for (const name of names) {
    const { client, sent } = scriptedClient([unreachable], { retries: 2 })
    const error = await assertRefused(calls[name](client), 'INTERNAL')
    assert.match(error.message, /^no answer from http:\/\/kuji\.test: refused$/)
    assert.equal(sent.length, 3)
  }
})

test('a proxy that holds requests back, or has waited too long for one, is asked again like a server', async () => {
  const held: Answer = () =>
    new Response('<h1>slow down</h1>', { status: 429, headers: { 'retry-after': '0' } })
  const waited: Answer = () => new Response('<h1>408</h1>', { status: 408 })
  for (const name of names) {
    const limited = scriptedClient([held, succeeds[name]])
    await calls[name](limited.client)
    assert.equal(limited.sent.length, 2, name)
    const { client, sent } = scriptedClient([waited, succeeds[name]])
    if (onceOnly.has(name)) await assertRefused(calls[name](client), 'OUTCOME_UNKNOWN')
    else await calls[name](client)
    assert.equal(sent.length, onceOnly.has(name) ? 1 : 2, name)
  }
  const { client } = scriptedClient([held], { retries: 1 })
  await assertRefused(client.updateItem('p', 'a', { restock: 5 }), 'INTERNAL')
})

test('what cannot be connected to, whatever is tried, is told at once, and nothing was sent', async context => {
  let reached = 0
  const options = { key: certificate.key, cert: certificate.cert }
  const ports: number[] = []
  for (const server of [createTlsServer(options), createServer()]) {
    server.on('request', (_request, response) => response.end(String(++reached))).listen(0, '127.0.0.1')
    await once(server, 'listening')
    context.after(() => server.close())
    ports.push((server.address() as AddressInfo).port)
  }
  for (const [url, reason] of [
    [`https://127.0.0.1:${ports[0]}`, /self-signed certificate/],
    [`https://127.0.0.1:${ports[1]}`, /wrong version number/],
    ['http://127.0.0.1:1', /bad port/],
  ] as const) {
    let sent = 0
    const fetch = (...request: Parameters<typeof globalThis.fetch>) => {
      sent++
      return globalThis.fetch(...request)
    }
    const client = new KujiClient({ url, fetch })
    for (const name of ['draw', 'delete'] as const) {
      const { message } = await assertRefused(calls[name](client), 'INTERNAL')
      assert.match(message, reason)
    }
    assert.equal(sent, 2, url)
  }
  assert.equal(reached, 0)
})

test('an answer that no kuji server gives is final where the request was refused', async () => {
  for (const status of [301, 404, 405, 418]) {
    const { client, sent } = scriptedClient([() => new Response('<html>', { status }), receipt])
    const error = await assertRefused(client.draw('p'), 'INTERNAL')
    assert.match(error.message, new RegExp(`answered ${status}, and not as a kuji server does`))
    assert.equal(sent.length, 1)
  }
  const odd = [
    null,
    7,
    [],
    {},
    { code: 'NOVEL', detail: 'x' },
    { code: 'toString', detail: 'x' },
    { code: 'INVALID' },
  ]
  for (const body of odd) {
    const { client } = scriptedClient([json(body, 400)])
    await assertRefused(client.draw('p'), 'INTERNAL')
  }
})

test('answers that are not whole count as none', async () => {
  const whole = {
    id: 7,
    pool: 'p',
    items: ['a'],
    version: 1,
    at: '2026-11-27T05:00:00.250Z',
    replayed: false,
  }
  const odd = [
    ...[null, [], 'text', { ...whole, id: '7' }, { ...whole, id: 2 ** 60 }, { ...whole, items: [1] }],
    ...[
      { ...whole, items: 'a' },
      { ...whole, at: 5 },
      { ...whole, at: 'noon' },
      { ...whole, replayed: 1 },
    ],
  ]
  for (const body of odd) {
    const { client, sent } = scriptedClient([json(body), receipt])
    assert.deepEqual(await client.draw('p'), { ...whole, at: Date.UTC(2026, 10, 27, 5, 0, 0, 250) })
    assert.equal(sent.length, 2)
  }
})

test('the deadline goes over all tries, and a pause that would pass it is not begun', async () => {
  const late = scriptedClient([problem('OVERLOADED', 503, {}, { 'retry-after': '3600' })])
  await assertRefused(late.client.draw('p'), 'OVERLOADED')
  assert.equal(late.sent.length, 1)
  const date = new Date(Date.now() + 3_600_000).toUTCString()
  const dated = scriptedClient([problem('LIMIT_REACHED', 429, {}, { 'retry-after': date })])
  await assertRefused(dated.client.draw('p'), 'LIMIT_REACHED')
  assert.equal(dated.sent.length, 1)
  const slow = scriptedClient([silent], { timeoutMs: 200, tryTimeoutMs: 50 })
  const error = await assertRefused(slow.client.draw('p'), 'OUTCOME_UNKNOWN')
  assert.match(error.message, /it took too long/)
  assert.ok(slow.sent.length >= 1 && slow.sent.length <= 5)
  await assertRefused(slow.client.draw('p', { timeoutMs: 1 }), 'OUTCOME_UNKNOWN')
})

test('Retry-After is a pause, and the call goes on behind it', async context => {
  const { setTimeout } = globalThis
  const pauses: number[] = []
  const pause = (run: () => void, ms: number) => {
    pauses.push(ms)
    return setTimeout(run, 0)
  }
  context.mock.method(globalThis, 'setTimeout', pause as typeof setTimeout)
  const { client, sent } = scriptedClient([problem('OVERLOADED', 503, {}, { 'retry-after': '1' }), receipt])
  await client.draw('p')
  // The rest is by chance, so that not all come back at once.
  assert.ok(pauses.length === 1 && pauses[0]! >= 1000 && pauses[0]! <= 1100, `${pauses}`)
  assert.equal(sent.length, 2)
})

test('a signal ends requests and pauses alike, with its reason', async () => {
  const waiting = problem('OVERLOADED', 503, {}, { 'retry-after': '20' })
  for (const answer of [silent, waiting]) {
    const { client, sent } = scriptedClient([answer])
    const ending = new AbortController()
    const reason = new Error('the player left')
    const call = client.draw('p', { signal: ending.signal })
    setTimeout(() => ending.abort(reason), 20)
    await assert.rejects(call, error => error === reason)
    assert.equal(sent.length, 1)
  }
  const { client, sent } = scriptedClient([receipt])
  await assert.rejects(client.draw('p', { signal: AbortSignal.abort() }), { name: 'AbortError' })
  assert.equal(sent.length, 0)
})
