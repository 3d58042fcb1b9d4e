import assert from 'node:assert/strict'
import { constants } from 'node:http2'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { loadSync, type ServiceDefinition } from '@grpc/proto-loader'
import fc from 'fast-check'
import { serverLimits } from '../src/limits.ts'
import { Code, connectTo, refusalOf } from './support/grpc-client.ts'
import { openDoor } from './support/grpc-door.ts'
import { eventually } from './support/grpc-eventually.ts'
import { endOf, field, frame, RawConnection } from './support/raw-grpc.ts'
import { openSocket, readToEnd } from './support/sockets.ts'

const proto = new URL('../proto/kuji/v1/kuji.proto', import.meta.url).pathname
const service = loadSync(proto)['kuji.v1.Kuji'] as ServiceDefinition
const methods = Object.keys(service)
const [invalid, exhausted, unimplemented, internal] = [3, 8, 12, 13]

/** Bytes that begin like messages: small tags, small lengths, and anything behind them. */
const garbage = fc.array(fc.oneof(fc.nat(0x3f), fc.nat(0xff)), { maxLength: 64 }).map(Buffer.from)

test('garbage in the place of a message is answered, and changes nothing', async context => {
  const { port, kuji, lines } = await openDoor(context)
  const connection = await RawConnection.open(context, port)
  const before = await kuji.pools()
  const single = methods.filter(method => !service[method]!.responseStream)
  for (const bytes of fc.sample(garbage, { seed: 7, numRuns: 60 })) {
    const ends = await Promise.all(single.map(method => connection.call(method, frame(bytes))))
    for (const { status } of ends) assert.ok(status !== undefined && status !== internal)
  }
  assert.deepEqual(await kuji.pools(), before)
  assert.doesNotMatch(lines.join(''), /failed/)
  assert.equal((await connectTo(port).draw({ pool: 'summer' })).id, 1n)
})

test('bytes that are not the message are INVALID, on a stream for that request alone', async context => {
  const { port } = await openDoor(context)
  const connection = await RawConnection.open(context, port)
  const torn = Buffer.from([0x0a, 0x01, 0x61, 0x10])
  const { status, headers } = await connection.call('Draw', frame(torn))
  assert.deepEqual([status, headers['kuji-code']], [invalid, 'INVALID'])
  const stream = connection.start('DrawStream')
  const whole = service.DrawStream!.requestSerialize({ draw: { pool: 'summer' } })
  stream.end(Buffer.concat([frame(torn), frame(whole)]))
  let answers = Buffer.alloc(0)
  stream.on('data', (chunk: Buffer) => (answers = Buffer.concat([answers, chunk])))
  assert.equal((await endOf(stream)).status, 0)
  const first = answers.subarray(5, 5 + answers.readUInt32BE(1))
  assert.match(first.toString('latin1'), /INVALID/)
  assert.match(answers.subarray(5 + first.length).toString('latin1'), /summer/)
})

test('texts that are not UTF-8, and what is cut off, are INVALID, and no two keys become one', async context => {
  const { port, kuji } = await openDoor(context)
  const connection = await RawConnection.open(context, port)
  const pool = field(1, Buffer.from('summer'))
  const key = (...bytes: number[]) => field(4, Buffer.from(bytes))
  const named = (name: Buffer) =>
    field(1, field(5, field(1, Buffer.concat([field(1, name), field(2, Buffer.alloc(0))]))))
  const rows: readonly (readonly [string, string, Buffer])[] = [
    ['a key that is not UTF-8', 'Draw', Buffer.concat([pool, key(0xff, 0xfe)])],
    ['another one', 'Draw', Buffer.concat([pool, key(0xff, 0xfd)])],
    ['half a character', 'Draw', Buffer.concat([pool, key(0xe3, 0x81)])],
    ['a surrogate', 'Draw', Buffer.concat([pool, key(0xed, 0xa0, 0x80)])],
    ['a key that is cut off', 'Draw', Buffer.concat([pool, Buffer.from([0x22, 10, 97, 98])])],
    [
      'a key of 2^32 bytes',
      'Draw',
      Buffer.concat([pool, Buffer.from([0x22, 0x80, 0x80, 0x80, 0x80, 0x10, 97])]),
    ],
    ['a key as a number', 'Draw', Buffer.concat([pool, Buffer.from([0x20, 2])])],
    ['an unknown field that is cut off', 'Draw', Buffer.concat([pool, Buffer.from([0x7a, 9, 1])])],
    ['a group', 'Draw', Buffer.concat([pool, Buffer.from([0x7b, 0x7c])])],
    ['a field without a number', 'Draw', Buffer.concat([pool, Buffer.from([0x02, 0])])],
    [
      'a name deep inside',
      'PutPool',
      field(1, Buffer.concat([field(1, Buffer.from('p')), field(6, named(Buffer.from([0xff])))])),
    ],
    ['a message longer than its own', 'PutPool', Buffer.from([0x0a, 3, 0x0a, 5, 97, 98])],
  ]
  for (const [name, method, bytes] of rows) {
    const { status, headers } = await connection.call(method, frame(bytes))
    assert.deepEqual([status, headers['kuji-code']], [invalid, 'INVALID'], name)
  }
  assert.equal((await kuji.pool('summer')).drawn, 0)
  const unknown = Buffer.concat([pool, field(15, Buffer.from([0xff])), key(...Buffer.from('くじ'))])
  assert.equal((await connection.call('Draw', frame(unknown))).status, 0)
})

test('a message that is too large is refused, whatever it says of its length', async context => {
  const { port } = await openDoor(context)
  const connection = await RawConnection.open(context, port)
  const most = serverLimits.grpcMessageBytes
  const pool = (bytes: number) => frame(service.Draw!.requestSerialize({ pool: 'x'.repeat(bytes) }))
  assert.equal((await connection.call('Draw', pool(most))).status, exhausted)
  assert.notEqual((await connection.call('Draw', pool(most - 8))).status, exhausted)
  assert.equal((await connection.call('Draw', frame(Buffer.alloc(9), 0xffff_ffff))).status, exhausted)
  const bomb = frame(gzipSync(Buffer.alloc(32 * 1024 * 1024)), undefined, 1)
  assert.equal((await connection.call('Draw', bomb, { 'grpc-encoding': 'gzip' })).status, exhausted)
  const truncated = frame(Buffer.from('1f8b08', 'hex'), undefined, 1)
  const { status } = await connection.call('Draw', truncated, { 'grpc-encoding': 'gzip' })
  assert.notEqual(status, 0)
  const { status: unknown } = await connection.call('Draw', truncated, { 'grpc-encoding': 'lzma' })
  assert.equal(unknown, unimplemented)
  assert.equal((await connectTo(port).draw({ pool: 'summer' })).id, 1n)
})

test('odd metadata, odd paths and odd content types harm nobody', async context => {
  const { port } = await openDoor(context)
  const connection = await RawConnection.open(context, port)
  const draw = frame(service.Draw!.requestSerialize({ pool: 'summer' }))
  const named = { ['__proto__']: 'x', constructor: 'y', 'kuji-fields': '{', authorization: 'Basic eA==' }
  assert.equal((await connection.call('Draw', draw, { ...named, authorization: 'Bearer x' })).status, 0)
  const { status, headers } = await connection.call('Draw', draw, named)
  assert.deepEqual([status, headers['kuji-code']], [16, 'UNAUTHENTICATED'])
  for (const path of ['/kuji.v1.Kuji/__proto__', '/constructor/x', '/kuji.v1.Kuji/Confirm', '/'])
    assert.equal((await connection.call(path, draw)).status, unimplemented, path)
  const web = await connection.call('Draw', draw, { 'content-type': 'text/plain' })
  assert.equal(web.headers[':status'], 415)
  for (const timeout of ['1x', '', '99999999999S', '-5m'])
    assert.notEqual((await connection.call('Draw', draw, { 'grpc-timeout': timeout })).status, undefined)
  for (const body of [Buffer.alloc(0), draw.subarray(0, 3), Buffer.concat([draw, draw])])
    assert.notEqual((await connection.call('Draw', body)).status, 0)
  assert.equal(Object.hasOwn(Object.prototype, 'x'), false)
})

test('metadata keeps every name, __proto__ too, and may not be nested too deep', async context => {
  const { port, kuji } = await openDoor(context)
  const client = connectTo(port)
  const text = '{"__proto__":{"a":[null,1.5,true,"くじ"]},"constructor":{},"":-0.25}'
  const raw = service.PutPool!.requestSerialize({
    pool: {
      id: 'noted',
      items: [{ id: 'a', weight: 1, stock: { units: 1 }, metadata: plain(JSON.parse(text)) }],
    },
  })
  const connection = await RawConnection.open(context, port)
  assert.equal((await connection.call('PutPool', frame(raw))).status, 0)
  assert.equal(JSON.stringify((await kuji.pool('noted')).items[0]?.metadata), text)
  assert.equal((await client.getPool({ pool: 'noted' })).items.length, 1)
  for (const depth of [20, 60, 5000]) {
    let nested: Buffer = Buffer.alloc(0)
    for (let k = 0; k < depth; k++) nested = field(6, field(1, nested))
    const pool = Buffer.concat([field(1, Buffer.from('deep')), field(6, nested)])
    const { headers } = await connection.call('PutPool', frame(field(1, pool)))
    assert.equal(headers['kuji-code'], 'INVALID', `${depth} levels`)
  }
})

/** JSON as proto-loader takes a google.protobuf.Value. */
function plain(json: unknown): object {
  if (json === null) return { nullValue: 0 }
  if (Array.isArray(json)) return { listValue: { values: json.map(plain) } }
  if (typeof json !== 'object') return { [`${typeof json === 'boolean' ? 'bool' : typeof json}Value`]: json }
  const fields = Object.entries(json).map(([name, inner]) => [name, plain(inner)])
  return { structValue: { fields: Object.fromEntries(fields) } }
}

test('numbers out of range and fields that are not said are INVALID, each by its name', async context => {
  const { port, kuji } = await openDoor(context)
  const client = connectTo(port)
  const items = [{ id: 'a', weight: 1, stock: { amount: { case: 'units', value: 5n } } }]
  const tell = async (call: Promise<unknown>) => {
    const { code, fields, status } = await refusalOf(call)
    assert.deepEqual([code, status], ['INVALID', Code.InvalidArgument])
    return fields.field
  }
  const summer = { pool: 'summer' }
  assert.equal(await tell(client.draw({ ...summer, count: 0 })), 'count')
  assert.equal(await tell(client.draw({ ...summer, count: 4_294_967_295 })), 'count')
  assert.equal(await tell(client.draw({ ...summer, key: '' })), 'key')
  assert.equal(await tell(client.draw({ ...summer, key: 'k'.repeat(256) })), 'key')
  assert.equal(await tell(client.draw({ ...summer, recipient: '' })), 'recipient')
  assert.equal(await tell(client.getReceipt({})), 'id')
  assert.equal(await tell(client.getReceipt({ id: 2n ** 53n + 1n })), 'id')
  assert.equal(await tell(client.getReceipt({ id: 2n ** 64n - 1n })), 'id')
  assert.equal(await tell(client.putPool({ pool: { id: 'x', items }, ifVersion: 2n ** 63n })), 'ifVersion')
  assert.equal(await tell(client.putPool({})), 'pool')
  assert.equal(await tell(client.putPool({ pool: { id: 'x', items, mode: 9 } })), 'mode')
  const nothing = [{ id: 'a', weight: 1 }]
  assert.equal(await tell(client.putPool({ pool: { id: 'x', items: nothing } })), 'items[0].stock')
  const no = [{ id: 'a', weight: 1, stock: { amount: { case: 'unlimited', value: false } } }]
  assert.equal(await tell(client.putPool({ pool: { id: 'x', items: no } })), 'items[0].stock')
  for (const weight of [Number.NaN, Number.POSITIVE_INFINITY, -1])
    await tell(client.updateItem({ ...summer, item: 'mud', weight }))
  await tell(client.updateItem({ ...summer, item: 'mud' }))
  await tell(client.updateItem({ ...summer, item: 'mud', restock: 2n ** 64n - 1n }))
  assert.equal(await tell(client.setPoolStatus({ ...summer, status: 77 })), 'status')
  assert.deepEqual(
    (await kuji.pools()).map(({ id, version }) => [id, version]),
    [
      ['few', 1],
      ['summer', 1],
    ],
  )
})

test('streams that are opened and reset by the ten thousand cost nobody else an answer', async context => {
  const { port, kuji, meter } = await openDoor(context)
  const client = connectTo(port)
  let storming = true
  const storm = async () => {
    while (storming) {
      const connection = await RawConnection.open(context, port)
      const { session } = connection
      for (let k = 0; k < 3000 && !session.destroyed; k++) {
        const stream = connection.start(k % 2 === 0 ? 'Draw' : 'DrawStream')
        if (k % 3 === 0) stream.write(frame(service.Draw!.requestSerialize({ pool: 'summer' })))
        stream.close(constants.NGHTTP2_CANCEL)
        if (k % 100 === 0) await new Promise(resolve => setImmediate(resolve))
      }
      session.destroy()
    }
  }
  const storms = [storm(), storm()]
  const request = { pool: 'few', count: 3, key: 'k' }
  const { id } = await client.draw(request)
  for (let k = 0; k < 10; k++) assert.equal((await client.draw(request)).id, id)
  storming = false
  await Promise.all(storms)
  await eventually(() => meter.connections === 1)
  assert.equal((await kuji.pool('few')).drawn, 3)
})

test('a connection has at most a hundred calls, and those that never speak stop nobody', async context => {
  const { port } = await openDoor(context)
  const connection = await RawConnection.open(context, port)
  assert.equal(connection.session.remoteSettings.maxConcurrentStreams, serverLimits.grpcConnectionStreams)
  for (let k = 0; k < serverLimits.grpcConnectionStreams; k++) connection.start('Draw')
  const socket = await openSocket(`http://127.0.0.1:${port}`)
  context.after(() => socket.destroy())
  assert.equal((await connectTo(port).draw({ pool: 'summer' })).id, 1n)
})

test('what is not HTTP/2 is closed', async context => {
  const { port } = await openDoor(context)
  for (const bytes of ['GET / HTTP/1.1\r\nHost: localhost\r\n\r\n', 'PING\r\n', '\0'.repeat(100)]) {
    const socket = await openSocket(`http://127.0.0.1:${port}`)
    socket.write(bytes)
    await readToEnd(socket)
  }
  assert.equal((await connectTo(port).draw({ pool: 'summer' })).id, 1n)
})
