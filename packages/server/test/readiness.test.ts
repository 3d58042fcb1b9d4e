import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { openDoor } from './support/doors.ts'
import { serve, serveSample, temporaryDirectory, writeConfiguration } from './support/processes.ts'
import { assertProblem, draw, request } from './support/requests.ts'
import { openSocket, readToEnd } from './support/sockets.ts'

const pools = 'pools: [{ id: open, items: [{ id: a, weight: 1, stock: unlimited }] }]'

/** Holds up the reading of a data directory until this file is there. */
function delayRecovery(gate: string): Record<string, string> {
  const code = `
    import fs from 'node:fs'
    const { readdir } = fs.promises
    fs.promises.readdir = async (...call) => {
      while (!fs.existsSync(${JSON.stringify(gate)})) await new Promise(done => setTimeout(done, 20))
      return readdir(...call)
    }`
  return { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(code)}` }
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise(resolve => server.close(resolve))
  return port
}

/** Waits until the server answers at all. */
async function firstAnswer(url: string, path: string) {
  for (;;) {
    try {
      return await request(url, 'GET', path)
    } catch {
      await new Promise(resolve => setTimeout(resolve, 20))
    }
  }
}

test('while the log is recovered the server is alive, not ready, and asks callers to come back', async context => {
  const dir = temporaryDirectory(context)
  const gate = join(dir, 'gate')
  const url = `http://127.0.0.1:${await freePort()}`
  const file = writeConfiguration(dir, `http: { listen: "${url.slice(7)}" }\n${pools}`)
  const starting = serve(context, [file], { env: delayRecovery(gate) })

  const early = await firstAnswer(url, '/readyz')
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
  await starting
  assert.deepEqual((await request(url, 'GET', '/readyz')).body, { ready: true })
  assert.equal((await draw(url, 'open')).id, 1)
})

test('a server that stops says so before it is gone, and still answers what had begun', async context => {
  const server = await serveSample(context, pools)
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
    const status = {
      durability: 'sync',
      state,
      reason: '/secret/place is full',
      lsn: 1,
      drawNumber: 1,
    } as const
    const { url } = await openDoor(context, {
      kuji: { status: () => ({ ...status, queued: 0, keys: 0, keyBytes: 0, keysForgottenEarly: 0 }) },
    })
    const answer = await request(url, 'GET', '/readyz')
    assert.equal(answer.status, 503)
    assert.deepEqual(answer.body, { ready: false, reason: state })
    assert.equal((await request(url, 'GET', '/healthz')).status, 200)
  })
}
