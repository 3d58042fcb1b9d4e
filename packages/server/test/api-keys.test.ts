import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { parse } from 'yaml'
import { readLog } from './support/log-lines.ts'
import { MetricsText } from './support/metrics-text.ts'
import { kuji, serve, temporaryDirectory, writeConfiguration } from './support/processes.ts'
import { assertProblem, request } from './support/requests.ts'
import { RespClient } from './support/resp-client.ts'

const pools = 'pools: [{ id: open, items: [{ id: a, weight: 1, stock: unlimited }] }]\n'
const rules = { items: [{ id: 'a', weight: 1, stock: 5 }] }

interface NewKey {
  readonly key: string
  readonly entry: { readonly name: string; readonly hash: string; readonly scopes: readonly string[] }
}

async function newKey(name: string, scopes: string): Promise<NewKey> {
  const { code, stdout, stderr } = await kuji(['keys', 'new', '--name', name, '--scopes', scopes, '--json'])
  assert.equal(code, 0, stderr)
  return JSON.parse(stdout) as NewKey
}

const bearer = ({ key }: NewKey) => ({ authorization: `Bearer ${key}` })

/** A server with these keys, on every address of the machine. */
async function serveKeys(context: TestContext, entries: readonly object[], host = '0.0.0.0') {
  const dir = temporaryDirectory(context)
  const text =
    `http: { listen: "${host}:0" }\nresp: { listen: "${host}:0" }\nsegmentBytes: 65536\n` +
    `apiKeys: ${JSON.stringify(entries)}\n${pools}`
  const server = await serve(context, [writeConfiguration(dir, text)])
  const [, respPort] = /rediss?:\/\/[^:]+:(\d+)/.exec(server.stdout()) ?? []
  return { ...server, url: server.url.replace(host, '127.0.0.1'), respPort: Number(respPort) }
}

test('a key that kuji keys new has made is let in, beyond loopback, and does what its scopes say', async context => {
  const [drawer, admin, stranger] = await Promise.all([
    newKey('shop', 'draw'),
    newKey('ops@example', 'admin, read'),
    newKey('stranger', 'draw,read,admin'),
  ])
  assert.match(drawer.key, /^kuji_[\w-]{43}$/)
  assert.deepEqual(admin.entry.scopes, ['read', 'admin'])
  const server = await serveKeys(context, [drawer.entry, admin.entry])
  const { url } = server
  const drawing = (headers: Record<string, string>) =>
    request(url, 'POST', '/v1/pools/open/draws', {}, headers)
  assertProblem(await drawing({}), 'UNAUTHENTICATED')
  assertProblem(await drawing(bearer(stranger)), 'UNAUTHENTICATED')
  assertProblem(await drawing({ authorization: `Bearer ${drawer.key}x` }), 'UNAUTHENTICATED')
  assertProblem(await drawing({ authorization: `Bearer ${drawer.entry.hash}` }), 'UNAUTHENTICATED')
  assertProblem(await drawing({ authorization: `Bearer ${'k'.repeat(5000)}` }), 'UNAUTHENTICATED')
  // The first time it is hashed, later it is remembered.
  for (let count = 0; count < 3; count++) assert.equal((await drawing(bearer(drawer))).status, 201)
  assertProblem(await drawing(bearer(admin)), 'FORBIDDEN')
  assertProblem(await request(url, 'PUT', '/v1/pools/more', rules, bearer(drawer)), 'FORBIDDEN')
  assert.equal((await request(url, 'PUT', '/v1/pools/more', rules, bearer(admin))).status, 201)

  assertProblem(await request(url, 'GET', '/metrics'), 'UNAUTHENTICATED')
  assertProblem(await request(url, 'GET', '/metrics', undefined, bearer(drawer)), 'FORBIDDEN')
  const metrics = await MetricsText.scrape(url, bearer(admin))
  assert.equal(metrics.value('kuji_refusals_total{protocol="http",code="UNAUTHENTICATED"}'), 6)
  assert.equal((await request(url, 'GET', '/readyz')).status, 200, 'for those who have no key')

  const client = await RespClient.open(context, server.respPort)
  const refused = await client.ask('DRAW', 'open')
  assert.ok(String((refused as { code?: string }).code).length > 0)
  assert.equal(await client.ask('AUTH', drawer.key), 'OK')
  assert.deepEqual(await client.ask('DRAW', 'open'), [4, 'a'])

  const { stderr } = await server.stop()
  assert.match(readLog(stderr)[0]?.msg ?? '', /^keys and draws travel in the clear beyond this machine: /)
  const acts = readLog(stderr).filter(({ pool }) => pool === 'more')
  assert.deepEqual(
    acts.map(({ msg, by }) => [msg, by]),
    [['pool created', 'ops@example']],
  )
  for (const { key } of [drawer, admin, stranger]) assert.ok(!stderr.includes(key.slice(5, 25)))
})

test('a key with a limit is refused above it, told when to come back, and others are not', async context => {
  const limited = await newKey('limited', 'draw')
  const free = await newKey('free', 'draw')
  // A second brings 1: however slow the machine is, more than the burst in a row is too much.
  const limits = { requestsPerSecond: 1, burst: 3 }
  const server = await serveKeys(context, [{ ...limited.entry, ...limits }, free.entry], '127.0.0.1')
  const drawing = (key: NewKey) => request(server.url, 'POST', '/v1/pools/open/draws', {}, bearer(key))
  const answers = await Promise.all(Array.from({ length: 40 }, () => drawing(limited)))
  const passed = answers.filter(({ status }) => status === 201)
  const refused = answers.filter(({ status }) => status === 429)
  assert.ok(passed.length >= 3 && refused.length > 0 && passed.length + refused.length === 40)
  for (const answer of refused) {
    assert.equal(assertProblem(answer, 'LIMIT_REACHED').retryAfterSeconds, 1)
    assert.equal(answer.headers.get('retry-after'), '1')
  }
  const others = await Promise.all(Array.from({ length: 40 }, () => drawing(free)))
  assert.ok(others.every(({ status }) => status === 201))
})

test('what kuji keys new prints for people is the key, and lines that fit into a configuration', async context => {
  const { code, stdout } = await kuji(['keys', 'new', '--name', '2024', '--scopes', 'draw'])
  assert.equal(code, 0)
  const [key = '', ...rest] = stdout.split('\n')
  assert.match(key, /^kuji_/)
  const entry = rest.join('\n').slice(rest.join('\n').indexOf('apiKeys:'))
  assert.equal(parse(entry).apiKeys[0].name, '2024')
  assert.ok(!entry.includes(key))
  const dir = temporaryDirectory(context)
  const file = writeConfiguration(dir, `http: { listen: 127.0.0.1:0 }\nsegmentBytes: 65536\n${pools}${entry}`)
  const { url } = await serve(context, [file])
  const headers = { authorization: `Bearer ${key}` }
  assert.equal((await request(url, 'POST', '/v1/pools/open/draws', {}, headers)).status, 201)
})

test('two keys are never the same, and what is not a name or a scope is wrong usage', async () => {
  const keys = await Promise.all([newKey('one', 'draw'), newKey('one', 'draw')])
  assert.notEqual(keys[0].key, keys[1].key)
  for (const words of [
    [],
    ['--name', 'shop'],
    ['--scopes', 'draw'],
    ['--name', 'a b', '--scopes', 'draw'],
    ['--name', 'a'.repeat(65), '--scopes', 'draw'],
    ['--name', 'shop', '--scopes', 'draw,write'],
    ['--name', 'shop', '--scopes', ''],
  ]) {
    const { code, stdout } = await kuji(['keys', 'new', ...words])
    assert.deepEqual([code, stdout], [2, ''], words.join(' '))
  }
})
