import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url))
const directory = mkdtempSync(join(tmpdir(), 'kuji-bench-test-'))
after(() => rmSync(directory, { recursive: true, force: true }))

function bench(...args: string[]) {
  return spawnSync(process.execPath, ['--conditions=source', '--expose-gc', main, ...args], {
    encoding: 'utf8',
    timeout: 600_000,
  })
}

const fields = [
  'name',
  'draws_per_sec',
  'ns_per_draw',
  'heap_bytes_per_draw',
  'gc_count',
  'wal_bytes_per_draw',
  'wal_file_size',
  'p50_us',
  'p99_us',
  'p99_9_us',
  'result_hash',
]

/** Of one group, which has all that rows differ in; `npm run bench -- --smoke` runs them all. */
test('rows run, keep their invariants, say their figures and leave nothing behind', () => {
  const json = join(directory, 'rows.json')
  const work = mkdtempSync(join(directory, 'work-'))
  const { status, stdout, stderr } = bench('--smoke', '--only', 'draw/', '--json', json, '--dir', work)
  assert.equal(status, 0, stderr)
  assert.deepEqual(readdirSync(work), [])
  const rows = JSON.parse(readFileSync(json, 'utf8')) as Record<string, unknown>[]
  const names = rows.map(row => String(row.name))
  assert.equal(new Set(names).size, names.length, 'a name stands for one row')
  for (const row of rows) {
    for (const field of fields) assert.ok(field in row, `${row.name} has no ${field}`)
    assert.ok(Number(row.draws_per_sec) > 0, `${row.name} drew nothing`)
    assert.match(String(row.result_hash), /^[0-9a-f]{12}$/)
    assert.ok(stdout.includes(String(row.name)), `${row.name} is not in the table`)
  }
  for (const part of [
    'none/1-in-flight',
    'os/64-in-flight',
    'sync/16384-in-flight',
    'urn-6',
    'weighted-1000',
  ])
    assert.ok(
      names.some(name => name.includes(part)),
      `no row has ${part}`,
    )
  const logged = rows.filter(row => String(row.name).startsWith('draw/6-items/sync/'))
  for (const row of logged)
    assert.ok(Number(row.wal_bytes_per_draw) >= 1, `${row.name} logged less than it drew`)
})

test('wrong usage is told with code 2', () => {
  for (const args of [
    ['--unknown'],
    ['--rounds', '0'],
    ['--quick', '--full'],
    ['--only', 'no such row'],
    ['--dir', join(directory, 'absent')],
    ['positional'],
  ]) {
    const { status, stderr } = bench(...args)
    assert.equal(status, 2, `${args.join(' ')}: ${stderr}`)
    assert.match(stderr, /npm run bench/)
  }
})
