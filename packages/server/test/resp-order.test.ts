import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import type { AnswerSink, Kuji } from '@kuji/engine'
import { type DrawOptions, KujiError, limits, type Receipt } from '@kuji/engine/contract'
import fc from 'fast-check'
import type { Access, Caller } from '../src/access/caller.ts'
import { serverLimits } from '../src/limits.ts'
import { createLogger } from '../src/logger.ts'
import { Service } from '../src/service.ts'
import { encode, pairs, Refusal, type Reply, RespClient } from './support/resp-client.ts'
import { openDoor } from './support/resp-door.ts'

/** Refuses draws of the pool `refused` at once, and gives the answers of others when it is told to. */
class HeldService extends Service {
  readonly held: (() => void)[] = []

  override drawTo(
    caller: Caller,
    sink: AnswerSink,
    token: number,
    pool: string,
    options?: DrawOptions,
  ): void {
    if (pool === 'refused') {
      sink.answer(token, new KujiError('OVERLOADED', 'not now'))
      return
    }
    const hold = {
      answer: (at: number, answer: Receipt | KujiError) => this.held.push(() => sink.answer(at, answer)),
    }
    super.drawTo(caller, hold, token, pool, options)
  }

  release(): void {
    for (const answer of this.held.splice(0)) answer()
  }
}

const silent = createLogger(() => {})
const heldOf = (kuji: Kuji, access: Access) => new HeldService(kuji, access, silent)

test('replies that are there at once wait for the draws before them', async context => {
  let service!: HeldService
  const serviceOf = (kuji: Kuji, access: Access) => (service = heldOf(kuji, access))
  const { port } = await openDoor(context, { serviceOf })
  const client = await RespClient.open(context, port)
  const sent = [
    'PING first',
    'DRAW few',
    'PING',
    'DRAW refused',
    'POOL few',
    'DRAW few COUNT 2',
    'GET x',
    'ECHO last',
  ]
  client.write(Buffer.concat(sent.map(line => encode(...line.split(' ')))))
  assert.equal(await client.read(), 'first')
  while (service.held.length < 1) await turn()
  const early = client.read()
  assert.equal(await Promise.race([early, turn('nothing yet')]), 'nothing yet')
  service.release()
  assert.deepEqual(await early, [1, 'last'])
  assert.equal(await client.read(), 'PONG')
  assert.equal(((await client.read()) as Refusal).code, 'OVERLOADED')
  assert.equal(pairs(await client.read()).id, 'few')
  while (service.held.length < 1) await turn()
  service.release()
  assert.deepEqual(await client.read(), [2, 'last', 'last'])
  assert.match(((await client.read()) as Refusal).message, /^unknown command/)
  assert.equal(await client.read(), 'last')
})

test('of draws that are answered together each connection gets its own', async context => {
  let service!: HeldService
  const serviceOf = (kuji: Kuji, access: Access) => (service = heldOf(kuji, access))
  const { port } = await openDoor(context, { serviceOf })
  const clients = await Promise.all([1, 2, 3, 4, 5].map(() => RespClient.open(context, port)))
  for (let round = 0; round < 3; round++) {
    const first = 1 + round * 15
    let next = first
    const expected: number[] = []
    for (const [index, client] of clients.entries()) {
      client.write(encode('DRAW', 'summer', 'COUNT', `${index + 1}`))
      while (service.held.length < index + 1) await turn()
      expected.push(next)
      next += index + 1
    }
    service.release()
    for (const [index, client] of clients.entries()) {
      const [id, ...items] = (await client.read()) as Reply[]
      assert.deepEqual([id, items.length], [expected[index], index + 1])
    }
  }
})

test('requests for many items are not all taken up at once, since their answers take memory', async context => {
  let service!: HeldService
  const serviceOf = (kuji: Kuji, access: Access) => (service = heldOf(kuji, access))
  const { port } = await openDoor(context, { serviceOf })
  const client = await RespClient.open(context, port)
  const count = limits.drawCount
  const most = Math.ceil(serverLimits.respAnswerItems / count)
  const all = 5 * most
  client.write(
    Buffer.concat(Array.from({ length: all }, () => encode('DRAW', 'summer', 'COUNT', `${count}`))),
  )
  for (let told = 0; told < all; ) {
    while (service.held.length < 1) await turn()
    for (let k = 0; k < 20; k++) await turn()
    assert.ok(service.held.length <= most, `${service.held.length} under way`)
    for (let due = service.held.length; due > 0; due--) {
      service.held.shift()!()
      assert.equal(((await client.read()) as Reply[])[0], 1 + told++ * count)
    }
  }
})

test('QUIT and a closed sending side still get the replies that are due', async context => {
  let service!: HeldService
  const serviceOf = (kuji: Kuji, access: Access) => (service = heldOf(kuji, access))
  const { port } = await openDoor(context, { serviceOf })
  for (const last of ['QUIT', 'the end of the stream']) {
    const client = await RespClient.open(context, port)
    client.write(encode('DRAW', 'summer'))
    if (last === 'QUIT') client.write(Buffer.concat([encode('QUIT'), encode('DRAW', 'summer')]))
    else client.socket.end()
    while (service.held.length < 1) await turn()
    await turn()
    service.release()
    const [draw, ...others] = await client.readToEnd()
    assert.equal((draw as Reply[]).length, 2, last)
    assert.deepEqual(others, last === 'QUIT' ? ['OK'] : [])
    assert.equal(service.held.length, 0, 'what came behind QUIT was not carried out')
  }
})

test('whoever closes the sending side behind many commands gets the reply to each', async context => {
  const { port } = await openDoor(context)
  const client = await RespClient.open(context, port)
  client.write(Buffer.concat(Array.from({ length: 20_000 }, () => encode('DRAW', 'summer'))))
  client.socket.end()
  assert.equal((await client.readToEnd()).length, 20_000)
})

test('a client that goes away leaves nothing behind, and its draws stay drawn', async context => {
  let service!: HeldService
  const serviceOf = (kuji: Kuji, access: Access) => (service = heldOf(kuji, access))
  const { port, kuji, meter } = await openDoor(context, { serviceOf })
  for (const goes of ['destroy', 'resetAndDestroy'] as const) {
    const client = await RespClient.open(context, port)
    client.write(Buffer.concat([encode('DRAW', 'few'), encode('POOL', 'few'), Buffer.from('*2\r\n$4\r\nDR')]))
    while (service.held.length < 1) await turn()
    client.socket[goes]()
    await turn()
    service.release()
    while (meter.connections > 0) await turn()
  }
  assert.equal((await kuji.pool('few')).drawn, 2)
  const other = await RespClient.open(context, port)
  assert.equal(await other.ask('PING'), 'PONG')
})

test('any mix of commands, cut anywhere, has one reply each, in order', async context => {
  const { port } = await openDoor(context)
  const command = fc.constantFrom(
    'DRAW summer',
    'DRAW summer COUNT 3',
    'POOL few',
    'PING',
    'DRAW nowhere',
    'NONE',
    'POOLS',
  )
  const property = fc.asyncProperty(
    fc.array(command, { maxLength: 60 }),
    fc.array(fc.nat(), { maxLength: 10 }),
    async (lines, places) => {
      const client = await RespClient.open(context, port)
      const bytes = Buffer.concat(
        lines.map((line, k) => Buffer.concat([encode(...line.split(' ')), encode('ECHO', `${k}`)])),
      )
      let from = 0
      for (const place of [
        ...places.map(at => at % (bytes.length + 1)).sort((a, b) => a - b),
        bytes.length,
      ]) {
        client.write(bytes.subarray(from, place))
        from = place
        await turn()
      }
      for (const [k, line] of lines.entries()) {
        assert.equal(kindOf(await client.read()), kinds[line as keyof typeof kinds], line)
        assert.equal(await client.read(), `${k}`)
      }
      client.socket.destroy()
    },
  )
  await fc.assert(property, { seed: 1, numRuns: 40 })
})

const kinds = {
  'DRAW summer': 'array of 2',
  'DRAW summer COUNT 3': 'array of 4',
  'POOL few': 'array of 12',
  PING: 'PONG',
  'DRAW nowhere': 'POOL_NOT_FOUND',
  NONE: 'INVALID',
  POOLS: 'array of 2',
} as const

function kindOf(reply: Reply): string {
  if (reply instanceof Refusal) return reply.code
  return Array.isArray(reply) ? `array of ${reply.length}` : String(reply)
}

test('a hundred thousand commands in one go are answered one by one', async context => {
  const { port } = await openDoor(context)
  const client = await RespClient.open(context, port)
  const count = 50_000
  let received = ''
  client.socket.on('data', chunk => (received += chunk.toString('latin1')))
  client.write(
    Buffer.concat(
      Array.from({ length: count }, () => Buffer.concat([encode('DRAW', 'summer'), encode('PING')])),
    ),
  )
  client.write(encode('QUIT'))
  await client.rest()
  const pattern = /\*2\r\n:(\d+)\r\n\$\d+\r\n(?:diamond|mud)\r\n\+PONG\r\n/gy
  let draws = 0
  for (let match = pattern.exec(received); match !== null; match = pattern.exec(received)) {
    assert.equal(Number(match[1]), ++draws)
  }
  assert.equal(draws, count)
  assert.ok(received.endsWith('+PONG\r\n+OK\r\n'))
})
