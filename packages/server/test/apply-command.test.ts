import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, request as forward } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { stripVTControlCharacters } from 'node:util'
import { kuji, serveSample, writeConfiguration } from './support/processes.ts'
import { draw, readPool, request } from './support/requests.ts'

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url))

const before = `
pools:
  - id: summer
    items:
      - { id: diamond, weight: 10, stock: 100 }
      - { id: mud, weight: 90, stock: unlimited }
      - { id: dropped, weight: 1, stock: 5 }
  - { id: same, items: [{ id: a, weight: 1, stock: 3 }] }
`
const after = `
pools:
  - id: summer
    fallback: mud
    metadata: { title: "a\\e[31mred" }
    items:
      - { id: diamond, weight: 12, stock: 150 }
      - { id: mud, weight: 90, stock: unlimited }
      - { id: gem, weight: 1, stock: 5 }
  - { id: same, items: [{ id: a, weight: 1, stock: 3 }] }
  - { id: winter, mode: urn, items: [{ id: snow, stock: 9 }] }
`
const shown = `summer: version 1 → 2
  + fallback              mud
  + metadata              {"title":"a\\u001b[31mred"}
  ~ items.diamond.weight  10 → 12
  ~ items.diamond.stock   100 → 150
  + items.gem             weight 1, stock 5
  - items.dropped         weight 1, stock 5
same: no change (version 1)
winter: a new pool
  + mode        urn
  + items.snow  stock 9
`

test('apply shows each field that differs, applies with --yes, and then finds nothing to do', async context => {
  const { url, dir } = await serveSample(context, before)
  const file = writeConfiguration(dir, after, 'after.yaml')
  const dry = await kuji(['apply', file, '--server', url, '--dry-run'])
  const dryEnd = '\nNothing was applied: this is a dry run.\n'
  assert.deepEqual(dry, { code: 0, stdout: shown + dryEnd, stderr: '' })
  assert.equal((await readPool(url, 'summer')).version, 1)
  const applied = await kuji(['apply', file, '--server', url, '--yes'])
  const appliedEnd = '\nsummer: applied, version 2\nwinter: created, version 1\n'
  assert.deepEqual(applied, { code: 0, stdout: shown + appliedEnd, stderr: '' })
  const { fallback, items, version } = await readPool(url, 'summer')
  assert.deepEqual([fallback, version, items.map(({ id }) => id)], ['mud', 2, ['diamond', 'mud', 'gem']])
  const again = await kuji(['apply', file, '--server', url])
  assert.equal(again.code, 0, 'nothing to do is nothing to ask')
  assert.match(again.stdout, /^summer: no change \(version 2\)\n[\s\S]*\nNothing to apply\.\n$/)
})

test('without a terminal and without --yes nothing is applied, and that is said', async context => {
  const { url, dir } = await serveSample(context, before)
  const file = writeConfiguration(dir, after, 'after.yaml')
  const { code, stdout, stderr } = await kuji(['apply', file, '--server', url])
  assert.equal(code, 1)
  assert.equal(stdout, shown)
  assert.match(stderr, /^kuji: INVALID: nothing was applied: there is no terminal to ask on; --yes .*\n$/)
  assert.equal((await readPool(url, 'summer')).version, 1)
})

/** Runs `kuji apply` on a terminal of its own, and types this when it asks. */
async function applyOnTerminal(
  file: string,
  url: string,
  typed: string,
  more = '',
): Promise<{ code: number; text: string }> {
  const words = [process.execPath, '--conditions=source', main, 'apply', file, '--server', url]
  const child = spawn(
    'script',
    ['--quiet', '--return', '--command', `${words.join(' ')} ${more}`, '/dev/null'],
    {
      env: { ...process.env, TERM: 'xterm', NO_COLOR: '1' },
      stdio: ['pipe', 'pipe', 'inherit'],
      timeout: 600_000,
    },
  )
  let text = ''
  let asked = false
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk
    if (asked || !text.includes('[y/N]')) return
    asked = true
    child.stdin.write(typed)
  })
  const [code] = (await once(child, 'close')) as [number]
  return { code, text }
}

test('on a terminal apply asks, and takes yes for yes and all else for no', async context => {
  const { url, dir } = await serveSample(context, before)
  const file = writeConfiguration(dir, after, 'after.yaml')
  const endOfInput = '\u0004'
  for (const typed of ['\r', 'n\r', 'yesterday\r', endOfInput]) {
    const { code, text } = await applyOnTerminal(file, url, typed)
    assert.equal(code, 1, text)
    assert.match(text, /Apply to 2 pools\? \[y\/N\]/)
    assert.match(text, /nothing was applied, as answered/)
  }
  assert.equal((await readPool(url, 'summer')).version, 1)
  const { code, text } = await applyOnTerminal(file, url, 'y\r')
  assert.equal(code, 0, text)
  assert.match(text, /summer: applied, version 2/)
  assert.equal((await readPool(url, 'summer')).version, 2)
})

test('apply asks about nothing that it has not shown, with --json too', async context => {
  const { url, dir } = await serveSample(context, before)
  const file = writeConfiguration(dir, after, 'after.yaml')
  const json = join(dir, 'outcome.json')
  const { code, text } = await applyOnTerminal(file, url, 'y\r', `--json >${json}`)
  assert.equal(code, 0, text)
  const [asked] = stripVTControlCharacters(text).replaceAll('\r\n', '\n').split(' [y/N]')
  assert.equal(asked, `${shown}\nApply to 2 pools?`)
  const { pools } = JSON.parse(readFileSync(json, 'utf8'))
  assert.deepEqual(
    pools.map(({ id, version }: Record<string, unknown>) => [id, version]),
    [
      ['summer', 2],
      ['same', undefined],
      ['winter', 1],
    ],
  )
})

test('what somebody else has changed after it was shown is not put over', async context => {
  const { url, dir } = await serveSample(context, before)
  const file = writeConfiguration(dir, after, 'after.yaml')
  // In front of the server: the first put of each pool is preceded by somebody else's change of it.
  const meddler = createServer(async (message, response) => {
    const { method, url: path = '', headers } = message
    if (method === 'PUT' && path.endsWith('/summer'))
      await request(url, 'PATCH', '/v1/pools/summer/items/diamond', { restock: 1 })
    if (method === 'PUT' && path.endsWith('/winter'))
      await request(url, 'PUT', '/v1/pools/winter', { items: [{ id: 'theirs', weight: 1, stock: 1 }] })
    const onward = forward(url + path, { method: method ?? '', headers }, answer =>
      answer.pipe(response.writeHead(answer.statusCode ?? 500, answer.headers)),
    )
    message.pipe(onward)
  }).listen(0, '127.0.0.1')
  await once(meddler, 'listening')
  context.after(() => meddler.close())
  const between = `http://127.0.0.1:${(meddler.address() as AddressInfo).port}`
  const { code, stdout, stderr } = await kuji(['apply', file, '--server', between, '--yes'])
  assert.equal(code, 1)
  assert.equal(stdout, `${shown}\n`)
  assert.match(
    stderr,
    /^kuji: summer: not applied: VERSION_CONFLICT: .*run this again.*\nkuji: winter: .*CONFLICT/,
  )
  const { items, fallback } = await readPool(url, 'summer')
  assert.deepEqual([items[0]?.stock, fallback], [101, undefined])
  assert.equal((await readPool(url, 'winter')).items[0]?.id, 'theirs')
})

test('a pool that refuses does not keep the others from being applied', async context => {
  const { url, dir } = await serveSample(context, before)
  await draw(url, 'same', { count: 3 })
  const text = after.replace('{ id: a, weight: 1, stock: 3 }', '{ id: a, weight: 1, stock: 2 }')
  const file = writeConfiguration(dir, text, 'after.yaml')
  const { code, stdout } = await kuji(['apply', file, '--server', url, '--yes', '--json'])
  assert.equal(code, 1)
  const { pools } = JSON.parse(stdout)
  assert.deepEqual(
    pools.map(({ id, action, version, refusal }: Record<string, unknown>) => [id, action, version, refusal]),
    [
      ['summer', 'change', 2, undefined],
      [
        'same',
        'change',
        undefined,
        { code: 'INVALID', detail: 'items[0].stock: 2 is less than the 3 of "a" already drawn' },
      ],
      ['winter', 'create', 1, undefined],
    ],
  )
  const difference = { field: 'items.diamond.weight', live: 10, wanted: 12 }
  assert.deepEqual(pools[0].differences[2], difference)
})

test('one manifest is applied like a configuration, as JSON too, and to a directory', async context => {
  const { dir, stop } = await serveSample(context, before)
  await stop()
  const manifest = { id: 'same', items: [{ id: 'a', weight: 1, stock: 4 }] }
  const file = writeConfiguration(dir, JSON.stringify(manifest), 'same.json')
  const data = join(dir, 'data')
  const { code, stdout, stderr } = await kuji(['apply', file, '--dir', data, '--yes'])
  assert.equal(code, 0, stderr)
  assert.equal(stdout, 'same: version 1 → 2\n  ~ items.a.stock  3 → 4\n\nsame: applied, version 2\n')
  const pool = JSON.parse((await kuji(['pools', 'same', '--dir', data, '--json'])).stdout)
  assert.deepEqual([pool.version, pool.items[0].stock], [2, 4])
})

test('a file with mistakes is refused with their places, before a server is asked', async context => {
  const { dir } = await serveSample(context, before)
  const rows = [
    ['id: x\nitems: [{ id: a, stock: 1 }]', /bad.yaml has one error\n.*bad.yaml:2:9: items\[0\].*weight/],
    ['id: x\nitems: []', /items: expected a list of at least 1/],
    [
      'pools: [{ id: x, items: [{ id: a, wieght: 1, stock: 1 }] }]',
      /pools\[0\]\.items\[0\]\.wieght: unknown/,
    ],
    ['pools: 7', /pools: expected a list/],
    ['- 1', /expected an object/],
    ['{', /bad\.yaml:/],
  ] as const
  for (const [text, expected] of rows) {
    const file = writeConfiguration(dir, text, 'bad.yaml')
    for (const name of ['apply', 'check']) {
      const { code, stdout, stderr } = await kuji([name, file])
      assert.equal(code, 1, text)
      assert.match(stderr, /^kuji: INVALID: /)
      assert.match(stderr, expected)
      assert.equal(stdout, '')
    }
  }
})
