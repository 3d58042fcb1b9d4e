import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type TestContext, test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Kuji } from '@kuji/engine'
import { KujiError, type LogEvent, type WatchOptions } from '@kuji/engine/contract'
import { serverLimits } from '../src/limits.ts'
import { openDoor } from './support/doors.ts'
import { assertProblem, draw, request } from './support/requests.ts'
import { openSocket } from './support/sockets.ts'

interface SentEvent {
  readonly id: string | undefined
  readonly event: string | undefined
  readonly data: Record<string, unknown>
}

/** Opens a stream, and reads its events as a browser would. */
async function openEvents(
  context: TestContext,
  url: string,
  query = '',
  headers: Record<string, string> = {},
) {
  const leave = new AbortController()
  context.after(() => leave.abort())
  const response = await fetch(`${url}/v1/events${query}`, { headers, signal: leave.signal })
  assert.equal(response.status, 200)
  assert.equal(response.headers.get('content-type'), 'text/event-stream')
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  const next = async (): Promise<SentEvent | undefined> => {
    for (;;) {
      const end = text.indexOf('\n\n')
      if (end === -1) {
        const { done, value = '' } = await reader.read()
        if (done) return undefined
        text += value
        continue
      }
      const lines = text.slice(0, end).split('\n')
      text = text.slice(end + 2)
      const field = (name: string) => lines.find(line => line.startsWith(`${name}: `))?.slice(name.length + 2)
      const data = field('data')
      if (data !== undefined) return { id: field('id'), event: field('event'), data: JSON.parse(data) }
    }
  }
  return { next, leave: () => leave.abort() }
}

type Watch = (options: WatchOptions) => AsyncGenerator<LogEvent, void, undefined>

/** HTTP over an engine that tells of these events. */
function openWatched(context: TestContext, watch: Watch) {
  const kuji: Partial<Kuji> = { watch: (options = {}) => watch(options) }
  return openDoor(context, { kuji })
}

function eventAt(lsn: number, items: readonly string[] = ['a']): LogEvent {
  return { lsn, at: 1_790_000_000_000, changes: [{ type: 'draws', pool: 'p', id: lsn, items }] }
}

const aborted = (signal: AbortSignal | undefined) =>
  new Promise<void>(resolve => signal?.addEventListener('abort', () => resolve()))

/** Nothing happens until the reader leaves. */
const silent: Watch = async function* ({ signal }) {
  await aborted(signal)
  yield* []
}

test('draws and changes are sent as they become durable, and a reader goes on where it was', async context => {
  const { url } = await openDoor(context)
  const live = await openEvents(context, url)
  const items = [{ id: 'a', weight: 1, stock: 'unlimited' }]
  await request(url, 'PUT', '/v1/pools/p', { items })
  const put = await live.next()
  assert.equal(put?.event, 'batch')
  assert.equal(put.id, String(put.data.lsn))
  assert.match(String(put.data.at), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
  assert.deepEqual(put.data.changes, [{ type: 'pool', pool: 'p', change: 'put' }])
  await draw(url, 'p', { count: 2, recipient: 'user-7' })
  await request(url, 'POST', '/v1/pools/p/pause')
  const [drawn, paused] = [await live.next(), await live.next()]
  assert.deepEqual(drawn?.data.changes, [
    { type: 'draws', pool: 'p', id: 1, items: ['a', 'a'], recipient: 'user-7' },
  ])
  const again = await openEvents(context, url, '?after=0', { 'last-event-id': put.id })
  assert.deepEqual([await again.next(), await again.next()], [drawn, paused])
})

test('Last-Event-ID goes before after, as a browser that comes back sends both', async context => {
  const asked: (number | undefined)[] = []
  const { url } = await openWatched(context, async function* ({ after }) {
    asked.push(after)
    yield* []
  })
  const rows = [
    ['', {}, undefined],
    ['?after=5', {}, 5],
    ['?after=5', { 'last-event-id': '17' }, 17],
    ['', { 'last-event-id': '0' }, 0],
  ] as const
  for (const [query, headers, after] of rows) {
    const { next } = await openEvents(context, url, query, headers)
    assert.equal(await next(), undefined, 'the stream ends with the engine')
    assert.equal(asked.at(-1), after)
  }
  for (const id of ['', 'x', '-1', '1.5', '99999999999999999'])
    assertProblem(await request(url, 'GET', '/v1/events', undefined, { 'last-event-id': id }), 'INVALID')
})

test('a position out of reach is refused with a status, a later failure told in the stream', async context => {
  const { url } = await openWatched(context, async function* ({ after = 0 }) {
    if (after > 0) throw new KujiError('INVALID', 'after: memory does not reach back to it')
    yield eventAt(1)
    await nextTurn()
    throw new KujiError('INVALID', 'the reader has fallen behind', { lsn: 1 })
  })
  assertProblem(await request(url, 'GET', '/v1/events?after=7'), 'INVALID')
  const { next } = await openEvents(context, url)
  assert.equal((await next())?.id, '1')
  const failure = await next()
  assert.equal(failure?.event, 'error')
  assert.equal(failure.id, undefined)
  assert.equal(failure.data.code, 'INVALID')
  assert.equal(failure.data.lsn, 1)
  assert.equal(await next(), undefined)
})

test('a defect in the stream is told without its message, which stands in the log', async context => {
  const { url, lines } = await openWatched(context, async function* () {
    yield eventAt(1)
    await nextTurn()
    throw new TypeError('secret of the implementation')
  })
  const { next } = await openEvents(context, url)
  await next()
  assert.equal((await next())?.data.code, 'INTERNAL')
  assert.match(lines(), /secret of the implementation.*"msg":"a stream of events failed"/)
})

test('a reader that leaves ends its watch, with and without an event on the way', async context => {
  const ended: number[] = []
  const { url } = await openWatched(context, async function* ({ after = 0, signal }) {
    try {
      if (after === 0) await aborted(signal)
      else for (let lsn = after; !signal?.aborted; lsn++) yield eventAt(lsn)
    } finally {
      ended.push(after)
    }
  })
  for (const after of [0, 1]) {
    const { next, leave } = await openEvents(context, url, `?after=${after}`)
    if (after === 1) await next()
    leave()
    while (!ended.includes(after)) await nextTurn()
  }
})

test('a reader that reads nothing holds back itself alone', async context => {
  let fetched = 0
  const items = Array.from({ length: 20_000 }, () => 'item')
  const { url } = await openWatched(context, async function* ({ after = 0, signal }) {
    if (after === 1) for (let lsn = 1; !signal?.aborted; lsn++, fetched++) yield eventAt(lsn, items)
    else for (let lsn = 1; lsn <= 500; lsn++) yield eventAt(lsn, items)
  })
  const slow = await openSocket(url)
  slow.pause().write('GET /v1/events?after=1 HTTP/1.1\r\nHost: localhost\r\n\r\n')
  context.after(() => slow.destroy())
  // Whoever reads goes through far more than what the kernel takes for the other one.
  const { next } = await openEvents(context, url)
  for (let lsn = 1; lsn <= 500; lsn++) assert.equal((await next())?.id, String(lsn))
  const held = fetched
  assert.ok(held < 400, `${held} events were fetched for a reader that reads none`)
  assertProblem(await request(url, 'GET', '/v1/nothing'), 'INVALID', 404)
  assert.equal(fetched, held)
})

test('streams are bounded, and one that ends makes room', async context => {
  const { url } = await openWatched(context, silent)
  const streams = await Promise.all(
    Array.from({ length: serverLimits.eventStreams }, () => openEvents(context, url)),
  )
  const refused = await request(url, 'GET', '/v1/events')
  assertProblem(refused, 'OVERLOADED')
  assert.match(refused.headers.get('retry-after') ?? '', /^\d+$/)
  streams[0]?.leave()
  for (;;) {
    const response = await fetch(`${url}/v1/events`)
    await response.body?.cancel()
    if (response.status === 200) break
  }
})

test('a stop ends the streams, and waits for none', async context => {
  const { url, stop } = await openWatched(context, silent)
  const { next } = await openEvents(context, url)
  const idle = await openSocket(url)
  idle.write('GET /v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n')
  await once(idle, 'data')
  await stop(600_000)
  assert.equal(await next(), undefined)
})

test('HEAD is not for a stream', async context => {
  const { url } = await openDoor(context)
  const answer = await fetch(`${url}/v1/events`, { method: 'HEAD' })
  assert.equal(answer.status, 405)
})

test('a stream tells where it begins: who loses it before its first event comes back there', async context => {
  const { url, kuji } = await openDoor(context)
  await kuji.putPool({ id: 'open', items: [{ id: 'a', weight: 1, stock: 'unlimited' }] })
  const position = kuji.status().lsn
  for (const query of ['', `?after=${position}`]) {
    const socket = await openSocket(url)
    context.after(() => socket.destroy())
    let text = ''
    socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
    socket.write(`GET /v1/events${query} HTTP/1.1\r\nHost: localhost\r\n\r\n`)
    while (!/\nid: \d+\n\n/.test(text) && !text.includes('event: batch')) await once(socket, 'data')
    await draw(url, 'open')
    assert.match(text, new RegExp(`retry: 1000\nid: ${position}\n\n`))
  }
})
