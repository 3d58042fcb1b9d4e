import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo, Server } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { certificate } from './support/certificate.ts'
import { kuji, serveSample, start, temporaryDirectory, writeConfiguration } from './support/processes.ts'
import { readPool } from './support/requests.ts'

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url))
const few = 'pools: [{ id: few, items: [{ id: a, weight: 1, stock: 3 }] }]\n'
const wayBack = /\n {2}(kuji draw few -n 1 --key [0-9a-f-]{36} --(?:server|dir) \S+)\n$/

async function listen(context: TestContext, server: Server): Promise<string> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  context.after(() => server.close())
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

const serveAnswers = async (context: TestContext, answer: RequestListener): Promise<string> =>
  `http://${await listen(context, createServer({ keepAlive: false }, answer))}`

/** Passes each request on to a server, and gives its caller an answer of its own instead of the one that comes. */
function answerInstead(context: TestContext, url: string, status: number, text: string): Promise<string> {
  return serveAnswers(context, async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const { method = '', url: path = '', headers } = request
    const { 'content-length': _, connection: __, host: ___, ...passed } = headers
    const body = method === 'GET' ? {} : { body: Buffer.concat(chunks) }
    const answer = await fetch(url + path, { method, headers: passed as Record<string, string>, ...body })
    if (method === 'GET') response.writeHead(answer.status).end(await answer.text())
    else response.writeHead(status).end(text)
  })
}

test('an answer of a proxy in place of the receipt leaves the draw in doubt, and the key is printed', async context => {
  const { url } = await serveSample(context, few)
  for (const [k, [status, text]] of (
    [
      [504, '<h1>gateway timeout</h1>'],
      [200, '{}'],
      [201, 'null'],
    ] as const
  ).entries()) {
    const { code, stdout, stderr } = await kuji([
      'draw',
      'few',
      '--server',
      await answerInstead(context, url, status, text),
    ])
    assert.equal(code, 1)
    assert.match(stderr, /^kuji: OUTCOME_UNKNOWN: .*may have taken place\. Its key finds out/)
    assert.match(stderr, wayBack)
    assert.equal(stdout, '')
    assert.equal((await readPool(url, 'few')).drawn, k + 1)
  }
})

test('a change behind a proxy is in doubt too, and the next run shows what is so', async context => {
  const { url, dir } = await serveSample(context, few)
  const file = writeConfiguration(dir, few.replace('3', '5'), 'more.yaml')
  const between = await answerInstead(context, url, 502, '<h1>bad gateway</h1>')
  const { code, stderr } = await kuji(['apply', file, '--yes', '--server', between])
  assert.equal(code, 1)
  assert.match(stderr, /^kuji: OUTCOME_UNKNOWN: few: .* may have taken place; run this again to see\n$/)
  assert.match((await kuji(['apply', file, '--server', between])).stdout, /^few: no change \(version 2\)/)
})

test('answers that no kuji server gives are told in one line, whatever they are', async context => {
  const directory = temporaryDirectory(context)
  const file = writeConfiguration(directory, few)
  for (const text of ['{}', 'null', '{"pools":[null]}']) {
    const url = await serveAnswers(context, (_request, response) => response.end(text))
    const rows = [
      [['pools'], /^kuji: INTERNAL: .* not as a kuji server does\n$/],
      [['pools', 'few'], /^kuji: INTERNAL: .* not as a kuji server does\n$/],
      [['apply', file, '--yes'], /^kuji: INTERNAL: .* not as a kuji server does\n$/],
      [['draw', 'few'], /^kuji: OUTCOME_UNKNOWN: .* not as a kuji server does; .*\n.*\n$/],
    ] as const
    const runs = rows.map(async ([words, expected]) => {
      const { code, stdout, stderr } = await kuji([...words, '--server', url])
      assert.deepEqual([code, stdout], [1, ''], `${words.join(' ')} ${text}`)
      assert.match(stderr, expected)
    })
    await Promise.all(runs)
  }
})

test('what was certainly not sent is said to be so, and has no key to ask with', async context => {
  const tls = await listen(context, createTlsServer({ key: certificate.key, cert: certificate.cert }))
  const plain = await listen(context, createServer())
  for (const [url, reason] of [
    [`https://${tls}`, /self-signed certificate/],
    [`https://${plain}`, /wrong version number/],
    ['http://127.0.0.1:1', /bad port/],
  ] as const) {
    const { code, stderr } = await kuji(['draw', 'few', '--server', url])
    assert.equal(code, 1)
    assert.match(stderr, /^kuji: INTERNAL: no answer from /)
    assert.match(stderr, reason)
    assert.doesNotMatch(stderr, /--key/)
  }
})

test('an address with a password or a fragment is wrong usage, and the password is not printed', async () => {
  for (const url of [
    'http://user:pa55@127.0.0.1:7070',
    'http://127.0.0.1:7070/#there',
    'http://127.0.0.1:7070/v1',
  ]) {
    const { code, stderr } = await kuji(['draw', 'few', '--server', url])
    assert.equal(code, 2)
    assert.match(stderr, /^kuji: .*--server.* expected a URL like http:\/\/127\.0\.0\.1:7070/)
    assert.doesNotMatch(stderr, /pa55/)
  }
})

test('whoever stops waiting is given the key', async context => {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    let arrived = (): void => {}
    const asked = new Promise<void>(resolve => {
      arrived = resolve
    })
    const { child, ended } = start(['draw', 'few', '--server', await serveAnswers(context, () => arrived())])
    await asked
    child.kill(signal)
    const { stderr } = await ended
    assert.equal(child.signalCode, signal, 'the shell is told how it ended')
    assert.match(stderr, /^kuji: OUTCOME_UNKNOWN: interrupted before the answer/)
    assert.match(stderr, wayBack)
  }
})

test('a receipt that cannot be written is not lost: its key is printed', async context => {
  const { url, dir, stop } = await serveSample(context, few)
  const draw = async (words: string): Promise<{ code: number; stderr: string }> => {
    const command = `"${process.execPath}" --conditions=source "${main}" draw few ${words} >/dev/full`
    return promisify(execFile)('sh', ['-c', command]).then(
      () => assert.fail('it should have failed'),
      error => error,
    )
  }
  const onServer = await draw(`--server ${url}`)
  await stop()
  const onDirectory = await draw(`--json --dir ${join(dir, 'data')}`)
  for (const { code, stderr } of [onServer, onDirectory]) {
    assert.equal(code, 1)
    assert.match(stderr, /^kuji: INTERNAL: cannot write the output: no space left/)
    assert.match(stderr, /\nkuji: the draw has taken place, and its key shows it again:\n {2}kuji draw few /)
  }
  const [, command = ''] = wayBack.exec(onDirectory.stderr) ?? []
  const { stdout, stderr } = await kuji(command.split(' ').slice(1))
  assert.deepEqual([stdout, stderr], ['2 a\n', 'kuji: this key has drawn before, and this is what\n'])
})

test('ids that are steps of a path are refused by name', async () => {
  for (const id of ['.', '..'])
    for (const words of [
      ['draw', id],
      ['pools', id],
    ]) {
      const { code, stderr } = await kuji(words)
      assert.equal(code, 1)
      assert.equal(stderr, 'kuji: INVALID: pool: expected the id of a pool\n')
    }
  const { stderr } = await kuji(['draw', 'few', '--key', ''])
  assert.equal(stderr, 'kuji: INVALID: key: expected 1 to 255 printable ASCII characters\n')
})
