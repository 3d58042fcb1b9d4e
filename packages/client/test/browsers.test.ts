import assert from 'node:assert/strict'
import { execFile, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { createServer, request as forward } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { serveSample, temporaryDirectory } from '../../server/test/support/processes.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const tsc = join(root, 'node_modules', '.bin', 'tsc')
const chromium = ['chromium', 'chromium-browser', 'google-chrome'].find(
  name => spawnSync(name, ['--version']).status === 0,
)

/** Compiles a package as its build does, but for what it imports, which is taken from its sources. */
async function compile(name: 'client' | 'engine', out: string): Promise<void> {
  const project = join(root, 'packages', name, 'tsconfig.build.json')
  const changes = [
    '--customConditions',
    'source',
    '--outDir',
    out,
    '--declaration',
    'false',
    '--sourceMap',
    'false',
  ]
  await promisify(execFile)(process.execPath, [tsc, '-p', project, ...changes])
}

test('the client compiles without the types of Node, and imports the contract alone', async context => {
  await compile('client', temporaryDirectory(context))
  const src = join(root, 'packages', 'client', 'src')
  const imports = readdirSync(src).flatMap(name =>
    [...readFileSync(join(src, name), 'utf8').matchAll(/ from '([^.'][^']*)'/g)].map(([, from]) => from),
  )
  assert.deepEqual([...new Set(imports)], ['@kuji/engine/contract'])
})

/** A page with the client in it, at the origin of a server of kuji: what a reverse proxy does in front of both. */
async function servePage(context: TestContext, files: string, kuji: string, script: string) {
  const told = Promise.withResolvers<string>()
  const imports = {
    '@kuji/client': '/client/index.js',
    '@kuji/engine/contract': '/engine/contract/index.js',
  }
  const page = `<!doctype html><script type="importmap">${JSON.stringify({ imports })}</script>
<script type="module">${script}</script>`
  const server = createServer((request, response) => {
    const { url = '', method, headers } = request
    if (url === '/') return void response.setHeader('content-type', 'text/html').end(page)
    if (url === '/told') {
      let text = ''
      request.on('data', chunk => (text += chunk)).on('end', () => told.resolve(text))
      return void response.end()
    }
    if (url.endsWith('.js')) {
      const type = response.setHeader('content-type', 'text/javascript')
      return void type.end(readFileSync(join(files, url)))
    }
    const { origin: _, ...rest } = headers
    const onward = forward(kuji + url, { method, headers: { ...rest, host: new URL(kuji).host } }, answer =>
      answer.pipe(response.writeHead(answer.statusCode ?? 500, answer.headers)),
    )
    request.pipe(onward.on('error', () => response.destroy()))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  context.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, told: told.promise }
}

const script = `
import { KujiClient, KujiError } from '@kuji/client'
try {
  const client = new KujiClient({ url: location.origin })
  const key = 'order-42'
  const receipt = await client.draw('open', { key, count: 3 })
  const again = await client.draw('open', { key, count: 3 })
  const refusal = await client.draw('nowhere').catch(error => error instanceof KujiError && error.code)
  const events = client.events()
  let event
  const first = events.next().then(({ value }) => (event = value))
  // Until the stream is open, and one of them is told.
  while (event === undefined) await client.draw('open')
  await first
  await events.return()
  await fetch('/told', { method: 'POST', body: JSON.stringify({ receipt, again, refusal, event }) })
} catch (error) {
  await fetch('/told', { method: 'POST', body: JSON.stringify({ error: String(error.stack) }) })
}`

test('a page draws with it in a browser', async context => {
  if (chromium === undefined) return context.skip('there is no Chromium: apt-get install chromium')
  const pools = 'pools: [{ id: open, items: [{ id: a, weight: 1, stock: unlimited }] }]'
  const { url } = await serveSample(context, pools)
  const files = temporaryDirectory(context)
  await Promise.all((['client', 'engine'] as const).map(name => compile(name, join(files, name))))
  const page = await servePage(context, files, url, script)
  const profile = `--user-data-dir=${join(files, 'profile')}`
  const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', profile]
  const browser = spawn(chromium, [...flags, '--remote-debugging-port=0', page.url], {
    stdio: 'ignore',
    timeout: 600_000,
  })
  const ended = once(browser, 'close')
  const told = await Promise.race([page.told, ended.then(() => '{"error":"the browser has ended"}')])
  // Before its profile goes with the test's directory.
  browser.kill()
  await ended
  const { receipt, again, refusal, event, error } = JSON.parse(told)
  assert.equal(error, undefined)
  assert.deepEqual(receipt.items, ['a', 'a', 'a'])
  assert.deepEqual(again, { ...receipt, replayed: true })
  assert.equal(refusal, 'POOL_NOT_FOUND')
  assert.deepEqual([receipt.id, event.changes[0].pool], [1, 'open'])
})
