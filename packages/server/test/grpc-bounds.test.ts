import assert from 'node:assert/strict'
import type { ClientHttp2Stream } from 'node:http2'
import { constants } from 'node:http2'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { loadSync, type ServiceDefinition } from '@grpc/proto-loader'
import { serverLimits } from '../src/limits.ts'
import { accessOf } from './support/doors.ts'
import { connectTo } from './support/grpc-client.ts'
import { openDoor } from './support/grpc-door.ts'
import { eventually } from './support/grpc-eventually.ts'
import { endOf, frame, RawConnection } from './support/raw-grpc.ts'
import { withLimits } from './support/smaller-limits.ts'

const proto = new URL('../proto/kuji/v1/kuji.proto', import.meta.url).pathname
const service = loadSync(proto)['kuji.v1.Kuji'] as ServiceDefinition
const draw = (request: object) => frame(service.Draw!.requestSerialize({ pool: 'summer', ...request }))
const [invalid, unavailable, unauthenticated] = [3, 14, 16]
const health = '/grpc.health.v1.Health/Check'

/** A part of a message that says it has 60 KiB. */
const part = (bytes: number) => frame(Buffer.alloc(bytes), 60 * 1024)

test('a call without a key is refused before its message comes, and nothing of it is kept', async context => {
  const { port, meter } = await openDoor(context, { access: accessOf({ good: ['draw'] }) })
  const connection = await RawConnection.open(context, port)
  for (const method of Object.keys(service)) {
    const stream = connection.start(method)
    stream.write(part(1000))
    const { status, headers } = await endOf(stream)
    assert.deepEqual([status, headers['kuji-code']], [unauthenticated, 'UNAUTHENTICATED'], method)
  }
  assert.equal(meter.requests, Object.keys(service).length)
  const known = await connection.call('Draw', draw({}), { authorization: 'Bearer good' })
  assert.equal(known.status, 0)
})

test('a message has a time to come whole in, and a stream of requests may be silent', async context => {
  context.mock.timers.enable({ apis: ['setInterval'] })
  const { port, meter } = await openDoor(context)
  const connection = await RawConnection.open(context, port)
  const idle = connection.start('DrawStream')
  const half = [connection.start('Draw'), connection.start('DrawStream'), connection.start(health)]
  for (const stream of half) stream.write(part(1000))
  const silent = connection.start('GetPool')
  // A stream of requests that are all whole in time, though there is always one that is not yet.
  const busy = connection.start('DrawStream')
  const request = service.DrawStream!.requestSerialize({ draw: { pool: 'summer' } })
  let received = 0
  busy.on('data', (chunk: Buffer) => (received += chunk.length))
  busy.write(frame(request).subarray(0, 4))
  const ends = [...half, silent].map(endOf)
  for (let k = 1; k <= 4; k++) {
    const before = received
    busy.write(Buffer.concat([frame(request).subarray(4), frame(request).subarray(0, 4)]))
    await eventually(() => received > before && meter.requests >= k)
    context.mock.timers.tick(serverLimits.requestTimeoutMs / 2)
  }
  for (const { status, headers } of await Promise.all(ends))
    assert.deepEqual([status, headers['kuji-code']], [invalid, 'INVALID'])
  const rest = [busy, idle].map(endOf)
  busy.end(frame(request).subarray(4))
  idle.end()
  for (const { status } of await Promise.all(rest)) assert.equal(status, 0)
})

test('messages that have come in part are bounded over all connections', async context => {
  // Those that are not refused wait for as long as the test takes.
  context.mock.timers.enable({ apis: ['setInterval'] })
  withLimits(context, { grpcPartialBytes: 1024 * 1024 })
  const { port } = await openDoor(context)
  const refusals: unknown[] = []
  for (let k = 0; k < 3; k++) {
    const connection = await RawConnection.open(context, port)
    for (let call = 0; call < 20; call++) {
      const stream = connection.start(call % 2 === 0 ? 'Draw' : health)
      stream.write(part(50 * 1024))
      void endOf(stream).then(({ status, headers }) => refusals.push([status, headers['kuji-code']]))
    }
  }
  // A mebibyte holds twenty of them.
  await eventually(() => refusals.length >= 39)
  for (const refusal of refusals) assert.deepEqual(refusal, [unavailable, 'OVERLOADED'])
  assert.equal((await connectTo(port).draw({ pool: 'summer' })).id, 1n)
})

test('who does not read is not drawn for, and goes on where he reads again', async context => {
  const { port, kuji } = await openDoor(context)
  const connection = await RawConnection.open(context, port, { initialWindowSize: 0 })
  const streams = Array.from({ length: 50 }, () => connection.start('Draw'))
  for (const stream of streams) stream.end(draw({ count: 10_000 }))
  const bidi = connection.start('DrawStream')
  const many = service.DrawStream!.requestSerialize({ draw: { pool: 'summer', count: 10_000 } })
  for (let k = 0; k < 10; k++) bidi.write(frame(many))
  bidi.end()
  await eventually(async () => (await kuji.pool('summer')).drawn >= serverLimits.grpcAnswerItems)
  const others = connectTo(port)
  for (let k = 0; k < 50; k++) await others.draw({ pool: 'few', partial: true }).catch(() => {})
  const { drawn } = await kuji.pool('summer')
  assert.equal(drawn, serverLimits.grpcAnswerItems)
  const ends = [...streams, bidi].map(endOf)
  connection.session.settings({ initialWindowSize: 4 * 1024 * 1024 })
  for (const { status } of await Promise.all(ends)) assert.equal(status, 0)
  assert.equal((await kuji.pool('summer')).drawn, 600_000)
})

test('an answer of which nothing is taken for too long ends, and its connection goes on', async context => {
  context.mock.timers.enable({ apis: ['setInterval'] })
  const { port, kuji } = await openDoor(context)
  const connection = await RawConnection.open(context, port, { initialWindowSize: 0 })
  const stuck: ClientHttp2Stream[] = [connection.start('Draw'), connection.start('DrawStream')]
  stuck[0]!.end(draw({ count: 10_000 }))
  stuck[1]!.write(frame(service.DrawStream!.requestSerialize({ draw: { pool: 'summer', count: 10_000 } })))
  await eventually(async () => (await kuji.pool('summer')).drawn === 20_000)
  const next = connection.start('Draw')
  next.end(draw({ count: 7 }))
  const ends = stuck.map(endOf)
  for (let k = 0; k < 3; k++) await turn()
  context.mock.timers.tick(serverLimits.stalledConnectionMs + 2000)
  for (const { reset } of await Promise.all(ends)) assert.equal(reset, constants.NGHTTP2_CANCEL)
  await eventually(async () => (await kuji.pool('summer')).drawn === 20_007)
  connection.session.settings({ initialWindowSize: 65_535 })
  assert.equal((await endOf(next)).status, 0)
})
