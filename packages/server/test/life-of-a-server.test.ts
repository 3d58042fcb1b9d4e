import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import type { ReceiptJson } from '../src/json.ts'
import { readLog } from './support/log-lines.ts'
import { kuji, serve, serveSample, temporaryDirectory, writeConfiguration } from './support/processes.ts'
import { assertProblem, draw, readPool, request } from './support/requests.ts'
import { limitsInProcess } from './support/smaller-limits.ts'

const pools = 'pools: [{ id: open, items: [{ id: a, weight: 1, stock: unlimited }] }]'
const draws = '/v1/pools/open/draws'

/** A draw of which the server has the head, and not yet the last byte. */
async function beginDraw(url: string): Promise<{ finish: () => Promise<string> }> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname).setEncoding('utf8')
  let answer = ''
  socket.on('data', (chunk: string) => {
    answer += chunk
  })
  // Where the server is forced to end, the connection breaks.
  socket.on('error', () => {})
  const closed = new Promise<void>(resolve => socket.once('close', () => resolve()))
  const head = [
    'Host: localhost',
    'Content-Type: application/json',
    'Content-Length: 2',
    'Expect: 100-continue',
  ]
  socket.write(`POST ${draws} HTTP/1.1\r\n${head.join('\r\n')}\r\n\r\n`)
  await once(socket, 'data')
  assert.match(answer, /^HTTP\/1\.1 100 Continue\r\n\r\n$/, 'the request has arrived')
  const finish = async () => {
    answer = ''
    socket.write('{}')
    await closed
    return answer
  }
  return { finish }
}

/** Draws on sixteen connections until the server is gone. Some of it has been answered when this is there. */
async function drawUntilGone(url: string): Promise<{ receipts: ReceiptJson[]; gone: Promise<unknown> }> {
  const receipts: ReceiptJson[] = []
  const started = Promise.withResolvers<void>()
  const loop = async () => {
    for (;;) {
      try {
        const { status, body } = await request(url, 'POST', draws, { count: 3 })
        assert.equal(status, 201)
        if (receipts.push(body as unknown as ReceiptJson) === 100) started.resolve()
      } catch (error) {
        if (error instanceof assert.AssertionError) throw error
        return
      }
    }
  }
  const gone = Promise.all(Array.from({ length: 16 }, loop))
  await Promise.race([started.promise, gone])
  return { receipts, gone }
}

function assertAllKept(receipts: readonly ReceiptJson[], drawn: number): void {
  const firsts = receipts.map(({ id }) => id).sort((a, b) => a - b)
  assert.equal(new Set(firsts).size, receipts.length, 'no draw number is given twice')
  assert.ok((firsts.at(-1) ?? 0) + 2 <= drawn, 'the last answered draw is there')
}

test('SIGTERM finishes the request in flight, closes idle connections, and exits with 0', async context => {
  const server = await serveSample(context, pools)
  await draw(server.url, 'open')
  const { finish } = await beginDraw(server.url)
  const ended = server.stop('SIGTERM')
  await server.said('stopping')
  assert.match(await finish(), /^HTTP\/1\.1 201 Created[\s\S]*"id":2,/)
  const { code, stderr } = await ended
  assert.equal(code, 0, stderr)
  const [stopping, stopped] = readLog(stderr).slice(-2)
  assert.match(stopping?.msg ?? '', /^stopping: /)
  assert.equal(stopping?.signal, 'SIGTERM')
  assert.equal(stopped?.msg, 'stopped')
})

test('SIGTERM under load loses nothing that was answered, and the next start goes on', async context => {
  const server = await serveSample(context, pools)
  const { receipts, gone } = await drawUntilGone(server.url)
  const { code } = await server.stop('SIGTERM')
  assert.equal(code, 0)
  await gone
  assert.ok(receipts.length >= 100)
  const again = await serve(context, [server.file])
  const { drawn, version } = await readPool(again.url, 'open')
  assert.equal(version, 1, 'the pool of the configuration is not put again')
  assertAllKept(receipts, drawn)
  assert.equal((await draw(again.url, 'open')).id, drawn + 1)
})

test('kill -9 under load loses nothing that was answered', async context => {
  const server = await serveSample(context, pools)
  const { receipts, gone } = await drawUntilGone(server.url)
  await server.stop('SIGKILL')
  await gone
  assert.ok(receipts.length >= 100)
  const again = await serve(context, [server.file])
  const { drawn } = await readPool(again.url, 'open')
  assertAllKept(receipts, drawn)
  assert.equal((await draw(again.url, 'open')).id, drawn + 1)
})

test('a second signal forces, with exit code 1', async context => {
  const server = await serveSample(context, pools)
  await beginDraw(server.url)
  server.process.kill('SIGTERM')
  await server.said('stopping')
  const { code, stderr } = await server.stop('SIGTERM')
  assert.equal(code, 1)
  assert.match(stderr, /stopped by a second signal/)
})

test('Ctrl-C that arrives twice at once, as under npm, is one wish to stop', async context => {
  // Between the two the machine may do something else for longer than npm ever takes.
  const server = await serveSample(context, pools, { env: limitsInProcess({ sameInterruptMs: 60_000 }) })
  const { finish } = await beginDraw(server.url)
  server.process.kill('SIGINT')
  server.process.kill('SIGINT')
  await server.said('stopping')
  assert.match(await finish(), /^HTTP\/1\.1 201/)
  assert.equal((await server.ended).code, 0)
})

test('a second process on the directory is refused with LOCKED, naming the holder', async context => {
  const server = await serveSample(context, pools)
  const second = await kuji(['serve', server.file])
  assert.equal(second.code, 1)
  assert.match(second.stderr, /^kuji: LOCKED: /m)
  assert.ok(second.stderr.includes(String(server.process.pid)), second.stderr)
  const tool = await kuji(['pools', '--dir', join(server.dir, 'data')])
  assert.equal(tool.code, 1)
  assert.match(tool.stderr, /^kuji: LOCKED: /)
  assert.equal((await draw(server.url, 'open')).id, 1, 'the holder is not disturbed')
})

test('a damaged log is refused with CORRUPT, naming the file, and stays as it is', async context => {
  const server = await serveSample(context, pools)
  for (let count = 1; count <= 20; count++) await draw(server.url, 'open', { count })
  await server.stop()
  const segment = join(server.dir, 'data', 'segment-0000000001.log')
  const bytes = readFileSync(segment)
  const end = bytes.findLastIndex(byte => byte !== 0)
  bytes[end >> 1]! ^= 1
  writeFileSync(segment, bytes)
  const { code, stderr } = await kuji(['serve', server.file])
  assert.equal(code, 1)
  assert.match(stderr, /^kuji: CORRUPT: .*segment-0000000001\.log/m)
  assert.doesNotMatch(stderr, /\n {4}at /)
  assert.deepEqual(readFileSync(segment), bytes)
})

test('a port that is taken is a clear line, found before the directory is opened', async context => {
  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  context.after(() => taken.close())
  const { port } = taken.address() as { port: number }
  const dir = temporaryDirectory(context)
  const file = writeConfiguration(dir, `http: { listen: "127.0.0.1:${port}" }\n${pools}`)
  const { code, stderr } = await kuji(['serve', file])
  assert.equal(code, 1)
  assert.match(
    stderr,
    new RegExp(
      `^kuji: INVALID: cannot listen on 127.0.0.1:${port} \\(http.listen\\): address already in use`,
      'm',
    ),
  )
  assert.ok(!existsSync(join(dir, 'data')))
})

test('where one door cannot open, those that have are closed and the directory is free again', async context => {
  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  context.after(() => taken.close())
  const { port } = taken.address() as { port: number }
  const dir = temporaryDirectory(context)
  const doors = `http: { listen: "127.0.0.1:0" }\nresp: { listen: "127.0.0.1:${port}" }\n`
  const { code, stdout, stderr } = await kuji(['serve', writeConfiguration(dir, doors + pools)])
  assert.deepEqual([code, stdout], [1, ''])
  assert.match(
    stderr,
    new RegExp(`^kuji: INVALID: cannot listen on 127.0.0.1:${port} \\(resp.listen\\): `, 'm'),
  )
  assert.equal((await kuji(['pools', '--dir', join(dir, 'data')])).code, 0)
})

test('a write that fails is answered OUTCOME_UNKNOWN, and the server exits with 1', async context => {
  const server = await serveSample(context, pools)
  assert.equal((await draw(server.url, 'open')).id, 1)
  // The seal of the idle log comes first, or it might be the write that fails. On a slow machine it may come before it
  // can be seen to come; another draw is followed by another one.
  const lsn = async () => (await request(server.url, 'GET', '/healthz')).body.lsn
  for (let sealed = false; !sealed; ) {
    await draw(server.url, 'open')
    const drawn = await lsn()
    for (let looks = 0; looks < 500 && !sealed; looks++) sealed = (await lsn()) !== drawn
  }
  try {
    execFileSync('prlimit', ['--pid', String(server.process.pid), '--fsize=1'])
  } catch {
    context.skip('there is no prlimit on this machine')
    return
  }
  assertProblem(await request(server.url, 'POST', draws), 'OUTCOME_UNKNOWN')
  const { code, stderr } = await server.ended
  assert.equal(code, 1)
  assert.match(readLog(stderr).at(-1)?.msg ?? '', /^the log has failed, and the server stops: /)
  assert.doesNotMatch(stderr, /\n {4}at /, 'a disk that fails is no defect')
  const again = await serve(context, [server.file])
  assert.ok((await readPool(again.url, 'open')).drawn >= 1)
})

test('a live pool is not overwritten by the configuration; a line says where it differs', async context => {
  const server = await serveSample(context, pools)
  await request(server.url, 'PATCH', '/v1/pools/open/items/a', { weight: 5 })
  await server.stop()
  const again = await serve(context, [server.file])
  const told = readLog(again.stderr()).find(({ msg }) => msg.startsWith('a live pool differs '))
  assert.deepEqual(
    [told?.level, told?.pool, told?.version, told?.differs],
    ['warn', 'open', 2, 'items.a.weight'],
  )
  assert.equal((await readPool(again.url, 'open')).items[0]?.weight, 5)
  await request(again.url, 'PATCH', '/v1/pools/open/items/a', { weight: 1 })
  await again.stop()
  const last = await serve(context, [server.file])
  assert.doesNotMatch((await last.stop()).stderr, /differs/)
})

test('with durability none nothing is written', async context => {
  const server = await serveSample(context, `durability: none\n${pools}`)
  assert.match(server.stdout(), /in memory only/)
  await draw(server.url, 'open')
  await server.stop()
  assert.equal((await readPool((await serve(context, [server.file])).url, 'open')).drawn, 0)
})

test('kuji serve without a file runs the sample campaign, and its curl line draws', async context => {
  const dir = temporaryDirectory(context)
  // The built-in port may be in use on this machine; the same text as a file is what is served otherwise.
  const { sampleConfiguration } = await import('../src/config/sample.ts')
  const file = writeConfiguration(dir, sampleConfiguration.replaceAll(/:707\d/g, ':0'))
  const server = await serve(context, [file])
  assert.match(
    server.stdout(),
    /^kuji \d+\.\d+\.\d+ listens on http:\/\/127\.0\.0\.1:\d+\n(?:and on .*\n)*data in .*\/data, durability sync\n/,
  )
  assert.match(server.stdout(), /\nsummer +weighted +open/)
  const [, url = '', path = ''] = /curl -X POST (http:\/\/[^/]+)(\S+)\n/.exec(server.stdout()) ?? []
  assert.equal(url, server.url)
  assert.equal((await request(url, 'POST', path)).status, 201)
})

for (const [name, code] of [
  ['an exception that nobody catches', 'throw new Error("planted")'],
  ['a rejection that nobody handles', 'Promise.reject(new Error("planted"))'],
] as const) {
  test(`${name} stops the server with exit code 1, one clear line and the stack`, async context => {
    const planted = `process.on('SIGUSR2', () => { ${code} })`
    const server = await serveSample(context, pools, {
      env: { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(planted)}` },
    })
    const { id } = await draw(server.url, 'open')
    const ended = await server.stop('SIGUSR2')
    assert.equal(ended.code, 1)
    assert.match(ended.stderr, /\nkuji: INTERNAL: stopped by a defect: planted\nError: planted\n {4}at /)
    const again = await serve(context, [server.file])
    assert.equal((await readPool(again.url, 'open')).drawn, id)
  })
}
