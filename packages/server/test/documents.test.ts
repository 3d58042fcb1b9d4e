import assert from 'node:assert/strict'
import { execFile, execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { promisify } from 'node:util'
import { loadConfiguration } from '../src/config/load.ts'
import { sampleConfiguration } from '../src/config/sample.ts'
import { certificate } from './support/certificate.ts'
import {
  kuji,
  type RunningServer,
  serve,
  temporaryDirectory,
  writeConfiguration,
} from './support/processes.ts'

interface Block {
  readonly kind: string
  readonly text: string
}

/** The fenced blocks of a page, in order. */
function readBlocks(page: string): Block[] {
  const text = readFileSync(new URL(`../../../docs/${page}`, import.meta.url), 'utf8')
  return [...text.matchAll(/^```(.+)\n([\s\S]*?)^```$/gm)].map(([, kind = '', inner = '']) => ({
    kind,
    text: inner,
  }))
}

function serveSampleCampaign(context: TestContext): Promise<RunningServer> {
  const dir = temporaryDirectory(context)
  return serve(context, [writeConfiguration(dir, sampleConfiguration.replaceAll(/:707\d/g, ':0'))])
}

/** The names in a document and how they are nested, without the values. */
function shape(value: unknown): unknown {
  if (Array.isArray(value)) return value.length === 0 ? [] : [shape(value[0])]
  if (typeof value !== 'object' || value === null) return typeof value
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, shape(inner)]))
}

test('the configurations of docs/configuration.md load, and its mistakes are told as it says', async context => {
  const dir = temporaryDirectory(context)
  const blocks = readBlocks('configuration.md')
  const good = blocks.filter(({ kind }) => kind === 'yaml')
  assert.equal(good.length, 5)
  writeFileSync(join(dir, 'cert.pem'), certificate.cert)
  writeFileSync(join(dir, 'key.pem'), certificate.key)
  for (const { text } of good) await loadConfiguration(writeConfiguration(dir, text))
  const wrong = blocks.find(({ kind }) => kind === 'yaml wrong')
  const told = blocks.find(({ kind }) => kind === 'text')
  writeConfiguration(dir, wrong?.text ?? '', 'campaign.yaml')
  const { code, stderr } = await kuji(['serve', 'campaign.yaml'], { cwd: dir })
  assert.equal(code, 1)
  assert.equal(stderr, told?.text)
})

test('the requests of docs/http.md work in their order and are answered as it shows', async context => {
  try {
    execFileSync('curl', ['--version'])
  } catch {
    return context.skip('there is no curl on this machine')
  }
  const { url } = await serveSampleCampaign(context)
  const blocks = readBlocks('http.md')
  const requests = blocks.filter(({ kind }) => kind === 'sh')
  assert.equal(requests.length, 9)
  for (const request of requests) {
    const shown = blocks[blocks.indexOf(request) + 1]
    assert.equal(shown?.kind, 'json')
    const command = request.text.replaceAll('http://127.0.0.1:7070', url).replace('curl ', 'curl -s ')
    const { stdout } = await promisify(execFile)('sh', ['-c', command])
    const [answer, expected] = [JSON.parse(stdout), JSON.parse(shown.text)]
    assert.deepEqual(shape(answer), shape(expected), request.text)
    const { items, at, lsn, remaining, keyBytes, oldestKeyMs, heapBytesMost, ...fixed } = expected
    for (const [name, value] of Object.entries(fixed)) assert.deepEqual(answer[name], value, request.text)
  }
})

test('the commands of docs/command-line.md work', async context => {
  const { url, stop, process } = await serveSampleCampaign(context)
  const cwd = join(process.spawnargs.at(-1) ?? '', '..')
  const lines = readBlocks('command-line.md')
    .filter(({ kind }) => kind === 'sh')
    .flatMap(({ text }) => text.trim().split('\n'))
    .map(line => line.split(' ').slice(1))
    .filter(([name = '']) => ['draw', 'pools', 'apply', 'check'].includes(name))
  assert.equal(lines.length, 13)
  writeConfiguration(cwd, sampleConfiguration, 'campaign.yaml')
  const isDirect = (words: readonly string[]) => words.includes('--dir')
  // With the server first, and on its directory when it has ended.
  for (const words of [...lines.filter(line => !isDirect(line)), ...lines.filter(isDirect)]) {
    if (isDirect(words)) await stop()
    const alone = isDirect(words) || words[0] === 'check'
    const { code, stderr } = await kuji(alone ? words : [...words, '--server', url], { cwd })
    assert.equal(code, 0, `${words.join(' ')}: ${stderr}`)
  }
})
