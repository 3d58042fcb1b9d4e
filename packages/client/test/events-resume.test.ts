import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { KujiClient, type LogEvent } from '../src/index.ts'
import { assertRefused } from './support/refused.ts'

/** Serves `/v1/events` as told, one handler for each connection, the last one for ever. Returns what was asked for. */
async function serveEvents(
  context: TestContext,
  handlers: readonly ((response: ServerResponse, after: number) => void)[],
): Promise<{ client: KujiClient; asked: number[] }> {
  const asked: number[] = []
  const server = createServer((request, response) => {
    if (request.url === '/healthz') return void response.end(JSON.stringify({ state: 'open', lsn: 40 }))
    const after = Number(new URL(request.url ?? '', 'http://x').searchParams.get('after'))
    asked.push(after)
    const handler = handlers[Math.min(asked.length, handlers.length) - 1]!
    handler(response, after)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  context.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return { client: new KujiClient({ url: `http://127.0.0.1:${port}`, retries: 3 }), asked }
}

const begin = (response: ServerResponse) => response.writeHead(200, { 'content-type': 'text/event-stream' })

function batch(lsn: number, item = 'a'): string {
  const changes = [{ type: 'draws', pool: 'p', id: lsn, items: [item] }]
  return `id: ${lsn}\nevent: batch\ndata: ${JSON.stringify({ lsn, at: '2026-11-27T05:00:00.250Z', changes })}\n\n`
}

async function take(events: AsyncIterable<LogEvent>, count: number): Promise<LogEvent[]> {
  const taken: LogEvent[] = []
  for await (const event of events) if (taken.push(event) === count) break
  return taken
}

test('a stream that breaks goes on behind the last event, without a gap and without a repetition', async context => {
  const { client, asked } = await serveEvents(context, [
    response => begin(response).write(`retry: 1000\n\n${batch(11)}${batch(12)}`, () => response.destroy()),
    // Breaks in the middle of an event: what is not whole was not seen.
    (response, after) =>
      begin(response).write(batch(after + 1) + batch(after + 2).slice(0, 40), () => response.destroy()),
    response => response.writeHead(503).end(),
    response => response.destroy(),
    (response, after) => begin(response).end(`:\n\n${batch(after + 1)}${batch(after + 2)}`),
  ])
  const events = await take(client.events({ after: 10 }), 5)
  assert.deepEqual(
    events.map(({ lsn }) => lsn),
    [11, 12, 13, 14, 15],
  )
  assert.deepEqual(asked, [10, 12, 13, 13, 13])
  assert.equal(events[0]?.at, Date.UTC(2026, 10, 27, 5, 0, 0, 250))
})

test('a batch that a new stream sends again is not told again', async context => {
  const { client } = await serveEvents(context, [
    response => begin(response).end(batch(11) + batch(12)),
    response => begin(response).end(batch(11) + batch(12) + batch(13)),
    response => begin(response).end(batch(12)),
    response => begin(response).write(batch(14)),
  ])
  const events = await take(client.events({ after: 10 }), 4)
  assert.deepEqual(
    events.map(({ lsn }) => lsn),
    [11, 12, 13, 14],
  )
})

test('from now on means from the position at the call, also where the first connection breaks', async context => {
  const { client, asked } = await serveEvents(context, [
    response => begin(response).write('retry: 1000\n\n', () => response.destroy()),
    (response, after) => begin(response).write(batch(after + 1)),
  ])
  assert.deepEqual(
    (await take(client.events(), 1)).map(({ lsn }) => lsn),
    [41],
  )
  assert.deepEqual(asked, [40, 40])
})

test('from now on begins a little later where the server has just begun to keep events', async context => {
  const forgotten = JSON.stringify({ code: 'INVALID', detail: 'after: kept from behind 50 on', since: 50 })
  const { client, asked } = await serveEvents(context, [
    response => response.writeHead(400).end(forgotten),
    (response, after) => begin(response).end(batch(after + 1)),
    response => response.writeHead(400).end(forgotten),
  ])
  const events = client.events()
  assert.equal((await events.next()).value?.lsn, 51)
  // From here on a gap would be one.
  assert.equal((await assertRefused(events.next(), 'INVALID')).fields.since, 50)
  assert.deepEqual(asked, [40, 50, 51])
})

test('events are read however they are cut into pieces', async context => {
  const long = 'ü'.repeat(200_000)
  const [first, second] = [batch(1).replaceAll('\n', '\r\n'), batch(2, long).replaceAll('\n', '\r')]
  const text = `\uFEFF:comment\r\n\r\nretry: 5\r\r${first}${second}`
  const bytes = Buffer.from(
    `${text}event: batch\r\ndata: {"lsn":3,\r\ndata: "at":"2026-11-27T05:00:00Z","changes":[]}\r\n\r\n`,
  )
  for (const size of [1, 7, 4096, bytes.length]) {
    const { client } = await serveEvents(context, [
      async (response, after) => {
        // One byte at a time is for the small ones; the long event comes in large pieces.
        begin(response)
        assert.equal(after, 0)
        const step = (at: number) => (at < 300 ? size : Math.max(size, 1000))
        for (let at = 0; at < bytes.length; ) {
          const end = at + step(at)
          response.write(bytes.subarray(at, end))
          at = end
          if (size < 100 && at < 400) await new Promise(resolve => setImmediate(resolve))
        }
      },
    ])
    const events = await take(client.events({ after: 0 }), 3)
    assert.deepEqual(
      events.map(({ lsn }) => lsn),
      [1, 2, 3],
    )
    const [change] = events[1]?.changes ?? []
    assert.ok(change?.type === 'draws')
    assert.equal(change.items[0], long)
  }
})

test('a stream that the server refuses is not asked for again', async context => {
  const problem = JSON.stringify({
    code: 'INVALID',
    detail: 'after: memory does not reach back',
    status: 400,
  })
  const { client, asked } = await serveEvents(context, [response => response.writeHead(400).end(problem)])
  const error = await assertRefused(client.events({ after: 1 }).next(), 'INVALID')
  assert.match(error.message, /does not reach back/)
  assert.equal(asked.length, 1)
  const fellBehind = await serveEvents(context, [
    response => begin(response).end(`${batch(2)}event: error\ndata: ${problem}\n\n`),
  ])
  const events = fellBehind.client.events({ after: 1 })
  assert.equal((await events.next()).value?.lsn, 2)
  await assertRefused(events.next(), 'INVALID')
  assert.equal(fellBehind.asked.length, 1)
})

test('after as many failures in a row as there are retries, events end with INTERNAL', async context => {
  const { client, asked } = await serveEvents(context, [
    (response, after) => begin(response).end(batch(after + 1)),
    response => begin(response).end(),
  ])
  const events = client.events({ after: 0 })
  assert.equal((await events.next()).value?.lsn, 1)
  const error = await assertRefused(events.next(), 'INTERNAL')
  assert.match(error.message, /the stream of events has ended/)
  assert.deepEqual(asked, [0, 1, 1, 1])
})

test('a signal ends the events, between two of them and while none come', async context => {
  const { client } = await serveEvents(context, [
    (response, after) => begin(response).write(batch(after + 1)),
  ])
  const ending = new AbortController()
  const events = client.events({ after: 0, signal: ending.signal })
  assert.equal((await events.next()).value?.lsn, 1)
  const next = events.next()
  ending.abort()
  assert.deepEqual(await next, { done: true, value: undefined })
  const late = client.events({ signal: ending.signal })
  assert.deepEqual(await late.next(), { done: true, value: undefined })
})

test('a reader who leaves closes the connection', async context => {
  const closed = Promise.withResolvers<void>()
  const { client } = await serveEvents(context, [
    (response, after) => {
      response.on('close', () => closed.resolve())
      begin(response).write(batch(after + 1))
    },
  ])
  await take(client.events({ after: 0 }), 1)
  await closed.promise
})
