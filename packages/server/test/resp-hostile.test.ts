import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { serverLimits } from '../src/limits.ts'
import { encode, Refusal, RespClient } from './support/resp-client.ts'
import { openDoor } from './support/resp-door.ts'

test('broken protocol is answered, behind the replies that are due, and ends the connection', async context => {
  const { port } = await openDoor(context)
  const faults: readonly [string, string][] = [
    ['*65\r\n', 'TOO_LARGE'],
    [`*1\r\n$${2n ** 62n}\r\n`, 'TOO_LARGE'],
    ['*-1\r\n', 'INVALID'],
    ['*1\r\n*1\r\n$4\r\nPING\r\n', 'INVALID'],
    ['*1\r\n$4\r\nPINGxx', 'INVALID'],
    ['ECHO "open\r\n', 'INVALID'],
    ['a'.repeat(1_000_000), 'TOO_LARGE'],
  ]
  for (const [bytes, code] of faults) {
    const client = await RespClient.open(context, port)
    client.write(Buffer.concat([encode('DRAW', 'summer'), encode('PING'), Buffer.from(bytes)]))
    client.write(encode('DRAW', 'few'))
    const [draw, pong, fault, ...others] = await client.readToEnd()
    assert.ok(Array.isArray(draw))
    assert.equal(pong, 'PONG')
    assert.ok(fault instanceof Refusal && fault.code === code, JSON.stringify(fault))
    assert.match(fault.message, /^Protocol error: /)
    assert.deepEqual(others, [], 'nothing behind the fault is carried out')
  }
})

test('what another protocol begins with ends the connection before a line of it is carried out', async context => {
  const { port, kuji } = await openDoor(context)
  const beginnings = [
    Buffer.from('16030100a5010000a10303', 'hex'),
    Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
    Buffer.from([0]),
    Buffer.from('DRAW few\x1b[2J'),
    Buffer.from('ECHO "a\x7f"'),
  ]
  for (const bytes of beginnings) {
    for (const pause of [false, true]) {
      const client = await RespClient.open(context, port)
      client.write(bytes)
      if (pause) await turn()
      client.write('\nDRAW few\r\nDRAW few\r\n')
      const replies = await client.readToEnd()
      assert.ok(replies.length <= 1, `${bytes} ${JSON.stringify(replies)}`)
    }
  }
  assert.equal((await kuji.pool('few')).drawn, 0)
  const client = await RespClient.open(context, port)
  client.write('ECHO\t"a くじ"\r\n')
  assert.equal(await client.read(), 'a くじ')
})

test('an argument of a million bytes ends the connection, not the server', async context => {
  const { port } = await openDoor(context)
  const client = await RespClient.open(context, port)
  client.write(encode('ECHO', 'x'.repeat(1_000_000)))
  const [fault] = await client.readToEnd()
  assert.equal((fault as Refusal).code, 'TOO_LARGE')
  assert.equal(await (await RespClient.open(context, port)).ask('PING'), 'PONG')
})

test('requests of web pages end the connection before any of their lines is carried out', async context => {
  const { port, lines, kuji } = await openDoor(context)
  const requests = [
    'POST / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\nDRAW few\r\n',
    'GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n',
    'OPTIONS * HTTP/1.1\r\n\r\n',
    'Host: 127.0.0.1\r\nDRAW few\r\n',
    '*1\r\n$4\r\nPOST\r\nDRAW few\r\n',
    '*1\r\n$5\r\nHost:\r\nDRAW few\r\n',
  ]
  for (const request of requests) {
    const client = await RespClient.open(context, port)
    client.write(request)
    assert.equal(await client.rest(), '', request)
  }
  assert.equal((await kuji.pool('few')).drawn, 0)
  // One line for all of them: whoever does this must not fill the log.
  assert.equal(lines.filter(line => line.includes('HTTP on the RESP port')).length, 1)
})

test('a client that sends byte by byte is served, and holds up nobody', async context => {
  const { port } = await openDoor(context)
  const [slow, other] = [await RespClient.open(context, port), await RespClient.open(context, port)]
  for (const byte of encode('DRAW', 'summer', 'COUNT', '2')) {
    slow.write(Buffer.from([byte]))
    assert.equal(await other.ask('PING'), 'PONG')
  }
  assert.equal(((await slow.read()) as unknown[]).length, 3)
})

test('a client that never reads stops being read, and loses nothing once it does', async context => {
  const { port, meter } = await openDoor(context)
  const client = await RespClient.open(context, port)
  client.socket.pause()
  const count = 30_000
  const draw = encode('DRAW', 'summer', 'COUNT', '200')
  client.write(Buffer.concat(Array.from({ length: count }, () => draw)))
  const other = await RespClient.open(context, port)
  let requests = -1
  // Until a while goes by without one more of its commands being taken up.
  for (let quiet = 0; quiet < 20; quiet++) {
    assert.equal(await other.ask('PING'), 'PONG')
    await new Promise(resolve => setTimeout(resolve, 10))
    if (meter.requests - quiet !== requests) [requests, quiet] = [meter.requests, 0]
  }
  const taken = meter.requests
  assert.ok(taken < count, `${taken} commands were taken up`)
  client.socket.resume()
  let bytes = 0
  client.socket.on('data', chunk => (bytes += chunk.length))
  client.write(encode('QUIT'))
  await client.rest()
  assert.ok(bytes > count * 200 * '$3\r\nmud\r\n'.length)
})

test('a client that floods with commands of large answers takes little memory', async context => {
  const { port, door } = await openDoor(context)
  const client = await RespClient.open(context, port)
  client.socket.pause()
  const before = process.memoryUsage()
  for (let k = 0; k < 40; k++) client.write('COMMAND DOCS\r\n'.repeat(5000))
  for (let k = 0; k < 200; k++) await turn()
  const after = process.memoryUsage()
  const grown = after.arrayBuffers - before.arrayBuffers
  // What was asked for is 600 MB.
  assert.ok(grown < 16 * 1024 * 1024, `${grown} bytes`)
  await door.stop(0)
})

test('the rest of a command has to come within a time', async context => {
  context.mock.timers.enable({ apis: ['setInterval'] })
  const { port } = await openDoor(context)
  const [half, idle] = [await RespClient.open(context, port), await RespClient.open(context, port)]
  half.write('*2\r\n$4\r\nDRAW\r\n$6\r\nsum')
  assert.equal(await idle.ask('PING'), 'PONG')
  context.mock.timers.tick((serverLimits.respPatienceSeconds + 1) * 1000)
  const [fault] = await half.readToEnd()
  assert.match((fault as Refusal).message, /did not come in time/)
  assert.equal(await idle.ask('PING'), 'PONG', 'an idle connection may stay for ever')
})

test('a client that is always amid a command, of commands that all come in time, is served on', async context => {
  context.mock.timers.enable({ apis: ['setInterval'] })
  const { port } = await openDoor(context)
  const client = await RespClient.open(context, port)
  const ping = encode('PING')
  client.write(ping.subarray(0, 5))
  // Each piece ends one command and begins the next.
  for (let k = 0; k < 5; k++) {
    client.write(Buffer.concat([ping.subarray(5), ping.subarray(0, 5)]))
    assert.equal(await client.read(), 'PONG')
    context.mock.timers.tick((serverLimits.respPatienceSeconds - 1) * 1000)
  }
  client.write(ping.subarray(5))
  assert.equal(await client.read(), 'PONG')
})

test('a stranger who does not read the refusals has no longer than any other to give a key', async context => {
  context.mock.timers.enable({ apis: ['setInterval'] })
  const { port, meter } = await openDoor(context, { keys: { good: ['draw'] } })
  const client = await RespClient.open(context, port)
  client.socket.pause()
  client.write('x\r\n'.repeat(1_000_000))
  await untilQuiet(() => meter.requests)
  assert.ok(meter.requests < 1_000_000)
  // It is told, and cut when it has not taken that in either.
  for (let k = 0; k < 2; k++) {
    context.mock.timers.tick((serverLimits.respPatienceSeconds + 1) * 1000)
    await turn()
  }
  while (meter.connections > 0) await turn()
})

/** Until a while goes by in which a count stays as it is. */
async function untilQuiet(count: () => number): Promise<void> {
  for (let quiet = 0, last = -1; quiet < 20; quiet++) {
    await new Promise(resolve => setTimeout(resolve, 10))
    if (count() !== last) quiet = 0
    last = count()
  }
}

test('a client that does not end its side after the server has is cut', async context => {
  context.mock.timers.enable({ apis: ['setInterval'] })
  const { port, meter } = await openDoor(context)
  const client = await RespClient.open(context, port)
  client.write('*x\r\n')
  await client.readToEnd()
  assert.equal(meter.connections, 1)
  context.mock.timers.tick(5000)
  while (meter.connections > 0) await turn()
})

test('many connections come and go, amid commands or not', async context => {
  const { port, meter, kuji } = await openDoor(context)
  for (let round = 0; round < 10; round++) {
    const clients = await Promise.all(Array.from({ length: 50 }, () => RespClient.open(context, port)))
    for (const [k, client] of clients.entries()) {
      client.write(encode('DRAW', 'summer').subarray(0, k % 3 === 0 ? 20 : undefined))
      if (k % 2 === 0) client.socket.resetAndDestroy()
      else client.socket.destroy()
    }
  }
  while (meter.connections > 0) await turn()
  const { drawn } = await kuji.pool('summer')
  const client = await RespClient.open(context, port)
  assert.equal(((await client.ask('DRAW', 'summer')) as unknown[])[0], drawn + 1)
})
