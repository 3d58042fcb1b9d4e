import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { connect as connectTls } from 'node:tls'
import { certificate } from './support/certificate.ts'
import { serve, temporaryDirectory, writeConfiguration } from './support/processes.ts'
import { encode, RespClient } from './support/resp-client.ts'
import { openDoor } from './support/resp-door.ts'

test('`kuji serve` opens the door where the configuration says, and seals what was drawn there', async context => {
  const dir = temporaryDirectory(context)
  const file = writeConfiguration(
    dir,
    `segmentBytes: 65536
http: { listen: 127.0.0.1:0 }
resp: { listen: 127.0.0.1:0 }
pools: [{ id: few, items: [{ id: last, weight: 1, stock: 3 }] }]
`,
  )
  for (const drawn of [1, 2]) {
    const server = await serve(context, [file])
    const [, port] = /redis:\/\/127\.0\.0\.1:(\d+)/.exec(server.stdout())!
    const client = await RespClient.open(context, Number(port))
    assert.deepEqual(await client.ask('DRAW', 'few'), [drawn, 'last'])
    client.socket.on('end', () => client.socket.end())
    assert.equal((await server.stop()).code, 0)
    assert.equal(await client.rest(), '')
  }
})

test('a stop answers what is under way, closes idle connections and takes no new ones', async context => {
  const { port, door } = await openDoor(context)
  const [busy, idle] = [await RespClient.open(context, port), await RespClient.open(context, port)]
  for (const client of [busy, idle]) {
    assert.equal(await client.ask('PING'), 'PONG')
    client.socket.on('end', () => client.socket.end())
  }
  busy.write(Buffer.concat(Array.from({ length: 100 }, () => encode('DRAW', 'summer'))))
  const first = await busy.read()
  const stopped = door.stop(5000)
  assert.deepEqual((first as unknown[])[0], 1)
  assert.equal((await busy.readToEnd()).length, 99)
  assert.equal(await idle.rest(), '')
  await stopped
  await assert.rejects(RespClient.open(context, port), /ECONNREFUSED/)
})

test('a stop cuts those who take too long', async context => {
  const { port, door, lines } = await openDoor(context)
  const client = await RespClient.open(context, port)
  client.socket.pause()
  const sent = Array.from({ length: 2000 }, () => encode('DRAW', 'summer', 'COUNT', '2000'))
  client.write(Buffer.concat(sent))
  for (let k = 0; k < 50; k++) await turn()
  await door.stop(20)
  assert.match(lines.join(''), /cut off/)
})

test('with a certificate the same commands go through TLS, and nothing else does', async context => {
  const { door, port } = await openDoor(context, { tls: certificate })
  assert.match(door.url, /^rediss:/)
  const plain = await RespClient.open(context, port)
  plain.write(encode('DRAW', 'few'))
  await plain.rest()
  const socket = connectTls({ host: '127.0.0.1', port, ca: certificate.cert })
  context.after(() => socket.destroy())
  await once(socket, 'secureConnect')
  const client = new RespClient(socket)
  assert.deepEqual(await client.ask('DRAW', 'few'), [1, 'last'])
  client.write(Buffer.concat(Array.from({ length: 5000 }, () => encode('DRAW', 'summer'))))
  socket.end()
  const replies = await client.readToEnd()
  assert.deepEqual(
    replies.map(reply => (reply as unknown[])[0]),
    Array.from(replies, (_, k) => k + 2),
  )
  assert.equal(replies.length, 5000)
})
