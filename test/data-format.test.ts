import assert from 'node:assert/strict'
import {
  closeSync,
  cpSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  type DrawOptions,
  type EngineEvent,
  type Kuji,
  type OpenOptions,
  open,
  type PoolManifest,
  type PoolState,
} from '@kuji/engine'
import type { DecodedPool } from './support/decoded-pool.ts'
import { type DecodedLog, type DecodedRequest, decodeLog } from './support/log-decoder.ts'
import { root } from './support/repository.ts'
import { decodeSnapshot } from './support/snapshot-decoder.ts'

function temporaryDirectory(context: TestContext): string {
  const parent = mkdtempSync(join(tmpdir(), 'kuji-format-'))
  context.after(() => rmSync(parent, { recursive: true, force: true }))
  return join(parent, 'data')
}

/** The log says what the receipts said: draw number → `pool: item`. */
type Draws = Map<number, string>

/** What requests said of themselves, by their first draw number. */
type Requests = Map<number, DecodedRequest>

interface Told {
  readonly draws: Draws
  readonly requests: Requests
}

const campaign: PoolManifest = {
  id: 'campaign',
  metadata: { title: '夏のくじ', rounds: [1, 2] },
  fallback: 'mud',
  items: [
    { id: 'diamond', weight: 0.6, stock: 40, metadata: { tier: 5 } },
    { id: 'gold', weight: 5.1, stock: 400 },
    { id: 'mud', weight: 94.3, stock: 'unlimited' },
  ],
}
const box: PoolManifest = {
  id: 'box',
  mode: 'urn',
  lastOne: 'last',
  items: [
    { id: 'A', stock: 2 },
    { id: 'B', stock: 30 },
    { id: 'last', stock: 1 },
  ],
}

/** As many items as an outcome of this many bytes needs. */
function widePool(id: string, items: number): PoolManifest {
  return {
    id,
    items: Array.from({ length: items }, (_, i) => ({ id: `${i}`, weight: 1, stock: 'unlimited' })),
  }
}

/** Every kind of record, from one run after another, with everything that was answered written down. */
async function liveThrough(dir: string, options: Partial<OpenOptions>): Promise<Told> {
  const answered: Draws = new Map()
  const requests: Requests = new Map()
  const draw = async (kuji: Kuji, pool: string, count: number, more: DrawOptions = {}): Promise<void> => {
    const { id, items, replayed } = await kuji.draw(pool, { count, ...more })
    if (replayed) return
    for (const [k, item] of items.entries()) answered.set(id + k, `${pool}: ${item}`)
    const { key = '', recipient = '', partial = false } = more
    if (key !== '' || recipient !== '') requests.set(id, { asked: count, partial, key, recipient })
  }
  const drawMany = async (kuji: Kuji, pool: string, count: number): Promise<void> => {
    const { id, items, itemIds } = await kuji.drawMany(pool, count)
    for (let k = 0; k < count; k++) answered.set(id + k, `${pool}: ${itemIds[items[k]!]}`)
  }
  const first = await open({ dir, ...options })
  for (const pool of [campaign, box, widePool('wide', 300)]) await first.putPool(pool)
  await Promise.all(
    Array.from({ length: 64 }, (_, i) => draw(first, i % 3 === 0 ? 'wide' : 'campaign', 1 + (i % 5))),
  )
  for (let i = 0; i < 40; i++) await drawMany(first, 'campaign', 1 + i * 20)
  // Its rules are larger than a segment: they get a segment of their own size.
  await first.putPool(widePool('widest', 65_537))
  await drawMany(first, 'widest', 500)
  await drawWithNames((pool, count, more) => draw(first, pool, count, more))
  await first.updateItem('campaign', 'gold', { restock: 7 })
  await first.updateItem('campaign', 'diamond', { weight: 0.125, restock: 1 })
  await first.pausePool('box')
  await first.close()

  const second = await open({ dir, ...options, keys: { most: 30, retentionMs: 60_000 } })
  await draw(second, 'campaign', 1, { key: 'order-1' })
  await second.putPool({ ...campaign, fallback: 'gold', items: campaign.items.slice(1) })
  await draw(second, 'campaign', 10)
  await second.putPool(campaign)
  await second.resumePool('box')
  await second.closePool('box')
  await second.deletePool('wide')
  await second.putPool({ ...widePool('wide', 2), metadata: null })
  for (let i = 0; i < 30; i++) {
    await draw(second, 'wide', 1)
    await draw(second, i % 2 === 0 ? 'wide' : 'campaign', 1 + i, { key: `late-${i}` })
  }
  // The log seals itself when it has been idle for a while.
  const { lsn } = second.status()
  while (second.status().lsn === lsn) await sleep(10)
  await draw(second, 'campaign', 1)
  await second.close()
  return { draws: answered, requests }
}

/** Keys and recipients of all kinds, for pools whose outcomes take one, two and four bytes. */
async function drawWithNames(
  draw: (pool: string, count: number, options: DrawOptions) => Promise<void>,
): Promise<void> {
  await Promise.all([
    draw('campaign', 1, { key: 'order-1' }),
    draw('campaign', 1, { key: 'order-1' }),
    draw('campaign', 10, { key: '注文-2', recipient: '利用者-7' }),
    draw('wide', 7, { recipient: 'user-8' }),
    draw('wide', 70, { key: 'k'.repeat(255), recipient: '🎁'.repeat(127) }),
    draw('widest', 3, { key: '\0', partial: true }),
    draw('box', 2, { key: 'order-1' }),
    draw('box', 99, { key: 'the rest', partial: true, recipient: 'user-9' }),
  ])
}

function readAll(dir: string): { log: DecodedLog; told: Told } {
  const draws: Draws = new Map()
  const requests: Requests = new Map()
  const log = decodeLog(dir, {
    onDraws: (firstDraw, pool, items, request) => {
      if (request !== undefined) requests.set(firstDraw, request)
      for (const [k, item] of items.entries()) draws.set(firstDraw + k, `${pool.id}: ${pool.items[item]!.id}`)
    },
  })
  return { log, told: { draws, requests } }
}

/** What the document's pool looks like through the public API. */
function describe(pool: DecodedPool): unknown {
  const { id, version, mode, status, fallback, lastOne, decimals } = pool
  let drawn = 0
  for (const units of [...pool.items.map(item => item.drawn), ...pool.retired.values()]) drawn += units
  const items = pool.items.map(({ id: item, weight, stock, drawn: units, metadata }, index) => ({
    id: item,
    ...(mode === 'urn' ? {} : { weight: weight / 10 ** decimals }),
    stock,
    drawn: units,
    remaining: stock === 'unlimited' ? stock : stock - units,
    ...(metadata === '' ? {} : { metadata: JSON.parse(metadata) as unknown }),
    index,
  }))
  const named = (index: number): string | undefined => pool.items[index]?.id
  const metadata = pool.metadata === '' ? undefined : (JSON.parse(pool.metadata) as unknown)
  return {
    id,
    version,
    mode,
    status,
    drawn,
    items,
    fallback: named(fallback),
    lastOne: named(lastOne),
    metadata,
  }
}

function describeState(state: PoolState): unknown {
  const { id, version, mode, status, drawn, fallback, lastOne, metadata } = state
  const items = state.items.map(({ odds: _, held: __, ...item }, index) => ({ ...item, index }))
  return { id, version, mode, status, drawn, items, fallback, lastOne, metadata }
}

/** The engine opens the directory and reports the pools that the document gives. */
async function assertOpens(dir: string, log: DecodedLog): Promise<void> {
  const kuji = await open({ dir, onEvent: ({ level, message }) => assert.notEqual(level, 'error', message) })
  try {
    const live = await kuji.pools()
    assert.deepEqual(live.map(({ id }) => id).sort(), [...log.pools.values()].map(({ id }) => id).sort())
    for (const pool of log.pools.values())
      assert.deepEqual(describeState(await kuji.pool(pool.id)), describe(pool))
    const { drawNumber, keys } = kuji.status()
    assert.deepEqual([drawNumber, keys], [log.drawNumber, log.keys.draws.length])
    for (const { firstDraw, pool, items, version, time, outcomes } of log.keys.draws) {
      const receipt = { id: firstDraw, pool, items: outcomes.map(item => items[item]!), version, at: time }
      assert.deepEqual(await kuji.receipt(firstDraw), { ...receipt, replayed: true })
    }
  } finally {
    await kuji.close()
  }
}

test('a reader written from the document finds every answered draw, once, and the same pools', async context => {
  const dir = temporaryDirectory(context)
  const answered = await liveThrough(dir, { segmentBytes: 4096 })
  const { log, told } = readAll(dir)
  assert.deepEqual(told, answered)
  const numbers = [...told.draws.keys()]
  assert.deepEqual(
    numbers,
    numbers.map((_, index) => index + 1),
    'numbers have no gap',
  )
  const kinds = new Set(log.batches.flatMap(batch => batch.kinds))
  const changes = ['delete', 'draws', 'item', 'keyPolicy', 'put', 'request', 'seal', 'status']
  assert.deepEqual([...kinds].sort(), changes)
  assert.equal(log.keys.draws.length, 30, 'keys were forgotten')
  assert.deepEqual([...new Set(log.batches.map(({ epoch }) => epoch))], [1, 2])
  assert.ok(log.batches.at(-1)!.segment >= 4, 'the log went through several segments')
  await assertOpens(dir, log)
})

test('a snapshot is the state that the log gives at the end of its segment', async context => {
  const dir = temporaryDirectory(context)
  await liveThrough(dir, { segmentBytes: 4096 })
  assertSnapshots(dir)
})

test('a snapshot has the keys that the log gives, with the items of changed pools', async context => {
  const dir = temporaryDirectory(context)
  let [full, snapshot] = [0, 0]
  const onEvent = ({ type, lsn }: EngineEvent): void => {
    if (type === 'snapshot-written') snapshot = lsn as number
  }
  const kuji = await open({ dir, segmentBytes: 4096, keys: { most: 200 }, onEvent })
  for (const pool of [campaign, box, widePool('wide', 300)]) await kuji.putPool(pool)
  for (let k = 0; k < 12; k++)
    await kuji.draw('box', { count: 2, key: `ticket-${k}`, recipient: `利用者-${k}` })
  for (let k = 0; k < 400; k++) {
    await kuji.draw(k % 2 === 0 ? 'campaign' : 'wide', { count: 1 + (k % 7), key: `order-${k}` })
    if (k % 50 === 20) await kuji.putPool(widePool('wide', 300 + k))
    if (k === 10) await kuji.deletePool('box')
    if (k === 200) full = kuji.status().lsn
    if (k === 330) await kuji.deletePool('wide')
    if (k === 330) await kuji.putPool(widePool('wide', 300))
  }
  // The helper may be behind.
  while (snapshot < full) await sleep(5)
  await kuji.close()
  assert.ok(assertSnapshots(dir) === 200, 'as many as are kept')
  await assertOpens(dir, decodeLog(dir))
})

/** Holds each snapshot against the log. Returns the most keys that one has. */
function assertSnapshots(dir: string): number {
  let most = 0
  const snapshots = readdirSync(dir).filter(name => name.endsWith('.snap'))
  assert.ok(snapshots.length > 0 && snapshots.length <= 2, `${snapshots.length} snapshots`)
  for (const name of snapshots) {
    const { pools, keys, ...snapshot } = decodeSnapshot(readFileSync(join(dir, name)))
    assert.equal(Number(/\d+/.exec(name)), snapshot.segment)
    const log = decodeLog(dir, { lastSegment: snapshot.segment })
    const { identity, position, drawNumber, stateHash, nextPool } = log
    assert.deepEqual(snapshot, {
      identity,
      position,
      drawNumber,
      stateHash,
      nextPool,
      segment: snapshot.segment,
    })
    assert.deepEqual([...pools.values()].map(describe), [...log.pools.values()].map(describe))
    assert.deepEqual([keys.policy, keys.draws], [log.keys.policy, log.keys.draws])
    most = Math.max(most, keys.draws.length)
    assert.equal(log.batches.at(-1)!.length, 80, 'the segment ends with a seal')
  }
  return most
}

test('files have the names, sizes and modes of the document', async context => {
  const dir = temporaryDirectory(context)
  await liveThrough(dir, { segmentBytes: 4096 })
  const names = readdirSync(dir)
  const known = [
    /^lock$/,
    /^lock\.holder$/,
    /^segment-\d{10}\.log$/,
    /^spare-\d{10}\.log$/,
    /^snapshot-\d{10}\.snap$/,
    /^archive$/,
  ]
  assert.deepEqual(
    names.filter(name => !known.some(pattern => pattern.test(name))),
    [],
  )
  assert.ok(names.filter(name => name.startsWith('spare-')).length <= 1)
  assert.equal(statSync(dir).mode & 0o777, 0o700)
  assert.equal(statSync(join(dir, 'lock')).size, 0)
  const holder = JSON.parse(readFileSync(join(dir, 'lock.holder'), 'utf8')) as object
  assert.deepEqual(Object.keys(holder), ['pid', 'host', 'since'])
  for (const name of names.filter(entry => entry !== 'archive')) {
    const { mode, size } = statSync(join(dir, name))
    assert.equal(mode & 0o777, 0o600, name)
    if (name.startsWith('segment-')) assert.ok(size >= 4096, name)
  }
})

test('a torn last batch reads as the end of the log, and the start cuts it off', async context => {
  const dir = temporaryDirectory(context)
  const answered = await liveThrough(dir, { segmentBytes: 8192 })
  const torn = `${dir}-torn`
  cpSync(dir, torn, { recursive: true })
  const whole = readAll(torn).log
  // The seal of the shutdown is the last batch: without it, the log ends one batch earlier.
  const { segment, offset, length, lsn } = whole.batches.at(-1)!
  const file = join(torn, `segment-${String(segment).padStart(10, '0')}.log`)
  const descriptor = openSync(file, 'r+')
  writeSync(descriptor, Buffer.alloc(length / 2), 0, length / 2, offset + length / 2)
  closeSync(descriptor)
  assert.throws(() => decodeLog(torn), /no terminator/)
  const cut: string[] = []
  const kuji = await open({ dir: torn, onEvent: ({ type }) => cut.push(type) })
  await kuji.close()
  assert.ok(cut.includes('torn-batch-cut'))
  assert.ok(readdirSync(torn).includes(`segment-${String(segment).padStart(10, '0')}.log.${offset}.broken`))
  const { log, told } = readAll(torn)
  assert.deepEqual(told, answered)
  assert.equal(log.batches.find(batch => batch.offset === offset && batch.segment === segment)!.lsn, lsn)
})

test('the golden directories of every format read as the document says', () => {
  const golden = join(root, 'packages/engine/test/golden')
  const formats = readdirSync(golden).filter(name => /^format-\d+(?:-keys)?$/.test(name))
  assert.ok(formats.length > 0)
  for (const format of formats) {
    const { drawNumber } = JSON.parse(readFileSync(join(golden, `${format}.json`), 'utf8')) as {
      drawNumber: number
    }
    assert.equal(decodeLog(join(golden, format)).drawNumber, drawNumber)
  }
})
