import assert from 'node:assert/strict'
import { test } from 'node:test'
import { serverLimits } from '../src/limits.ts'
import { encode, Refusal, type Reply, RespClient } from './support/resp-client.ts'
import { openDoor } from './support/resp-door.ts'

const keys = { everything: ['draw', 'read', 'admin'], reader: ['read'], drawer: ['draw'] } as const

const codeOf = (reply: Reply) => (reply instanceof Refusal ? reply.code : reply)

test('without a key only AUTH, HELLO, RESET and QUIT are there', async context => {
  const { port, kuji } = await openDoor(context, { keys })
  const client = await RespClient.open(context, port)
  for (const line of [
    'PING',
    'DRAW few',
    'POOLS',
    'INFO',
    'COMMAND',
    'CLIENT ID',
    'NONE',
    'HELLO',
    'HELLO 3',
    'ECHO x',
  ])
    assert.equal(codeOf(await client.ask(...line.split(' '))), 'UNAUTHENTICATED', line)
  assert.equal(await client.ask('RESET'), 'RESET')
  assert.equal(await client.ask('QUIT'), 'OK')
  assert.equal((await kuji.pool('few')).drawn, 0)
})

test('AUTH takes a key alone or behind any user, and so does HELLO', async context => {
  const { port } = await openDoor(context, { keys })
  for (const line of ['AUTH everything', 'AUTH default everything', 'HELLO 3 AUTH anybody everything']) {
    const client = await RespClient.open(context, port)
    assert.ok(!((await client.ask(...line.split(' '))) instanceof Refusal), line)
    assert.equal(await client.ask('PING'), 'PONG')
  }
})

test('commands that come with the key in one piece are carried out', async context => {
  const { port } = await openDoor(context, { keys })
  const client = await RespClient.open(context, port)
  // The second is larger than a stranger may send.
  client.write(
    Buffer.concat([encode('AUTH', 'everything'), encode('ECHO', 'x'.repeat(60_000)), encode('DRAW', 'few')]),
  )
  assert.equal(await client.read(), 'OK')
  assert.equal(((await client.read()) as string).length, 60_000)
  assert.deepEqual(await client.read(), [1, 'last'])
})

test('a key may do what its scopes say', async context => {
  const { port } = await openDoor(context, { keys })
  const lines = ['DRAW few', 'DRAW few COUNT 1', 'POOL few', 'POOLS', 'RESTOCK few last 1', 'PUTPOOL few {}']
  const expected = {
    everything: [undefined, undefined, undefined, undefined, undefined, 'INVALID'],
    reader: ['FORBIDDEN', 'FORBIDDEN', undefined, undefined, 'FORBIDDEN', 'FORBIDDEN'],
    drawer: [undefined, undefined, 'FORBIDDEN', 'FORBIDDEN', 'FORBIDDEN', 'FORBIDDEN'],
  }
  for (const [key, codes] of Object.entries(expected)) {
    const client = await RespClient.open(context, port)
    await client.ask('AUTH', key)
    await client.ask('RESTOCK', 'few', 'last', '10')
    client.write(Buffer.concat(lines.map(line => encode(...line.split(' ')))))
    const found: unknown[] = []
    for (const _ of lines) {
      const reply = await client.read()
      found.push(reply instanceof Refusal ? reply.code : undefined)
    }
    assert.deepEqual(found, codes, key)
  }
})

test('a wrong key leaves things as they were, and too many of them end the connection', async context => {
  const { port, lines } = await openDoor(context, { keys })
  const client = await RespClient.open(context, port)
  assert.equal(codeOf(await client.ask('AUTH', 'guess')), 'UNAUTHENTICATED')
  assert.equal(await client.ask('AUTH', 'everything'), 'OK')
  for (let k = 1; k < serverLimits.respFailedLogins; k++)
    assert.equal(codeOf(await client.ask('AUTH', '__proto__')), 'UNAUTHENTICATED')
  assert.equal(await client.ask('PING'), 'PONG')
  client.write(Buffer.concat([encode('AUTH', 'guess'), encode('AUTH', 'everything')]))
  assert.deepEqual((await client.readToEnd()).map(codeOf), ['UNAUTHENTICATED'])
  assert.ok(!lines.join('').includes('guess'), 'no key in the log')
})

test('RESET gives the key back', async context => {
  const { port } = await openDoor(context, { keys })
  const client = await RespClient.open(context, port)
  await client.ask('AUTH', 'everything')
  assert.equal(await client.ask('RESET'), 'RESET')
  assert.equal(codeOf(await client.ask('PING')), 'UNAUTHENTICATED')
})

test('a key has to come within a time', async context => {
  context.mock.timers.enable({ apis: ['setInterval'] })
  const { port } = await openDoor(context, { keys })
  const stranger = await RespClient.open(context, port)
  const known = await RespClient.open(context, port)
  assert.equal(await known.ask('AUTH', 'reader'), 'OK')
  context.mock.timers.tick((serverLimits.respPatienceSeconds + 1) * 1000)
  assert.match(((await stranger.readToEnd())[0] as Refusal).message, /in time/)
  assert.equal(await known.ask('PING'), 'PONG')
})

test('without keys configured a key is taken, and not needed', async context => {
  const { port } = await openDoor(context)
  const client = await RespClient.open(context, port)
  assert.equal(await client.ask('PING'), 'PONG')
  assert.equal(await client.ask('AUTH', 'whatever'), 'OK')
})
