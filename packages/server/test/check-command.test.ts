import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { findPoolWarnings } from '../src/config/pool-warnings.ts'
import { kuji, temporaryDirectory, writeConfiguration } from './support/processes.ts'

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url))
const examples = fileURLToPath(new URL('../../../examples/', import.meta.url))

test('check prints what a configuration would create, and makes nothing', async context => {
  const dir = temporaryDirectory(context)
  const text = `
data: ./data
pools:
  - { id: odd, items: [{ id: a, weight: 60, stock: 5 }, { id: b, weight: 39.5, stock: unlimited }] }
  - { id: box, mode: urn, items: [{ id: A, stock: 0 }, { id: B, stock: 4 }] }
`
  const file = writeConfiguration(dir, text)
  const { code, stdout, stderr } = await kuji(['check', file])
  assert.equal(code, 0, stderr)
  assert.ok(stdout.startsWith(`${file} is good, with 2 pools\n\nodd: weighted, `), stdout)
  assert.match(stdout, /\na +60 +5 +5 +0 +60\.3015 %\n/)
  assert.match(stdout, /\nB +4 +4 +0 +100\.0000 %\n/)
  assert.match(
    stdout,
    /\nwarning: odd: its weights add up to 99\.5: .* parts of 100, .*\nwarning: box: A: has no stock: .*\n$/,
  )
  assert.deepEqual(readdirSync(dir), ['kuji.yaml'])
  const json = JSON.parse((await kuji(['check', file, '--json'])).stdout)
  assert.equal(json.kind, 'configuration')
  assert.deepEqual(
    json.pools.map(({ id, items }: { id: string; items: { odds: number }[] }) => [id, items[1]?.odds]),
    [
      ['odd', 39.5 / 99.5],
      ['box', 1],
    ],
  )
  assert.deepEqual(
    json.warnings.map(({ pool, item }: { pool: string; item?: string }) => [pool, item]),
    [
      ['odd', undefined],
      ['box', 'A'],
    ],
  )
})

test('check finds nothing to warn of in the examples, and takes a manifest', async context => {
  for (const name of readdirSync(examples).filter(file => file.endsWith('.yaml'))) {
    const { code, stdout } = await kuji(['check', join(examples, name)])
    assert.equal(code, 0)
    assert.doesNotMatch(stdout, /warning/)
  }
  const items = Array.from({ length: 40 }, (_, index) => ({ id: `i${index}`, weight: 1, stock: 1 }))
  const file = writeConfiguration(
    temporaryDirectory(context),
    JSON.stringify({ id: 'many', items }),
    'many.json',
  )
  const { stdout } = await kuji(['check', file])
  assert.ok(stdout.startsWith(`${file} is a good manifest\n`))
  assert.match(stdout, /\n… and 10 more\n$/)
})

test('each thing that is most likely not meant has its warning', () => {
  const weighted = (weights: readonly number[], more: object = {}) => ({
    id: 'p',
    items: weights.map((weight, index) => ({ id: `i${index}`, weight, stock: 'unlimited' as const })),
    ...more,
  })
  const item = (id: string, weight: number, stock: number | 'unlimited') => ({ id, weight, stock })
  const urn = (stocks: readonly number[], more: object = {}) => ({
    id: 'p',
    mode: 'urn' as const,
    items: stocks.map((stock, index) => ({ id: `i${index}`, stock })),
    ...more,
  })
  const rows = [
    [weighted([0.1, 0.2, 0.7]), []],
    [weighted([33.333333333, 33.333333333, 33.333333334]), []],
    [
      weighted([33.3, 33.3, 33.3]),
      ['its weights add up to 99.9: if they are meant as parts of 100, one of them is off'],
    ],
    [
      weighted([0.5, 0.49]),
      ['its weights add up to 0.99: if they are meant as parts of 1, one of them is off'],
    ],
    [
      weighted([600, 401]),
      ['its weights add up to 1001: if they are meant as parts of 1000, one of them is off'],
    ],
    [weighted([1, 2, 4]), []],
    [
      { id: 'p', items: [item('a', 1, 0), item('b', 6, 5)] },
      ['has no stock: it is never drawn until it is restocked'],
    ],
    [
      { id: 'p', items: [item('a', 6, 0)] },
      ['has no stock: it is never drawn until it is restocked', 'holds nothing: every draw is refused'],
    ],
    [
      { id: 'p', fallback: 'b', items: [item('a', 6, 'unlimited'), item('b', 0, 'unlimited')] },
      ['has weight 0 and no other item can run out: it is never drawn'],
    ],
    [{ id: 'p', fallback: 'b', items: [item('a', 6, 5), item('b', 0, 'unlimited')] }, []],
    [
      { id: 'p', fallback: 'b', items: [item('a', 6, 5), item('b', 2, 9)] },
      ['its fallback "b" can run out itself; the odds of the others then change'],
    ],
    [urn([3, 1], { lastOne: 'i1' }), []],
    [
      urn([3, 4], { lastOne: 'i1' }),
      ['is the last-one prize, of which one is given: 3 of its stock of 4 are for a box refilled'],
    ],
    [
      urn([0, 1], { lastOne: 'i1' }),
      ['has no stock: it is never drawn until it is restocked', 'holds no ticket: every draw is refused'],
    ],
  ] as const
  for (const [manifest, expected] of rows) {
    assert.deepEqual(
      findPoolWarnings(manifest).map(({ message }) => message),
      expected,
    )
  }
})

test('a configuration can come from a pipe', async context => {
  const dir = temporaryDirectory(context)
  writeConfiguration(dir, 'pools: [{ id: p, items: [{ id: a, weight: 1, stock: 1 }] }]\n')
  const command = `cat kuji.yaml | "${process.execPath}" --conditions=source "${main}" check /dev/stdin`
  const { stdout, stderr } = await promisify(execFile)('sh', ['-c', command], { cwd: dir })
  assert.match(stdout, /^\/dev\/stdin is good, with one pool\n/)
  assert.equal(stderr, '')
})

test('of a file that is none of kuji at all, a few lines say so', async context => {
  const dir = temporaryDirectory(context)
  const many = writeConfiguration(dir, `- "a" ${'x'.repeat(500)}\u0007\n`.repeat(700), 'many.yaml')
  const { code, stderr } = await kuji(['check', many])
  assert.equal(code, 1)
  const lines = stderr.trimEnd().split('\n')
  assert.match(lines[0] ?? '', /^kuji: INVALID: .*many\.yaml has \d+ errors$/)
  assert.equal(lines.length, 22)
  assert.match(lines.at(-1) ?? '', /^… and \d+ more$/)
  for (const line of lines) assert.ok(line.length < dir.length + 250, line)
})
