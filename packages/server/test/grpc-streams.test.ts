import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AnswerSink, Kuji } from '@kuji/engine'
import { type LogEvent, limits } from '@kuji/engine/contract'
import { serverLimits } from '../src/limits.ts'
import { accessOf } from './support/doors.ts'
import { Code, connectTo, next, Requests, refusalOf, type StreamResponse } from './support/grpc-client.ts'
import { openDoor } from './support/grpc-door.ts'
import { eventually } from './support/grpc-eventually.ts'

const draw = { pool: 'summer' }

function describe({ correlationId, outcome }: StreamResponse): unknown[] {
  return outcome.case === 'receipt' ? [correlationId, outcome.value.id] : [correlationId, outcome.value.code]
}

test('a stream answers each request in its order, and a refusal does not end it', async context => {
  const { port, kuji, meter } = await openDoor(context)
  const requests = new Requests()
  const answers = connectTo(port).drawStream(requests)[Symbol.asyncIterator]()
  requests.send(
    { draw, correlationId: 'first' },
    { draw: { ...draw, count: 0 }, correlationId: 'out of range' },
    { draw: { pool: 'nowhere' }, correlationId: 'no pool' },
    { correlationId: 'nothing' },
    { draw: { ...draw, count: 5 }, correlationId: 'many' },
    { draw },
    { draw, correlationId: 'x'.repeat(256) },
  )
  const found = []
  for (let k = 0; k < 7; k++) found.push(describe(await next(answers)))
  assert.deepEqual(found, [
    ['first', 1n],
    ['out of range', 'INVALID'],
    ['no pool', 'POOL_NOT_FOUND'],
    ['nothing', 'INVALID'],
    ['many', 2n],
    ['', 7n],
    ['', 'INVALID'],
  ])
  requests.send({ draw, correlationId: 'last' })
  requests.end()
  assert.deepEqual(describe(await next(answers)), ['last', 8n])
  assert.equal((await answers.next()).done, true)
  assert.equal((await kuji.pool('summer')).drawn, 8)
  assert.deepEqual([meter.requests, meter.draws], [8, 8])
  assert.deepEqual([...meter.refusals].sort(), [
    ['INVALID', 3],
    ['POOL_NOT_FOUND', 1],
  ])
})

test('a refusal on a stream has its facts, and says when waiting helps', async context => {
  const access = accessOf({ spent: ['draw'] })
  const { port } = await openDoor(context, { access })
  const requests = new Requests()
  requests.send({ draw })
  requests.end()
  const answers = connectTo(port, { key: 'spent' }).drawStream(requests)[Symbol.asyncIterator]()
  const { outcome } = await next(answers)
  assert.equal(outcome.case, 'error')
  const { code, fields, retryAfterSeconds } = outcome.value as Extract<
    typeof outcome,
    { case: 'error' }
  >['value']
  assert.deepEqual([code, fields, retryAfterSeconds], ['LIMIT_REACHED', { retryAfterSeconds: 7 }, 7])
})

test('a stream with a wrong key ends with UNAUTHENTICATED', async context => {
  const { port } = await openDoor(context, { access: accessOf({ right: ['draw'] }) })
  const requests = new Requests()
  requests.send({ draw })
  const answers = connectTo(port, { key: 'wrong' }).drawStream(requests)[Symbol.asyncIterator]()
  assert.equal((await refusalOf(answers.next())).code, 'UNAUTHENTICATED')
  requests.end()
})

test('a thousand requests on one stream are each answered once, in order', async context => {
  const { port } = await openDoor(context)
  const requests = new Requests()
  const count = 1000
  for (let k = 0; k < count; k++) requests.send({ draw, correlationId: String(k) })
  requests.end()
  let k = 0
  for await (const response of connectTo(port).drawStream(requests)) {
    assert.deepEqual(describe(response), [String(k), BigInt(k + 1)])
    k++
  }
  assert.equal(k, count)
})

/** An engine that keeps draws until it is told to answer them. */
function holdDraws() {
  const waiting: (() => void)[] = []
  const engine = (kuji: Kuji): Partial<Kuji> => ({
    drawTo: (sink: AnswerSink, token: number, pool: string, options?: object) =>
      void waiting.push(() => kuji.drawTo(sink, token, pool, options)),
  })
  return { waiting, engine }
}

test('a stream takes no more requests than it may hold, until answers have left', async context => {
  const { waiting, engine } = holdDraws()
  const { port, meter } = await openDoor(context, { engine })
  const requests = new Requests()
  const count = serverLimits.grpcStreamRequests * 3
  for (let k = 0; k < count; k++) requests.send({ draw })
  requests.end()
  const answers = connectTo(port).drawStream(requests)[Symbol.asyncIterator]()
  const first = next(answers)
  await eventually(() => waiting.length >= serverLimits.grpcStreamRequests)
  await new Promise(resolve => setTimeout(resolve, 50))
  assert.equal(waiting.length, serverLimits.grpcStreamRequests)
  assert.equal(meter.requests, serverLimits.grpcStreamRequests)
  const answering = setInterval(() => {
    for (const answer of waiting.splice(0)) answer()
  })
  context.after(() => clearInterval(answering))
  await first
  for (let k = 1; k < count; k++) await next(answers)
  assert.equal((await answers.next()).done, true)
})

test('few requests for many draws fill a stream too', async context => {
  const { waiting, engine } = holdDraws()
  const { port } = await openDoor(context, { engine })
  const requests = new Requests()
  for (let k = 0; k < 10; k++) requests.send({ draw: { ...draw, count: limits.drawCount } })
  const answers = connectTo(port).drawStream(requests)[Symbol.asyncIterator]()
  const first = next(answers)
  const most = serverLimits.grpcStreamDraws / limits.drawCount
  await eventually(() => waiting.length >= most)
  await new Promise(resolve => setTimeout(resolve, 50))
  assert.equal(waiting.length, most)
  for (const answer of waiting.splice(0)) answer()
  await first
  requests.end()
})

test('a watch tells draws and changes as they come, and goes on where it broke off', async context => {
  const { port, kuji } = await openDoor(context)
  const client = connectTo(port)
  const ending = new AbortController()
  let standing = () => {}
  const stands = new Promise<void>(resolve => {
    standing = resolve
  })
  const events = client.watch({}, { signal: ending.signal, onHeader: standing })[Symbol.asyncIterator]()
  const first = next(events)
  await stands
  const receipt = await client.draw({ ...draw, count: 2, key: 'k', recipient: 'r' })
  const { lsn, changes, continues } = await first
  assert.equal(continues, false)
  const { $typeName: _, ...drawn } = changes[0]!.what.value as unknown as { $typeName: string }
  assert.deepEqual(drawn, { pool: 'summer', id: 1n, items: receipt.items, key: 'k', recipient: 'r' })
  await kuji.pausePool('few')
  const paused = await next(events)
  assert.deepEqual(paused.changes[0]?.what.case, 'pool')
  assert.equal((paused.changes[0]!.what.value as { kind: number }).kind, 3)
  ending.abort()
  assert.equal((await refusalOf(events.next())).status, Code.Canceled)
  await kuji.resumePool('few')
  const again = client.watch({ after: lsn })[Symbol.asyncIterator]()
  assert.equal((await next(again)).lsn, paused.lsn)
  assert.equal(((await next(again)).changes[0]!.what.value as { kind: number }).kind, 4)
  const refusal = await refusalOf(client.watch({ after: 1_000_000n })[Symbol.asyncIterator]().next())
  assert.deepEqual([refusal.code, refusal.fields.field], ['INVALID', 'after'])
})

test('a batch that is too large for a message is told in several', async context => {
  const { port, kuji } = await openDoor(context)
  const id = 'x'.repeat(128)
  await kuji.putPool({ id, items: [{ id, weight: 1, stock: 'unlimited' }] })
  const { lsn } = kuji.status()
  const watching = kuji.watch({})
  const idle = watching.next()
  const { id: number } = await kuji.drawMany(id, 25_000)
  await idle
  const events = connectTo(port)
    .watch({ after: BigInt(lsn) })
    [Symbol.asyncIterator]()
  const parts = [await next(events), await next(events), await next(events)]
  assert.deepEqual(
    parts.map(part => part.continues),
    [true, true, false],
  )
  assert.equal(new Set(parts.map(part => part.lsn)).size, 1)
  const draws = parts.map(({ changes }) => changes[0]!.what.value as { id: bigint; items: string[] })
  assert.deepEqual(
    draws.map(({ id: first, items }) => [Number(first) - number, items.length]),
    [
      [0, 10_000],
      [10_000, 10_000],
      [20_000, 5_000],
    ],
  )
  await watching.return()
})

/** A feed that counts who follows it, and has an event whenever somebody asks. */
function countWatchers() {
  const counts = { open: 0, told: 0 }
  const engine = (): Partial<Kuji> => ({
    async *watch({ signal } = {}): AsyncGenerator<LogEvent, void, undefined> {
      counts.open++
      const items = Array.from({ length: 10_000 }, () => 'x'.repeat(100))
      try {
        for (let lsn = 1; signal?.aborted !== true; lsn++) {
          counts.told = lsn
          yield { lsn, at: 0, changes: [{ type: 'draws', pool: 'summer', id: lsn, items }] }
        }
      } finally {
        counts.open--
      }
    },
  })
  return { counts, engine }
}

test('a watcher that does not read is not written to, and is freed when it goes', async context => {
  const { counts, engine } = countWatchers()
  const { port } = await openDoor(context, { engine })
  const ending = new AbortController()
  const events = connectTo(port).watch({}, { signal: ending.signal })[Symbol.asyncIterator]()
  await next(events)
  let told = -1
  await eventually(async () => {
    const before = told
    told = counts.told
    await new Promise(resolve => setTimeout(resolve, 50))
    return before === told
  })
  assert.ok(told < 20, `${told} events of a megabyte were taken for a reader that had one`)
  assert.equal(counts.open, 1)
  ending.abort()
  await eventually(() => counts.open === 0)
})

test('no more watch than there may be', async context => {
  const { port, kuji } = await openDoor(context)
  const clients = Array.from({ length: 4 }, () => connectTo(port))
  const ending = new AbortController()
  const { signal } = ending
  const watches = Array.from({ length: serverLimits.eventStreams }, async (_, k) => {
    await new Promise<void>(resolve => {
      const events = clients[k % 4]!.watch({}, { signal, onHeader: () => resolve() })
      events[Symbol.asyncIterator]()
        .next()
        .catch(() => {})
    })
  })
  await Promise.all(watches)
  const { code, retryAfter } = await refusalOf(connectTo(port).watch({})[Symbol.asyncIterator]().next())
  assert.deepEqual([code, retryAfter], ['OVERLOADED', '1'])
  ending.abort()
  const drawing = setInterval(() => kuji.draw('summer'), 5)
  await eventually(async () => {
    const again = connectTo(port).watch({})[Symbol.asyncIterator]()
    const admitted = await again.next().then(
      () => true,
      () => false,
    )
    await again.return?.()
    return admitted
  })
  // Before the engine is closed, which would refuse it to nobody who listens.
  clearInterval(drawing)
})
