import assert from 'node:assert/strict'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { delayRecovery } from './support/delayed-recovery.ts'
import { accessOf, noNumbers, openDoor } from './support/doors.ts'
import { serveSample, startServer, temporaryDirectory, writeConfiguration } from './support/processes.ts'
import { assertProblem, draw, request } from './support/requests.ts'
import { limitsInProcess } from './support/smaller-limits.ts'
import { openSocket, readToEnd } from './support/sockets.ts'

const pools = 'pools: [{ id: open, items: [{ id: a, weight: 1, stock: unlimited }] }]'

test('while the log is recovered the server is alive, not ready, and asks callers to come back', async context => {
  const dir = temporaryDirectory(context)
  const gate = join(dir, 'gate')
  const file = writeConfiguration(dir, `http: { listen: 127.0.0.1:0 }\n${pools}`)
  const { child, text } = startServer(context, [file], { env: delayRecovery(gate) })
  let url = ''
  for (; url === ''; url = /"url":"([^"]+)"/.exec(text.stderr)?.[1] ?? '') await once(child.stderr, 'data')

  const early = await request(url, 'GET', '/readyz')
  assert.equal(early.status, 503)
  assert.deepEqual(early.body, { ready: false, reason: 'recovering' })
  const health = await request(url, 'GET', '/healthz')
  assert.deepEqual([health.status, health.body.state], [200, 'recovering'])
  for (const [method, path] of [
    ['POST', '/v1/pools/open/draws'],
    ['GET', '/v1/pools'],
    ['GET', '/v1/events'],
    ['PUT', '/v1/pools/open'],
  ] as const) {
    const body = method === 'PUT' ? { items: [{ id: 'a', weight: 1, stock: 1 }] } : undefined
    const answer = await request(url, method, path, body)
    assertProblem(answer, 'OVERLOADED')
    assert.match(answer.headers.get('retry-after') ?? '', /^[1-9]\d*$/)
  }
  const metrics = await (await fetch(`${url}/metrics`)).text()
  assert.match(metrics, /^kuji_state\{state="recovering"\} 1$/m)
  assert.doesNotMatch(metrics, /^kuji_draw_number \d/m, 'not known yet')

  writeFileSync(gate, '')
  while (!text.stdout.includes('Try:')) await once(child.stdout, 'data')
  assert.deepEqual((await request(url, 'GET', '/readyz')).body, { ready: true })
  assert.equal((await draw(url, 'open')).id, 1)
})

test('a server that stops says so before it is gone, and still answers what had begun', async context => {
  const env = limitsInProcess({ headersTimeoutMs: 120_000 })
  const server = await serveSample(context, pools, { env })
  const ready = await request(server.url, 'GET', '/readyz')
  assert.deepEqual([ready.status, ready.body], [200, { ready: true }])
  const socket = await openSocket(server.url)
  const answer = readToEnd(socket)
  socket.write('GET /readyz HTTP/1.1\r\nHost: localhost\r\n')
  // The first line has arrived when a later request on another connection is answered.
  await draw(server.url, 'open')
  server.process.kill('SIGTERM')
  await server.said('stopping')
  socket.write('\r\n')
  assert.match(await answer, /^HTTP\/1\.1 503 [\s\S]*\r\n\r\n\{"ready":false,"reason":"draining"\}$/)
  assert.equal((await server.ended).code, 0)
})

for (const state of ['read-only', 'failed'] as const) {
  test(`a server whose log is ${state} is alive and not ready, and tells no more`, async context => {
    const status = { ...noNumbers, durability: 'sync', state, reason: '/secret/place is full' } as const
    const { url } = await openDoor(context, { kuji: { status: () => status } })
    const answer = await request(url, 'GET', '/readyz')
    assert.equal(answer.status, 503)
    assert.deepEqual(answer.body, { ready: false, reason: state })
    assert.equal((await request(url, 'GET', '/healthz')).status, 200)
  })
}

test('health is for the moment, and says why to nobody without a key where there are keys', async context => {
  const reason = 'ENOSPC: no space left on device, write /var/lib/kuji/segment-7.log'
  const status = () => ({ ...noNumbers, state: 'read-only', reason, durability: 'os' }) as const
  for (const keys of [false, true]) {
    const { url } = await openDoor(context, { kuji: { status }, ...(keys ? { access: accessOf({}) } : {}) })
    const { status: code, headers, body } = await request(url, 'GET', '/healthz')
    assert.deepEqual([code, headers.get('cache-control'), body.state], [200, 'no-store', 'read-only'])
    assert.equal(body.reason, keys ? undefined : reason)
  }
})
