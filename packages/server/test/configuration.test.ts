import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { KujiError } from '@kuji/engine/contract'
import { processorMs } from '../../engine/test/support/processor-time.ts'
import { createKey } from '../src/access/api-key.ts'
import { formatAddress } from '../src/config/listen.ts'
import { loadConfiguration } from '../src/config/load.ts'
import { ConfigurationSchema } from '../src/config/schema.ts'
import { temporaryDirectory, writeConfiguration } from './support/processes.ts'

/** The lines of the refusal of a text, the name of the file cut from each. */
async function refusal(context: TestContext, yaml: string): Promise<string[]> {
  const file = writeConfiguration(temporaryDirectory(context), yaml)
  try {
    await loadConfiguration(file)
  } catch (error) {
    assert.ok(error instanceof KujiError, String(error))
    assert.equal(error.code, 'INVALID')
    const [head = '', ...lines] = error.message.replaceAll(`${file}:`, '').split('\n')
    assert.match(head, /^\S+ has (one error|\d+ errors)$/)
    return lines
  }
  return []
}

const knownFields =
  'known are data, durability, segmentBytes, retention, http, ' +
  'resp, grpc, tls, apiKeys, idempotency, log, pools'
const stockRange = 'a whole number from 0 to 1,125,899,906,842,624, or "unlimited"'
const segmentRange = 'a whole number from 4,096 to 1,073,741,824'
const keyName =
  'a name for the log: 1 to 64 letters, digits, ".", "_", "-", ":" or "@", the first a letter, a digit or "_"'
const keyHash = '"sha256:" and 64 hexadecimal digits, as `kuji keys new` prints it'
const hash = (digit: number) => `sha256:${String(digit).repeat(64)}`
const seconds = 'a whole number from 60 to 7,776,000'
const addressForm = 'an address and a port, like 127.0.0.1:7070 or [::1]:7070'

/** What is written, and the lines that come back. */
const rows: readonly (readonly [string, ...string[]])[] = [
  ['7\n', '1:1: expected an object, got 7'],
  ['- a\n', '1:1: expected an object, got a list'],
  ['durability: fast\n', '1:13: durability: expected one of sync, os, none, got "fast"'],
  ['durability:\n', '1:12: durability: expected one of sync, os, none, got null'],
  ['data: 7\n', '1:7: data: expected a text, got 7'],
  ['datadir: x\n', `1:1: datadir: unknown field; ${knownFields}`],
  ['__proto__: { data: x }\n', `1:1: __proto__: unknown field; ${knownFields}`],
  // Neither another line, nor what steers a terminal or turns the direction of reading.
  ['"a\\n\\x9b\\u202eb": 1\n', `1:1: a\\u000a\\u009b\\u202eb: unknown field; ${knownFields}`],
  [`${'n'.repeat(1000)}: 1\n`, `1:1: ${'n'.repeat(64)}…: unknown field; ${knownFields}`],
  ['durability: "\\x9b\\u202e"\n', '1:13: durability: expected one of sync, os, none, got "\\u009b\\u202e"'],
  ['resp: {}\n', '1:7: resp.listen: missing; expected a text'],
  [
    'data: x\ngrpc: { listen: x:1, reflect: true }\n',
    '2:22: grpc.reflect: unknown field; known are listen, reflection',
  ],
  ['resp: { listen: 127.0.0.1:7070 }\n', '1:17: resp.listen: the port 7070 is that of http.listen'],
  [
    'resp: { listen: "[::1]:1" }\ngrpc: { listen: "[0:0::1]:1" }\n',
    '2:17: grpc.listen: the port 1 is that of resp.listen',
  ],
  ['tls: { certificate: x }\n', '1:6: tls.key: missing; expected a text'],
  [
    'apiKeys: [{ name: a b, hash: x, scopes: [] }]\n',
    `1:19: apiKeys[0].name: expected ${keyName}, got "a b"`,
    `1:30: apiKeys[0].hash: expected ${keyHash}`,
    '1:41: apiKeys[0].scopes: expected a list of at least 1, got an empty list',
  ],
  [
    `apiKeys: [{ name: a, hash: ${hash(1)}, scopes: [all] }]\n`,
    '1:110: apiKeys[0].scopes[0]: expected one of draw, read, admin, got "all"',
  ],
  [
    `apiKeys: [{ name: a, hash: ${hash(1)}, scopes: [draw], burst: 5 }]\n`,
    '1:124: apiKeys[0].burst: a burst is one of a limit; add requestsPerSecond',
  ],
  [
    `apiKeys:\n  - { name: a, hash: ${hash(1)}, scopes: [draw] }\n  - { name: a, hash: ${hash(1)}, scopes: [read] }\n`,
    '3:13: apiKeys[1].name: stands twice; it is also that of apiKeys[0]',
    '3:22: apiKeys[1].hash: stands twice; it is also that of apiKeys[0]',
  ],
  [
    'idempotency: { retention: 1y }\n',
    `1:27: idempotency.retention: expected ${seconds}, or a duration like 90s, 30m, 24h or 7d, got "1y"`,
  ],
  [
    'idempotency: { retention: 91d }\n',
    '1:27: idempotency.retention: expected a duration from 1m to 90d, got "91d"',
  ],
  [
    'idempotency: { retention: 59s }\n',
    '1:27: idempotency.retention: expected a duration from 1m to 90d, got "59s"',
  ],
  [
    'idempotency: { keys: 60000001 }\n',
    '1:22: idempotency.keys: expected a whole number from 1 to 60,000,000, got 60000001',
  ],
  ['log: { level: debug }\n', '1:15: log.level: expected one of info, warn, error, got "debug"'],
  ['log: { format: xml }\n', '1:16: log.format: expected one of text, json, got "xml"'],
  ['segmentBytes: 100\n', `1:15: segmentBytes: expected ${segmentRange}, got 100`],
  ['segmentBytes: 4096.5\n', `1:15: segmentBytes: expected ${segmentRange}, got 4096.5`],
  ['retention: forever\n', '1:12: retention: expected one of archive, remove, got "forever"'],
  ['http: 7070\n', '1:7: http: expected an object, got 7070'],
  ['http: { port: 1 }\n', '1:9: http.port: unknown field; known are listen'],
  ['http:\n  listen: 7070\n', '2:11: http.listen: expected a text, got 7070'],
  ['http: { listen: localhost }\n', `1:17: http.listen: expected ${addressForm}, got "localhost"`],
  ['http: { listen: "[::1]:70700" }\n', `1:17: http.listen: expected ${addressForm}, got "[::1]:70700"`],
  ['pools: {}\n', '1:8: pools: expected a list, got an object'],
  [
    'pools:\n  - items: []\n',
    '2:5: pools[0].id: missing; expected an id: 1 to 128 letters, digits, ".", "_", "-" or ":", ' +
      'the first a letter, a digit or "_"',
    '2:12: pools[0].items: expected a list of at least 1, got an empty list',
  ],
  [
    'pools:\n  - id: a\n    items:\n      - { id: x, weight: .nan, stock: 1 }\n',
    '4:26: pools[0].items[0].weight: expected a number from 0, got NaN',
  ],
  [
    'pools:\n  - id: a\n    items:\n      - { id: x, stock: many }\n      - { id: y, stock: -1, count: 2 }\n',
    `4:25: pools[0].items[0].stock: expected ${stockRange}, got "many"`,
    '5:29: pools[0].items[1].count: unknown field; known are id, weight, stock, metadata',
    `5:25: pools[0].items[1].stock: expected ${stockRange}, got -1`,
  ],
  [
    'pools:\n  - { id: a, items: &i [{ id: x, weight: 1, stock: 1 }] }\n  - { id: a, items: *i }\n',
    '3:11: pools[1].id: the pool "a" stands twice; it is also pools[0]',
  ],
]

test('each mistake is told with its line, column and field, and what was expected', async context => {
  for (const [yaml, ...lines] of rows) {
    await context.test(JSON.stringify(yaml).slice(0, 100), async inner => {
      assert.deepEqual(await refusal(inner, yaml), lines)
    })
  }
})

test('rules that span fields are the engine’s, told with the line in the file', async context => {
  const lines = await refusal(
    context,
    `pools:
  - id: twice
    items:
      - { id: x, weight: 1, stock: 1 }
      - { id: x, weight: 1, stock: 1 }
  - id: unweighted
    items: [{ id: x, stock: 1 }]
  - id: box
    mode: urn
    items: [{ id: x, stock: unlimited }]
  - id: nowhere
    fallback: nothing
    items: [{ id: x, weight: 1, stock: 1 }]
`,
  )
  const places = lines.map(line => line.split(' ').slice(0, 2).join(' '))
  assert.deepEqual(places, [
    '5:15: pools[0].items[1].id:',
    '7:13: pools[1].items[0].weight:',
    '10:29: pools[2].items[0].stock:',
    '12:15: pools[3].fallback:',
  ])
})

test('an address beyond loopback is refused by name, with the reason', async context => {
  for (const address of ['0.0.0.0:7070', '192.168.1.5:7070', '[::]:7070', 'kuji.example:80', '10.0.0.1:0']) {
    const [line = ''] = await refusal(context, `http: { listen: "${address}" }\n`)
    const host = address.replace(/:\d+$/, '').replaceAll(/[[\]]/g, '')
    assert.ok(line.includes(`"${host}" is not a loopback address, and there are no keys`), line)
  }
})

test('with keys a server may listen anywhere, and a key in the place of its hash is not repeated', async context => {
  const dir = temporaryDirectory(context)
  const keys = `apiKeys: [{ name: a, hash: ${hash(1)}, scopes: [draw] }]\n`
  for (const address of ['0.0.0.0:7070', '[::]:7070', 'kuji.example:80']) {
    const { http } = await loadConfiguration(
      writeConfiguration(dir, `http: { listen: "${address}" }\n${keys}`),
    )
    assert.equal(formatAddress(http), address)
  }
  const open = 'http: { listen: "0.0.0.0:80" }\nresp: { listen: "127.0.0.1:80" }\n'
  assert.deepEqual(await refusal(context, open + keys), [
    '2:17: resp.listen: the port 80 is that of http.listen',
  ])
  const empty = await refusal(context, 'http: { listen: 0.0.0.0:80 }\napiKeys: []\n')
  assert.match(empty[0] ?? '', /there are no keys/)
  const key = createKey()
  const [line = ''] = await refusal(context, `apiKeys: [{ name: a, hash: "${key}", scopes: [draw] }]\n`)
  assert.match(line, /^1:28: apiKeys\[0\]\.hash: expected /)
  assert.ok(!line.includes(key.slice(0, 10)))
})

test('keys, retention and the log are read as they are meant', async context => {
  const dir = temporaryDirectory(context)
  const key = { name: 'shop', hash: hash(1), scopes: ['draw', 'read'] }
  const apiKeys = [
    { ...key, requestsPerSecond: 50 },
    { ...key, name: 'b', hash: hash(2), requestsPerSecond: 5, burst: 9 },
  ]
  const text = `apiKeys: ${JSON.stringify(apiKeys)}\nidempotency: { retention: 7d, keys: 5 }\nlog: { format: text }\n`
  const loaded = await loadConfiguration(writeConfiguration(dir, text))
  assert.deepEqual(loaded.apiKeys[0], {
    name: 'shop',
    hash: hash(1),
    scopes: new Set(['draw', 'read']),
    limit: { requestsPerSecond: 50, burst: 50 },
  })
  assert.deepEqual(loaded.apiKeys[1]?.limit, { requestsPerSecond: 5, burst: 9 })
  assert.deepEqual(loaded.idempotency, { retentionMs: 7 * 86_400_000, most: 5 })
  assert.deepEqual(loaded.log, { level: 'info', format: 'text' })
  for (const [retention, ms] of [
    ['90s', 90_000],
    ['30m', 1_800_000],
    ['24h', 86_400_000],
    ['60', 60_000],
  ] as const) {
    const file = writeConfiguration(dir, `idempotency: { retention: ${retention} }`)
    assert.equal((await loadConfiguration(file)).idempotency.retentionMs, ms)
  }
})

test('syntax errors, repeated keys and unknown tags are told with their line', async context => {
  assert.match((await refusal(context, 'data: x\npools: [\n'))[0] ?? '', /^3:1: /)
  assert.match((await refusal(context, 'data: x\ndata: y\n'))[0] ?? '', /^2:1: Map keys must be unique/)
  assert.match((await refusal(context, 'data: !secret x\n'))[0] ?? '', /^1:7: Unresolved tag: !secret/)
  assert.match((await refusal(context, 'a: 1\n---\nb: 2\n'))[0] ?? '', /multiple documents/)
})

test('however many fields are unknown, the file is refused, and nothing else in it is believed', async context => {
  for (const count of [79, 80, 81, 500]) {
    const unknown = Array.from({ length: count }, (_, k) => `k${k}: 1\n`).join('')
    const lines = await refusal(context, `${unknown}pools: 7\n`)
    assert.equal(lines[0], `1:1: k0: unknown field; ${knownFields}`, `${count} fields`)
    assert.equal(lines.length, 20)
    const inItem = unknown.replaceAll('\n', ', ')
    const [line = ''] = await refusal(
      context,
      `pools: [{ id: a, items: [{ ${inItem}id: x, weight: 1, stock: 1 }] }]`,
    )
    assert.match(
      line,
      /^1:\d+: pools\[0\]\.items\[0\]\.k0: unknown field; known are id, weight, stock, metadata$/,
    )
  }
})

test('a file of very many keys, which is none of kuji’s, is refused at once', async context => {
  const began = processorMs()
  const lines = await refusal(context, Array.from({ length: 40_000 }, (_, k) => `k${k}: 1\n`).join(''))
  // It took two minutes, and takes a tenth of a second.
  assert.ok(processorMs() - began < 15_000)
  assert.equal(lines[0], `1:1: k0: unknown field; ${knownFields}`)
})

test('aliases that multiply are refused', async context => {
  const levels = Array.from({ length: 9 }, (_, level) => {
    const inner =
      level === 0
        ? '1'
        : Array(9)
            .fill(`*l${level - 1}`)
            .join(', ')
    return `l${level}: &l${level} [${inner}]\n`
  })
  assert.match((await refusal(context, levels.join('')))[0] ?? '', /alias/)
})

test('a file that is not there is refused by name', async context => {
  const file = join(temporaryDirectory(context), 'none.yaml')
  await assert.rejects(loadConfiguration(file), {
    code: 'INVALID',
    message: `cannot read the configuration ${file}: no such file or directory (ENOENT)`,
  })
})

test('paths are relative to the file, and what is left out has its default', async context => {
  const dir = temporaryDirectory(context)
  assert.deepEqual(await loadConfiguration(writeConfiguration(dir, '{}')), {
    dir: join(dir, 'data'),
    durability: 'sync',
    http: { host: '127.0.0.1', port: 7070 },
    apiKeys: [],
    // The engine fills these in, from the log first.
    idempotency: {},
    // Text where somebody reads along.
    log: { level: 'info', format: process.stderr.isTTY ? 'text' : 'json' },
    pools: [],
  })
  const file = writeConfiguration(dir, 'data: ../elsewhere\nretention: remove\nhttp: { listen: "[::1]:0" }\n')
  const loaded = await loadConfiguration(file)
  assert.equal(loaded.dir, join(dir, '../elsewhere'))
  assert.equal(loaded.retention, 'remove')
  assert.deepEqual(loaded.http, { host: '::1', port: 0 })
})

test('kuji.schema.json is the schema that the server checks with', () => {
  const file = new URL('../kuji.schema.json', import.meta.url)
  const dialect = 'https://json-schema.org/draft/2020-12/schema'
  const published = { $schema: dialect, title: 'kuji configuration', ...ConfigurationSchema }
  const text = `${JSON.stringify(published, null, 2)}\n`
  if (process.env.UPDATE_SCHEMA === '1') writeFileSync(file, text)
  const written = readFileSync(file, 'utf8')
  assert.deepEqual(JSON.parse(written), JSON.parse(text), 'UPDATE_SCHEMA=1 writes it anew')
})

test('a file in which nothing stands is a configuration, in which all is as it is by default', async context => {
  const dir = temporaryDirectory(context)
  const written = await loadConfiguration(writeConfiguration(dir, '{}'))
  for (const text of ['', '# later\n', '---\n'])
    assert.deepEqual(await loadConfiguration(writeConfiguration(dir, text)), written)
})
