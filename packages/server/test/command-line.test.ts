import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { copyFileSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, request as forward } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { kuji, serve, serveSample, temporaryDirectory, writeConfiguration } from './support/processes.ts'
import { readPool, request } from './support/requests.ts'

const summer = `
pools:
  - id: summer
    items:
      - { id: diamond, weight: 10, stock: 100 }
      - { id: mud, weight: 90, stock: unlimited }
  - { id: few, items: [{ id: a, weight: 1, stock: 3 }] }
`

test('wrong usage ends with 2, says what is wrong and where help is', async () => {
  const rows = [
    [[], /Usage: kuji/],
    [['draww'], /^kuji: unknown command 'draww'[\s\S]*Did you mean draw/],
    [['draw'], /^kuji: missing required argument 'pool'/],
    [['draw', 'a', 'b'], /^kuji: too many arguments/],
    [['draw', 'a', '-n', '0'], /^kuji: .*expected a whole number from 1/],
    [['draw', 'a', '-n', '1.5'], /^kuji: .*expected a whole number from 1/],
    [['draw', 'a', '--hold', '5'], /^kuji: unknown option '--hold'/],
    [['apply'], /^kuji: missing required argument 'file'/],
    [['check', 'a', '--dir', 'b'], /^kuji: unknown option '--dir'/],
    [['pools', '--server', 'ftp://x'], /^kuji: .*expected a URL/],
    [['pools', '--server', 'http://localhost:1', '--dir', '.'], /^kuji: .*cannot be used with/],
    [['bench', '--seconds', '-1'], /^kuji: .*expected a number of seconds/],
    [['serve', 'a', 'b'], /^kuji: too many arguments/],
  ] as const
  const ended = await Promise.all(rows.map(([commandLine]) => kuji(commandLine)))
  for (const [index, { code, stdout, stderr }] of ended.entries()) {
    const [commandLine, expected] = rows[index]!
    assert.equal(code, 2, commandLine.join(' '))
    assert.match(stderr, expected)
    assert.equal(stdout, '')
    assert.doesNotMatch(stderr, /\n {4}at /)
  }
})

test('every command has help with examples', async () => {
  for (const name of ['serve', 'draw', 'pools', 'apply', 'check', 'bench']) {
    const { code, stdout } = await kuji([name, '--help'])
    assert.equal(code, 0)
    assert.match(stdout, new RegExp(`Usage: kuji ${name}`))
    assert.match(stdout, new RegExp(`Examples:\\n {2}kuji ${name}`))
  }
  const { code, stdout } = await kuji(['--version'])
  assert.equal(code, 0)
  assert.match(stdout, /^\d+\.\d+\.\d+\n$/)
})

test('draw and pools talk to a server, as text and as JSON', async context => {
  const { url } = await serveSample(context, summer)
  const drawn = await kuji(['draw', 'few', '-n', '2', '--server', url])
  assert.deepEqual(drawn, { code: 0, stdout: '1 a\n2 a\n', stderr: '' })
  const { stdout } = await kuji(['draw', 'few', '-n', '5', '--partial', '--json', '--server', url])
  const receipt = JSON.parse(stdout)
  assert.deepEqual(receipt, { id: 3, pool: 'few', items: ['a'], version: 1, at: receipt.at, replayed: false })
  assert.equal(new Date(receipt.at).toISOString(), receipt.at)
  const list = await kuji(['pools', '--server', url])
  assert.match(
    list.stdout,
    /^POOL .*\nfew +weighted +open +1 +1 +0 +3\nsummer +weighted +open +1 +2 +unlimited +0\n$/,
  )
  const pool = await kuji(['pools', 'summer', '--server', url])
  assert.match(pool.stdout, /^summer: weighted, open, version 1, 0 drawn\n/)
  assert.match(pool.stdout, /\ndiamond +10 +100 +100 +0 +10\.0000 %\n/)
  const json = JSON.parse((await kuji(['pools', 'summer', '--json', '--server', url])).stdout)
  assert.deepEqual(json, (await request(url, 'GET', '/v1/pools/summer')).body)
  const listJson = JSON.parse((await kuji(['pools', '--json', '--server', url])).stdout)
  assert.deepEqual(listJson, (await request(url, 'GET', '/v1/pools')).body)
})

test('a refusal ends with 1 and one line that starts with its code', async context => {
  const { url } = await serveSample(context, summer)
  const rows = [
    [['draw', 'nowhere', '--server', url], /^kuji: POOL_NOT_FOUND: .*nowhere.*\n$/],
    [['draw', 'few', '-n', '4', '--server', url], /^kuji: INSUFFICIENT_STOCK: .*\n$/],
    [['draw', 'few', '-n', '10001', '--server', url], /^kuji: INVALID: count: .*\n$/],
    [['draw', '__proto__', '--server', url], /^kuji: POOL_NOT_FOUND: .*\n$/],
    [['draw', 'a/../../../healthz', '--server', url], /^kuji: (INVALID|POOL_NOT_FOUND): .*\n$/],
    [['pools', 'nowhere', '--server', url], /^kuji: POOL_NOT_FOUND: .*\n$/],
    [
      ['pools', '--dir', '/nowhere'],
      /^kuji: INVALID: cannot open \/nowhere: no such file or directory .*\n$/,
    ],
    [['serve', '/nowhere.yaml'], /^kuji: INVALID: cannot read the configuration \/nowhere.yaml: .*\n$/],
    [['bench', '--tmp', '/nowhere'], /^kuji: INTERNAL: mkdtemp .*: no such file or directory .*\n$/],
  ] as const
  const ended = await Promise.all(rows.map(([commandLine]) => kuji(commandLine)))
  for (const [index, { code, stdout, stderr }] of ended.entries()) {
    const [commandLine, expected] = rows[index]!
    assert.equal(code, 1, `${commandLine.join(' ')}: ${stderr}`)
    assert.match(stderr, expected)
    assert.equal(stdout, '')
  }
})

test('a server that is not there is said to be so, and one that is something else too', async context => {
  const other = createServer((_request, response) => response.end('hello')).listen(0, '127.0.0.1')
  await new Promise(resolve => other.once('listening', resolve))
  const url = `http://127.0.0.1:${(other.address() as AddressInfo).port}`
  const something = await kuji(['pools', '--server', url])
  assert.equal(something.code, 1)
  assert.match(something.stderr, /^kuji: INTERNAL: .* not as a kuji server does\n$/)
  await new Promise(resolve => other.close(resolve))
  // A port that the system hands out to nobody, as it may do with the one that has just been closed.
  const nothing = await kuji(['draw', 'summer', '--server', 'http://127.0.0.1:2'])
  assert.equal(nothing.code, 1)
  assert.match(nothing.stderr, /^kuji: INTERNAL: no answer from http:.*ECONNREFUSED.*kuji serve/)
  context.diagnostic(nothing.stderr)
})

test('a broken connection leaves the outcome unknown, and the command that is printed finds out', async context => {
  const { url } = await serveSample(context, summer)
  // Each first request takes place, and its answer is lost.
  let lost = 0
  const breaking = createServer((message, response) => {
    const { method = '', url: path = '', headers } = message
    const onward = forward(url + path, { method, headers }, answer => {
      if (lost++ === 0) message.socket.destroy()
      else answer.pipe(response.writeHead(answer.statusCode ?? 500, answer.headers))
    })
    message.pipe(onward)
  }).listen(0, '127.0.0.1')
  await new Promise(resolve => breaking.once('listening', resolve))
  context.after(() => breaking.close())
  const between = `http://127.0.0.1:${(breaking.address() as AddressInfo).port}`
  const options = ['-n', '2', '--partial', '--for', "o'neil & co"]
  const drawn = await kuji(['draw', 'few', ...options, '--server', between])
  assert.equal(drawn.code, 1)
  assert.match(
    drawn.stderr,
    /^kuji: OUTCOME_UNKNOWN: .* may have taken place\. Its key finds out.*:\n {2}kuji draw few /,
  )
  const [, again = ''] = /\n {2}kuji (.*)\n$/.exec(drawn.stderr) ?? []
  const { stdout } = await promisify(execFile)('sh', ['-c', `printf '%s\\n' ${again}`])
  const found = await kuji(stdout.trimEnd().split('\n'))
  const note = 'kuji: this key has drawn before, and this is what\n'
  assert.deepEqual(found, { code: 0, stdout: '1 a\n2 a\n', stderr: note })
  assert.equal((await readPool(url, 'few')).drawn, 2)
})

test('a key makes a command one draw, on a server and on a directory alike', async context => {
  const { url, dir, stop } = await serveSample(context, summer)
  const words = ['draw', 'few', '--key', 'order "42"', '--for', 'user-7', '--json']
  const first = JSON.parse((await kuji([...words, '--server', url])).stdout)
  assert.deepEqual(JSON.parse((await kuji([...words, '--server', url])).stdout), { ...first, replayed: true })
  const other = await kuji([...words, '-n', '2', '--server', url])
  assert.match(other.stderr, /^kuji: KEY_CONFLICT: /)
  const odd = await kuji(['draw', 'few', '--key', 'é', '--server', url])
  assert.match(odd.stderr, /^kuji: INVALID: key: expected .* printable ASCII/)
  await stop()
  const direct = await kuji([...words, '--dir', join(dir, 'data')])
  assert.deepEqual(JSON.parse(direct.stdout), { ...first, replayed: true })
})

test('the key for access goes along as a bearer, from the variable or the command line', async context => {
  const seen: (string | undefined)[] = []
  const picky = createServer(({ headers }, response) => {
    seen.push(headers.authorization)
    const problem = { code: 'UNAUTHENTICATED', detail: 'the key is not known here', status: 401 }
    response.writeHead(401).end(JSON.stringify(problem))
  }).listen(0, '127.0.0.1')
  await new Promise(resolve => picky.once('listening', resolve))
  context.after(() => picky.close())
  const url = `http://127.0.0.1:${(picky.address() as AddressInfo).port}`
  const env = { KUJI_API_KEY: 'kuji_from_the_variable' }
  const { code, stderr } = await kuji(['pools', '--server', url], { env })
  assert.equal(code, 1)
  assert.match(
    stderr,
    /^kuji: UNAUTHENTICATED: the key is not known here; the variable KUJI_API_KEY gives one/,
  )
  assert.doesNotMatch(stderr, /from_the_variable/)
  await kuji(['draw', 'few', '--api-key', 'kuji_given', '--server', url], { env })
  assert.deepEqual(seen, ['Bearer kuji_from_the_variable', 'Bearer kuji_given'])
})

test('draw and pools open a directory by themselves', async context => {
  const { dir, stop } = await serveSample(context, summer)
  await stop()
  const data = join(dir, 'data')
  assert.equal((await kuji(['draw', 'few', '--dir', data])).stdout, '1 a\n')
  assert.equal((await kuji(['draw', 'few', '--dir', data])).stdout, '2 a\n')
  const { pools } = JSON.parse((await kuji(['pools', '--json', '--dir', data])).stdout)
  assert.deepEqual(
    pools.map(({ id, drawn }: { id: string; drawn: number }) => [id, drawn]),
    [
      ['few', 2],
      ['summer', 0],
    ],
  )
})

test('--dir leaves it to the log how long keys are kept', async context => {
  const keys = 'idempotency: { retention: 7d, keys: 3 }'
  const { dir, url, stop } = await serveSample(context, `${keys}\n${summer}`)
  const words = ['draw', 'few', '--key', 'order-1', '--json']
  await kuji([...words, '--server', url])
  await stop()
  const data = join(dir, 'data')
  assert.equal((await kuji(['draw', 'few', '--dir', data])).stdout, '2 a\n')
  assert.equal(JSON.parse((await kuji([...words, '--dir', data])).stdout).replayed, true)
  const { stdout } = await kuji(['log', 'dump', data, '--format', 'ndjson'])
  const told = stdout
    .trim()
    .split('\n')
    .map(line => JSON.parse(line))
  assert.deepEqual(
    told.filter(({ type }) => type === 'keys').map(({ retentionMs, most }) => [retentionMs, most]),
    [[7 * 86_400_000, 3]],
  )
  // A file that has lost its setting takes nothing back either.
  writeConfiguration(dir, `segmentBytes: 65536\nhttp: { listen: 127.0.0.1:0 }\n${summer}`)
  const again = await serve(context, [join(dir, 'kuji.yaml')])
  assert.equal((await kuji(['draw', 'few', '--server', again.url])).stdout, '3 a\n')
  assert.equal(JSON.parse((await kuji([...words, '--server', again.url])).stdout).replayed, true)
  await again.stop()
  const { stdout: later } = await kuji(['log', 'dump', data, '--format', 'ndjson'])
  assert.equal(later.match(/"retentionMs"/g)?.length, 1)
})

test('--dir makes nothing: a file is refused, and a directory without a log too', async context => {
  const dir = temporaryDirectory(context)
  const file = join(dir, 'file')
  writeFileSync(file, '')
  const [onFile, onOther] = await Promise.all([file, dir].map(path => kuji(['pools', '--dir', path])))
  assert.equal(onFile?.code, 1)
  assert.match(onFile?.stderr ?? '', /^kuji: INVALID: cannot open .*: not a directory .*\n$/)
  assert.equal(onOther?.code, 1)
  assert.match(onOther?.stderr ?? '', /^kuji: INVALID: cannot open .*: no log of kuji is in it\n$/)
  assert.deepEqual(readdirSync(dir), ['file'])
})

test('bench measures each durability both ways and leaves nothing behind', async context => {
  const tmp = join(temporaryDirectory(context), 'tmp')
  mkdirSync(tmp)
  const { code, stdout, stderr } = await kuji(['bench', '--seconds', '0.02', '--tmp', tmp, '--json'])
  assert.equal(code, 0, stderr)
  const { rows } = JSON.parse(stdout) as {
    rows: { durability: string; way: string; drawsPerSecond: number }[]
  }
  assert.equal(rows.length, 9)
  assert.deepEqual([...new Set(rows.map(({ durability }) => durability))], ['none', 'os', 'sync'])
  assert.ok(rows.every(({ drawsPerSecond }) => drawsPerSecond > 0))
  assert.deepEqual(readdirSync(tmp), [])
  const table = await kuji(['bench', '--seconds', '0.02', '--tmp', tmp])
  assert.match(table.stdout, /^DURABILITY +WAY +DRAWS\/S\nnone/)
})

test('the launcher runs the sources of a fresh clone', async () => {
  const launcher = fileURLToPath(new URL('../bin/kuji.js', import.meta.url))
  const { stdout } = await promisify(execFile)(process.execPath, [launcher, '--version'])
  assert.match(stdout, /^\d+\.\d+\.\d+\n$/)
})

test('the launcher runs what is built only where there are no sources: a build may be an old one', async context => {
  const dir = temporaryDirectory(context)
  for (const name of ['bin', 'dist', 'src']) mkdirSync(join(dir, name))
  copyFileSync(new URL('../bin/kuji.js', import.meta.url), join(dir, 'bin', 'kuji.js'))
  writeFileSync(join(dir, 'package.json'), '{"type":"module"}')
  writeFileSync(join(dir, 'dist', 'main.js'), "console.log('built')")
  writeFileSync(join(dir, 'src', 'main.ts'), "console.log('source')")
  const run = () => promisify(execFile)(process.execPath, [join(dir, 'bin', 'kuji.js')])
  assert.equal((await run()).stdout, 'source\n')
  // As a package is published.
  rmSync(join(dir, 'src'), { recursive: true })
  assert.equal((await run()).stdout, 'built\n')
})
