import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import { readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { sampleConfiguration } from '../../server/src/config/sample.ts'
import { serve, temporaryDirectory, writeConfiguration } from '../../server/test/support/processes.ts'
import { KujiClient } from '../src/index.ts'
import { startCuttingProxy } from './support/cutting-proxy.ts'
import { startHostileProxy } from './support/hostile-proxy.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const guide = readFileSync(join(root, 'docs', 'languages.md'), 'utf8')
const httpAddress = '127.0.0.1:7070'

/** The program under a heading of the guide. */
function programOf(heading: string, language: string): string {
  const section = guide.split(/^## /m).find(text => text.startsWith(`${heading}\n`)) ?? ''
  const [, program] = new RegExp(`^\`\`\`${language}\n([\\s\\S]*?)^\`\`\`$`, 'm').exec(section) ?? []
  assert.ok(program, `no program in ${language} under "${heading}"`)
  return program
}

/** The sample of `kuji serve`, on free ports, over HTTP through a proxy that loses the first answer. */
async function serveSampleCampaign(context: TestContext) {
  const dir = temporaryDirectory(context)
  const text = sampleConfiguration.replaceAll(/:707\d/g, ':0')
  const server = await serve(context, [writeConfiguration(dir, text)])
  const [, respPort] = /(?:redis|resp):\/\/127\.0\.0\.1:(\d+)/.exec(server.stdout()) ?? []
  const proxy = await startHostileProxy(context, server.url)
  proxy.plan('lost on the way back')
  return { ...server, dir, proxy, respPort: Number(respPort), client: new KujiClient({ url: server.url }) }
}

/** Runs a program; it has to draw three items of the sample, and its key has to be that draw's. */
async function assertDrawsOnce(
  client: KujiClient,
  program: readonly [string, ...string[]],
  options: { readonly cwd: string; readonly env?: NodeJS.ProcessEnv; readonly key: string },
): Promise<void> {
  const [file, ...words] = program
  const { stdout, stderr } = await promisify(execFile)(file, words, { ...options, timeout: 600_000 })
  assert.equal(stderr, '')
  const items = stdout.trim().replaceAll(/[[\]]/g, '').split(' ')
  assert.equal((await client.pool('summer')).drawn, 3)
  const receipt = await client.draw('summer', { key: options.key, count: 3, recipient: 'user-7' })
  assert.deepEqual([receipt.id, receipt.items, receipt.replayed], [1, items, true])
}

test('the program in TypeScript draws once, though its first answer is lost', async context => {
  const { client, dir, proxy } = await serveSampleCampaign(context)
  const program = programOf('TypeScript and JavaScript', 'ts').replace(httpAddress, new URL(proxy.url).host)
  writeFileSync(join(dir, 'program.ts'), program)
  writeFileSync(join(dir, 'package.json'), '{"type":"module"}')
  symlinkSync(join(root, 'node_modules'), join(dir, 'node_modules'))
  const run = [process.execPath, '--conditions=source', 'program.ts'] as const
  await assertDrawsOnce(client, run, { cwd: dir, key: 'order-301' })
  assert.equal(proxy.seen.length, 2)
})

test('the program in Python over HTTP draws once, though its first answer is lost', async context => {
  const { client, dir, proxy } = await serveSampleCampaign(context)
  const program = programOf('Python, over HTTP', 'python').replace(httpAddress, new URL(proxy.url).host)
  writeFileSync(join(dir, 'program.py'), program)
  await assertDrawsOnce(client, ['python3', 'program.py'], { cwd: dir, key: 'order-302' })
  assert.equal(proxy.seen.length, 2)
})

test('the programs of docs/client.md run', async context => {
  const { dir, url, client } = await serveSampleCampaign(context)
  const page = readFileSync(join(root, 'docs', 'client.md'), 'utf8')
  writeFileSync(join(dir, 'package.json'), '{"type":"module"}')
  symlinkSync(join(root, 'node_modules'), join(dir, 'node_modules'))
  const programs = [...page.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, program = '']) => program)
  assert.equal(programs.length, 3)
  const runs = programs.map(async (program, index) => {
    const file = join(dir, `program-${index}.ts`)
    writeFileSync(file, program.replace(httpAddress, new URL(url).host))
    return promisify(execFile)(process.execPath, ['--conditions=source', file], {
      cwd: dir,
      timeout: 600_000,
    })
  })
  for (const { stderr } of await Promise.all(runs)) assert.equal(stderr, '')
  assert.equal((await client.pool('summer')).drawn, 6)
})

/** Debian's, which python3-redis is installed for; a Python that comes first on the PATH may lack it. */
const redisPython = ['/usr/bin/python3', 'python3'].find(
  python => spawnSync(python, ['-c', 'import redis']).status === 0,
)

test('the program in Python over RESP draws once, though its first answer is lost', async context => {
  if (redisPython === undefined) return context.skip('there is no redis-py: apt-get install python3-redis')
  const { client, dir, respPort } = await serveSampleCampaign(context)
  const port = await startCuttingProxy(context, respPort, 'DRAW')
  const program = programOf('Python, over RESP', 'python')
  writeFileSync(join(dir, 'program.py'), program.replace('port=7071', `port=${port}`))
  await assertDrawsOnce(client, [redisPython, 'program.py'], { cwd: dir, key: 'order-303' })
})

test('the program in Go draws once, though its first answer is lost', async context => {
  if (spawnSync('go', ['version']).status !== 0)
    return context.skip('there is no Go: apt-get install golang-go')
  const { client, dir, proxy } = await serveSampleCampaign(context)
  const program = programOf('Go', 'go').replace(httpAddress, new URL(proxy.url).host)
  writeFileSync(join(dir, 'program.go'), program)
  const env = { ...process.env, GOCACHE: join(dir, 'cache'), GOTOOLCHAIN: 'local' }
  await assertDrawsOnce(client, ['go', 'run', 'program.go'], { cwd: dir, env, key: 'order-304' })
  assert.equal(proxy.seen.length, 2)
})
