import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { EngineEvent } from '@kuji/engine'
import { inspectLog, open } from '@kuji/engine'
import { kuji, serveSample, temporaryDirectory } from './support/processes.ts'
import { draw } from './support/requests.ts'

const root = mkdtempSync(join(tmpdir(), 'kuji-log-'))
after(() => rmSync(root, { recursive: true, force: true }))
const data = join(root, 'data')
/** What was drawn, as the engine answered: number, pool, item. */
const answered: { number: number; pool: string; item: string }[] = []

before(async () => {
  const events: string[] = []
  const onEvent = ({ type }: EngineEvent): number => events.push(type)
  const told = async (type: EngineEvent['type']): Promise<void> => {
    for (let wait = 0; !events.includes(type); wait++) {
      assert.ok(wait < 24_000, `no ${type} after two minutes, but ${events}`)
      await setTimeout(5)
    }
  }
  const engine = await open({ dir: data, durability: 'os', segmentBytes: 4096, onEvent })
  await engine.putPool({
    id: 'summer',
    items: [
      { id: 'diamond', weight: 1, stock: 500 },
      { id: 'mud', weight: 9, stock: 'unlimited' },
    ],
  })
  await engine.putPool({ id: 'box', mode: 'urn', items: [{ id: 'a', stock: 1000 }] })
  for (let call = 0; call < 90; call++) {
    // The helper works beside the draws: a first snapshot here, and one that leaves the first file to be archived.
    if (call === 40) await told('snapshot-written')
    if (call === 75) await told('segment-archived')
    const pool = call % 4 === 0 ? 'box' : 'summer'
    const { id, items } = await engine.draw(pool, { count: 1 + ((call * 7) % (pool === 'box' ? 9 : 500)) })
    items.forEach((item, index) => {
      answered.push({ number: id + index, pool, item })
    })
  }
  await engine.updateItem('summer', 'diamond', { restock: 5, weight: 2.5 })
  await engine.pausePool('box')
  await engine.close()
})

let copies = 0
function copy(): string {
  const directory = join(root, `copy-${copies++}`)
  cpSync(data, directory, { recursive: true })
  return directory
}

/** Damages a batch that later ones follow. Returns its LSN and first draw number. */
async function damage(directory: string): Promise<{ lsn: number; drawNumber: number; file: string }> {
  const { segments, snapshots } = await inspectLog(directory)
  const newest = snapshots.at(-1)!.segment
  const { file } = segments.find(({ number }) => number === newest + 1)!
  const bytes = readFileSync(join(directory, file))
  const second = 64 + bytes.readUInt32LE(64 + 4)
  bytes[second + 80]! ^= 1
  writeFileSync(join(directory, file), bytes)
  return {
    lsn: Number(bytes.readBigUInt64LE(second + 8)),
    drawNumber: Number(bytes.readBigUInt64LE(second + 16)),
    file,
  }
}

const asText = (draws: typeof answered): string =>
  draws.map(({ number, item }) => `DRAW ${number} ${item}\n`).join('')

test('dump prints one line a draw, as it was answered, and picks by pool and number', async () => {
  assert.deepEqual(await kuji(['log', 'dump', data]), { code: 0, stdout: asText(answered), stderr: '' })
  const box = answered.filter(({ pool }) => pool === 'box')
  assert.equal((await kuji(['log', 'dump', data, '--pool', 'box'])).stdout, asText(box))
  const part = await kuji(['log', 'dump', data, '--from', '998', '--to', '1003'])
  assert.deepEqual(part, { code: 0, stdout: asText(answered.slice(997, 1003)), stderr: '' })
  assert.equal((await kuji(['log', 'dump', data, '--from', '1000000'])).stdout, '')
})

test('dump as NDJSON has every record, with its LSN and time', async () => {
  const { code, stdout, stderr } = await kuji(['log', 'dump', data, '--format', 'ndjson'])
  assert.deepEqual([code, stderr], [0, ''])
  const records = stdout
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line))
  const draws = records.filter(({ type }) => type === 'draw')
  assert.deepEqual(
    draws.map(({ number, pool, item }) => ({ number, pool, item })),
    answered,
  )
  const [put] = records
  assert.deepEqual(put, {
    type: 'put',
    lsn: 1,
    pool: 'summer',
    version: 1,
    manifest: {
      id: 'summer',
      mode: 'weighted',
      items: [
        { id: 'diamond', weight: 1, stock: 500 },
        { id: 'mud', weight: 9, stock: 'unlimited' },
      ],
    },
    at: put.at,
  })
  assert.equal(new Date(put.at).toISOString(), put.at)
  let lsn = 0
  for (const record of records) {
    assert.ok(record.lsn >= lsn)
    lsn = record.lsn
  }
  const rest = records
    .filter(({ type }) => type !== 'draw')
    .map(({ at: _at, lsn: _lsn, stateHash: _, ...kept }) => kept)
  assert.deepEqual(rest.filter(({ reason }) => reason !== 'full' && reason !== 'idle').slice(2), [
    { type: 'update', pool: 'summer', version: 2, item: 'diamond', restock: 5, weight: 2.5 },
    { type: 'status', pool: 'box', status: 'paused' },
    { type: 'seal', reason: 'shutdown' },
  ])
  const onePool = await kuji(['log', 'dump', data, '--format', 'ndjson', '--pool', 'box', '--to', '1'])
  assert.deepEqual(
    onePool.stdout
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line).type),
    ['put', 'draw'],
  )
})

test('a reader that has seen enough ends a dump quietly', async () => {
  const big = join(root, 'big')
  const engine = await open({ dir: big, durability: 'os' })
  await engine.putPool({ id: 'p', items: [{ id: 'x', weight: 1, stock: 'unlimited' }] })
  for (let i = 0; i < 10; i++) await engine.drawMany('p', 1_000_000)
  await engine.close()
  const main = fileURLToPath(new URL('../src/main.ts', import.meta.url))
  const child = spawn(process.execPath, ['--conditions=source', main, 'log', 'dump', big])
  let stderr = ''
  child.stderr.on('data', text => (stderr += text))
  const [first] = (await once(child.stdout, 'data')) as [Buffer]
  assert.match(first.toString(), /^DRAW 1 x\nDRAW 2 x\n/)
  child.stdout.destroy()
  const [code] = await once(child, 'close')
  assert.deepEqual([code, stderr], [0, ''])
  // All of it: the numbers grow by a digit seven times on the way.
  const counted = await kuji(['log', 'dump', big, '--from', '9999990'])
  assert.equal(counted.stdout, Array.from({ length: 11 }, (_, i) => `DRAW ${9_999_990 + i} x\n`).join(''))
})

test('ls lists files, as a table and as JSON', async () => {
  const { code, stdout, stderr } = await kuji(['log', 'ls', data])
  assert.deepEqual([code, stderr], [0, ''])
  assert.match(
    stdout,
    /^SEGMENT +BYTES +BATCHES +LSN +DRAWS +END\narchive\/segment-0000000001.log.zst .* full\n/,
  )
  assert.match(
    stdout,
    /\nsegment-\d{10}.log +4,096 .* shutdown\nsegment-\d{10}.log +4,096 +0 +empty\n\nSNAPSHOT/,
  )
  assert.match(
    stdout,
    /\nsnapshot-\d{10}.snap .* as the replay has it\n\nEnds at LSN \d+, draw \d+; 2 pools.\n$/,
  )
  const report = JSON.parse((await kuji(['log', 'ls', data, '--json'])).stdout)
  assert.equal(report.drawNumber, answered.length)
  assert.equal(report.fault, null)
})

test('verify says what it checked and OK, or what is wrong and where', async () => {
  const whole = await kuji(['log', 'verify', data])
  assert.deepEqual([whole.code, whole.stderr], [0, ''])
  assert.match(
    whole.stdout,
    new RegExp(`draws {6}${answered.length.toLocaleString('en')}, from 1 to ${answered.length}: `),
  )
  assert.match(whole.stdout, /\nOK\n$/)
  assert.equal(JSON.parse((await kuji(['log', 'verify', data, '--json'])).stdout).ok, true)
  const directory = copy()
  const { lsn, file } = await damage(directory)
  const { code, stdout, stderr } = await kuji(['log', 'verify', directory])
  assert.equal(code, 1)
  assert.doesNotMatch(stdout, /OK/)
  assert.match(stderr, new RegExp(`^kuji: CORRUPT: damage in ${file} at offset \\d+, LSN ${lsn} to ${lsn}: `))
  assert.match(stderr, /kuji log repair/)
  const json = await kuji(['log', 'verify', directory, '--json'])
  assert.equal(json.code, 1)
  assert.equal(JSON.parse(json.stdout).fault.firstLsn, lsn)
})

test('repair tells what would be lost, and with --yes does it', async () => {
  const directory = copy()
  const { lsn, drawNumber } = await damage(directory)
  const files = readdirSync(directory).filter(name => !name.startsWith('lock'))
  const dry = await kuji(['log', 'repair', directory])
  assert.equal(dry.code, 1)
  assert.match(dry.stdout, new RegExp(`Would be kept: LSN 1 to ${lsn - 1}, draws up to ${drawNumber - 1}\\.`))
  const lost = answered.length - drawNumber + 1
  const told = new RegExp(
    `Would be lost: LSN ${lsn} to \\d+; ${lost.toLocaleString('en')} draws, ${drawNumber} to ${answered.length}, `,
  )
  assert.match(dry.stdout, told)
  assert.match(dry.stdout, /\nsummer +mud \? +[\d,]+\n/)
  assert.match(dry.stderr, /add --yes/)
  assert.deepEqual(
    readdirSync(directory).filter(name => !name.startsWith('lock')),
    files,
  )
  const done = await kuji(['log', 'repair', directory, '--yes'])
  assert.deepEqual([done.code, done.stderr], [0, ''])
  assert.match(done.stdout, /Done: the directory opens/)
  const kept = await kuji(['log', 'dump', directory])
  assert.deepEqual(kept, { code: 0, stdout: asText(answered.slice(0, drawNumber - 1)), stderr: '' })
  const again = await kuji(['log', 'repair', directory, '--yes'])
  assert.deepEqual(again, { code: 0, stdout: 'Nothing to repair.\n', stderr: '' })
  assert.equal((await kuji(['draw', 'summer', '--dir', directory])).stdout.split(' ')[0], String(drawNumber))
})

test('a damaged log is dumped as far as it goes, and the exit code tells', async () => {
  const directory = copy()
  const { drawNumber } = await damage(directory)
  const { code, stdout, stderr } = await kuji(['log', 'dump', directory])
  assert.equal(code, 1)
  assert.equal(stdout, asText(answered.slice(0, drawNumber - 1)))
  assert.match(stderr, /^kuji: CORRUPT: damage in /)
})

test('what a server answered before kill -9 is in the dump, and a running server is no fault', async context => {
  const { url, dir, stop } = await serveSample(
    context,
    'pools: [{ id: p, items: [{ id: a, weight: 1, stock: unlimited }, { id: b, weight: 1, stock: unlimited }] }]',
  )
  const directory = join(dir, 'data')
  const told: string[] = []
  let running = true
  const load = Array.from({ length: 8 }, async () => {
    while (running) {
      const receipt = await draw(url, 'p', { count: 40 }).catch(() => null)
      receipt?.items.forEach((item, index) => void told.push(`DRAW ${receipt.id + index} ${item}`))
    }
  })
  for (let look = 0; look < 3; look++) {
    const verified = await kuji(['log', 'verify', directory])
    assert.equal(verified.code, 0, verified.stderr)
  }
  assert.equal((await kuji(['log', 'repair', directory])).code, 1)
  assert.match((await kuji(['log', 'repair', directory])).stderr, /^kuji: LOCKED: /)
  await stop('SIGKILL')
  running = false
  await Promise.all(load)
  const { code, stdout } = await kuji(['log', 'dump', directory])
  assert.equal(code, 0)
  const lines = stdout.trimEnd().split('\n')
  const dumped = new Set(lines)
  assert.ok(told.length > 0)
  for (const line of told) assert.ok(dumped.has(line), line)
  lines.forEach((line, index) => {
    assert.ok(line.startsWith(`DRAW ${index + 1} `))
  })
})

test('wrong usage, and directories that are none', async context => {
  const empty = temporaryDirectory(context)
  const rows = [
    [['log'], 2, /Usage: kuji log/],
    [['log', 'ls'], 2, /missing required argument 'dir'/],
    [['log', 'dump', data, '--format', 'xml'], 2, /Allowed choices are text, ndjson/],
    [['log', 'dump', data, '--from', '0'], 2, /expected a whole number from 1/],
    [['log', 'dump', data, '--to', '1e3'], 2, /expected a whole number from 1/],
    [['log', 'verify', '/nowhere'], 1, /^kuji: INVALID: cannot read \/nowhere: no such file or directory/],
    [['log', 'repair', '/nowhere'], 1, /^kuji: INVALID: cannot read \/nowhere: no such file or directory/],
    [['log', 'ls', empty], 1, /^kuji: INVALID: .* holds no log/],
    [['log', 'verify', import.meta.filename], 1, /^kuji: INVALID: .* is not a directory/],
    [['log', 'dump', data, '--pool', 'nowhere'], 1, /^kuji: POOL_NOT_FOUND: /],
  ] as const
  const ended = await Promise.all(rows.map(([commandLine]) => kuji(commandLine)))
  for (const [index, [commandLine, code, expected]] of rows.entries()) {
    assert.match(ended[index]!.stderr, expected, commandLine.join(' '))
    assert.equal(ended[index]!.code, code, commandLine.join(' '))
    assert.doesNotMatch(ended[index]!.stderr, /\n {4}at /)
  }
  for (const name of ['ls', 'dump', 'verify', 'repair']) {
    const { code, stdout } = await kuji(['log', name, '--help'])
    assert.equal(code, 0)
    assert.match(stdout, new RegExp(`Usage: kuji log ${name} [\\s\\S]*Examples:\\n {2}kuji log ${name}`))
  }
})
