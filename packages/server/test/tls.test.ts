import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { get } from 'node:https'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { connect } from 'node:tls'
import { type ChannelCredentials, Client, credentials, status } from '@grpc/grpc-js'
import { KujiError } from '@kuji/engine/contract'
import { loadConfiguration } from '../src/config/load.ts'
import { readLog } from './support/log-lines.ts'
import { kuji, serve, temporaryDirectory, writeConfiguration } from './support/processes.ts'
import { RespClient } from './support/resp-client.ts'

const pools = 'pools: [{ id: open, items: [{ id: a, weight: 1, stock: unlimited }] }]\n'
const tls = 'tls: { certificate: cert.pem, key: key.pem }\n'

/** A certificate for 127.0.0.1 that signs itself, and its key. */
function makeCertificate(dir: string, certificate = 'cert.pem', key = 'key.pem'): void {
  const subject = [
    '-subj',
    '/CN=kuji test',
    '-addext',
    'subjectAltName=IP:127.0.0.1,DNS:localhost',
    '-days',
    '2',
  ]
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  const files = ['-keyout', join(dir, key), '-out', join(dir, certificate)]
  execFileSync('openssl', ['req', '-x509', ...kind, ...subject, ...files], { stdio: 'ignore' })
}

function readStatus(url: string, ca: Buffer): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    get(url, { ca, agent: false }, response => {
      response.resume()
      resolve(response.statusCode)
    }).on('error', reject)
  })
}

/** What grpc.health.v1 says of the whole server, in its bytes. */
function checkHealth(context: TestContext, host: string, secret: ChannelCredentials): Promise<Buffer> {
  // grpc-js asks for no certificate of an address, only for one of a name.
  const client = new Client(host, secret, { 'grpc.ssl_target_name_override': 'localhost' })
  context.after(() => client.close())
  const raw = (bytes: Buffer) => bytes
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest('/grpc.health.v1.Health/Check', raw, raw, Buffer.alloc(0), (error, answer) => {
      if (error === null) resolve(answer!)
      else reject(error)
    })
  })
}

test('with a certificate every door speaks TLS, and nothing else', async context => {
  const dir = temporaryDirectory(context)
  makeCertificate(dir)
  const listen =
    'segmentBytes: 65536\n' +
    'http: { listen: 127.0.0.1:0 }\nresp: { listen: 127.0.0.1:0 }\ngrpc: { listen: 127.0.0.1:0 }\n'
  const server = await serve(context, [writeConfiguration(dir, listen + tls + pools)])
  const ca = readFileSync(join(dir, 'cert.pem'))
  assert.match(server.url, /^https:/)
  assert.match(readLog(server.stderr())[0]?.msg ?? '', /^the certificate expires on \d{4}-\d\d-\d\d$/)
  assert.equal(await readStatus(`${server.url}/readyz`, ca), 200)
  await assert.rejects(readStatus(`${server.url}/readyz`, Buffer.alloc(0)), /self-signed|unable to verify/i)
  await assert.rejects(fetch(server.url.replace('https', 'http')))

  const [, port] = /and on rediss:\/\/127\.0\.0\.1:(\d+)\n/.exec(server.stdout()) ?? []
  const socket = connect({ host: '127.0.0.1', port: Number(port), ca })
  context.after(() => socket.destroy())
  await once(socket, 'secureConnect')
  assert.deepEqual(await new RespClient(socket).ask('DRAW', 'open'), [1, 'a'])

  const [, host = ''] = /and on grpcs:\/\/(\S+)\n/.exec(server.stdout()) ?? []
  const serving = Buffer.from([8, 1])
  assert.deepEqual(await checkHealth(context, host, credentials.createSsl(ca)), serving)
  await assert.rejects(checkHealth(context, host, credentials.createInsecure()), { code: status.UNAVAILABLE })
  assert.equal((await server.stop()).code, 0)
})

/** The one line of the refusal, behind the place. */
async function refusal(context: TestContext, prepare: (dir: string) => void): Promise<string> {
  const dir = temporaryDirectory(context)
  makeCertificate(dir)
  prepare(dir)
  const file = writeConfiguration(dir, tls)
  const error = await loadConfiguration(file).then(
    () => assert.fail('it loads'),
    (reason: unknown) => reason,
  )
  assert.ok(error instanceof KujiError, String(error))
  return error.message.replaceAll(`${dir}/`, '')
}

test('a certificate or key that will not do is told by its file and its line, with the cause', async context => {
  const certificatePlace = /^kuji\.yaml has one error\nkuji\.yaml:1:21: tls\.certificate: cert\.pem: /
  const keyPlace = /^kuji\.yaml has one error\nkuji\.yaml:1:36: tls\.key: key\.pem: /
  const rows: readonly (readonly [RegExp, RegExp, (dir: string) => void])[] = [
    [
      certificatePlace,
      /no such file or directory \(ENOENT\)$/,
      dir => execFileSync('rm', [join(dir, 'cert.pem')]),
    ],
    [keyPlace, /no such file or directory \(ENOENT\)$/, dir => execFileSync('rm', [join(dir, 'key.pem')])],
    [
      certificatePlace,
      /is not a certificate in PEM: /,
      dir => writeFileSync(join(dir, 'cert.pem'), 'nonsense'),
    ],
    [
      keyPlace,
      /is not a private key in PEM, without a passphrase: /,
      dir => writeFileSync(join(dir, 'key.pem'), ''),
    ],
    [keyPlace, /is not the key of the certificate in cert\.pem$/, dir => makeCertificate(dir, 'other.pem')],
    [keyPlace, /has \d+ bytes, at most /, dir => writeFileSync(join(dir, 'key.pem'), 'x'.repeat(2_000_000))],
  ]
  for (const [place, cause, prepare] of rows) {
    const message = await refusal(context, prepare)
    assert.match(message, place)
    assert.match(message, cause)
    assert.doesNotMatch(message, /PRIVATE KEY/)
  }
  const both = await refusal(context, dir =>
    execFileSync('rm', [join(dir, 'cert.pem'), join(dir, 'key.pem')]),
  )
  assert.match(both, /2 errors\n.*tls\.certificate.*\n.*tls\.key/)
})

test('kuji serve refuses to start without its certificate', async context => {
  const dir = temporaryDirectory(context)
  const { code, stderr } = await kuji(['serve', writeConfiguration(dir, tls)])
  assert.equal(code, 1)
  assert.match(stderr, /^kuji: INVALID: .* has 2 errors\n/)
})
