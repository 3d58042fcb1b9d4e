import assert from 'node:assert/strict'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { connect } from 'node:tls'
import { certificate } from './support/certificate.ts'
import { openDoor as openHttp } from './support/doors.ts'
import { openDoor as openGrpc } from './support/grpc-door.ts'
import { serve, temporaryDirectory, writeConfiguration } from './support/processes.ts'
import { openDoor as openResp } from './support/resp-door.ts'
import { limitsInProcess, withLimits } from './support/smaller-limits.ts'
import { openSocket, readToEnd } from './support/sockets.ts'

/** The beginning of a ClientHello, which announces more than it brings. */
const halfHello = Buffer.from('16030100a5010000a10303', 'hex')

/** Each door with TLS, in this process. */
const doors: readonly (readonly [string, (context: TestContext) => Promise<string>])[] = [
  ['HTTP', async context => (await openHttp(context, { tls: certificate })).url],
  ['RESP', async context => (await openResp(context, { tls: certificate })).door.url],
  ['gRPC', async context => (await openGrpc(context, { tls: certificate })).door.url],
]

test('a handshake that does not end in time, or is none, ends the connection, at each door', async context => {
  withLimits(context, { headersTimeoutMs: 2_000 })
  const runs = doors.map(async ([name, open]) => {
    const url = await open(context)
    const cut = ['', halfHello, 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'].map(async bytes => {
      const socket = await openSocket(url)
      context.after(() => socket.destroy())
      socket.write(bytes)
      assert.doesNotMatch(await readToEnd(socket), /HTTP|-INVALID/, `${name}: nothing is said in the clear`)
    })
    await Promise.all(cut)
    // Whoever knows how to is served, for longer than a handshake may take.
    const { hostname, port } = new URL(url)
    const alpn = name === 'gRPC' ? { ALPNProtocols: ['h2'] } : {}
    const socket = connect({ host: hostname, port: Number(port), ca: certificate.cert, ...alpn })
    context.after(() => socket.destroy())
    await once(socket, 'secureConnect')
    const other = await openSocket(url)
    await readToEnd(other)
    assert.equal(socket.readable, true, name)
  })
  await Promise.all(runs)
})

test('connections amid their handshake do not hold up a stop', async context => {
  const dir = temporaryDirectory(context)
  writeFileSync(join(dir, 'cert.pem'), certificate.cert)
  writeFileSync(join(dir, 'key.pem'), certificate.key)
  const listen = ['http', 'resp', 'grpc'].map(door => `${door}: { listen: 127.0.0.1:0 }\n`).join('')
  const file = writeConfiguration(
    dir,
    `durability: none\n${listen}tls: { certificate: cert.pem, key: key.pem }\n`,
  )
  // The handshake may take longer than the stop: what ends it is the stop.
  const env = limitsInProcess({ headersTimeoutMs: 100_000, drainMs: 300 })
  const server = await serve(context, [file], { env })
  const urls = [server.url, ...[...server.stdout().matchAll(/and on (\S+)/g)].map(([, url]) => url!)]
  assert.equal(urls.length, 3)
  const silent: Socket[] = []
  for (const url of urls) {
    for (const bytes of ['', halfHello]) {
      const socket = await openSocket(url)
      socket.write(bytes)
      silent.push(socket)
    }
  }
  assert.equal((await server.stop()).code, 0)
  for (const socket of silent) socket.destroy()
})
