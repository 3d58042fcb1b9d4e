import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createKey, hashKey } from '../src/access/api-key.ts'
import { createLogger, type LogOptions } from '../src/logger.ts'
import { readLog } from './support/log-lines.ts'
import { serveSample } from './support/processes.ts'
import { request } from './support/requests.ts'

const pools = 'pools: [{ id: open, items: [{ id: a, weight: 1, stock: unlimited }] }]\n'

function linesOf(options: LogOptions, act: (log: ReturnType<typeof createLogger>) => void): string {
  let text = ''
  const log = createLogger(part => {
    text += part
  }, options)
  act(log)
  return text
}

test('administrative acts have a line each, draws have none, and no secret has one', async context => {
  const key = createKey()
  const entry = { name: 'ops', hash: hashKey(key), scopes: ['draw', 'read', 'admin'] }
  const server = await serveSample(context, `apiKeys: ${JSON.stringify([entry])}\n${pools}`)
  const call = (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) =>
    request(server.url, method, path, body, { authorization: `Bearer ${key}`, ...headers })
  const lines = readLog(server.stderr()).length
  const drawn = { recipient: 'recipient-secret' }
  for (const headers of [{}, { 'idempotency-key': 'order-secret' }])
    assert.equal((await call('POST', '/v1/pools/open/draws', drawn, headers)).status, 201)
  await call('POST', '/v1/pools/open/draws', '{"count": "body-secret"}')
  await call('POST', '/v1/pools/path-secret/draws')
  await request(server.url, 'GET', '/v1/pools', undefined, { authorization: 'Bearer wrong-secret' })
  assert.equal(readLog(server.stderr()).length, lines, 'nothing of this is worth a line')
  await call('PATCH', '/v1/pools/open/items/a', { weight: 2 })
  await call('POST', '/v1/pools/open/pause')
  await call('PUT', '/v1/pools/more', {
    items: [{ id: 'x', stock: 1, weight: 1, metadata: 'metadata-secret' }],
  })
  const { stderr, stdout } = await server.stop()
  const acts = readLog(stderr).filter(({ by }) => by === 'ops')
  assert.deepEqual(
    acts.map(({ level, msg, pool }) => [level, msg, pool]),
    [
      ['info', 'pool changed', 'open'],
      ['info', 'pool paused', 'open'],
      ['info', 'pool created', 'more'],
    ],
  )
  for (const text of [stderr, stdout]) {
    assert.doesNotMatch(text, /secret/)
    assert.ok(!text.includes(key) && !text.includes(entry.hash))
  }
})

test('the level of the configuration leaves out what is below it', async context => {
  const server = await serveSample(context, `log: { level: error }\n${pools}`)
  await request(server.url, 'POST', '/v1/pools/open/pause')
  assert.equal((await server.stop()).stderr, '')
})

test('text is a line for people, and json one for programs', () => {
  const text = linesOf({ format: 'text' }, log => log.info('pool paused', { pool: 'summer', version: 3 }))
  assert.match(text, /^\[\d{4}-\d\d-\d\dT[\d:.]+Z\] INFO: pool paused \{"pool":"summer","version":3\}\n$/)
  const json = linesOf({ format: 'json' }, log => log.warn('pool paused', { pool: 'summer', version: 3 }))
  const [{ time, ...line } = { time: '' }] = readLog(json)
  assert.deepEqual(line, { level: 'warn', msg: 'pool paused', pool: 'summer', version: 3 })
  assert.match(time, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/)
})

test('what comes from outside forges no line and sends nothing to the terminal', () => {
  const hostile = 'a\nb\r\u001b[2J\u0007\u009b31m\u2028\u202e"\\'
  for (const format of ['text', 'json'] as const) {
    const text = linesOf({ format }, log => {
      log.error(hostile, { pool: hostile })
      log.defect('failed', new TypeError(hostile))
    })
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
    assert.doesNotMatch(text, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u202e]/)
    assert.equal(text.split('\n')[0]?.includes('\\u000ab'), true)
    if (format === 'json') assert.equal(readLog(text).length, 2)
  }
})
