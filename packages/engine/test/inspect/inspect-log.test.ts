import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, test } from 'node:test'
import { inspectLog, open } from '@kuji/engine'
import { fingerprint } from '../support/directory.ts'
import { readLogOnPaper } from '../support/log-reader.ts'
import { temporaryDirectory } from '../support/temporary.ts'
import type { Campaign } from './campaign.ts'
import {
  archivedSegments,
  batchesOf,
  liveSegments,
  runCampaign,
  segmentFile,
  snapshotSegments,
} from './campaign.ts'

const root = temporaryDirectory({ after: clean => process.once('exit', clean) })
let whole: Campaign
/** Live segments; `current` is the one that was written last, `next` the empty one behind it. */
let live: number[]
let current: number
/** The two snapshots. */
let older: number
let newer: number

before(async () => {
  whole = await runCampaign(join(root, 'whole'))
  live = liveSegments(whole.directory)
  current = live.findLast(number => batchesOf(whole.directory, number).length > 0)!
  ;[older, newer] = snapshotSegments(whole.directory) as [number, number]
  assert.ok(live.at(-1)! === current + 1 && newer + 2 < current && older + 2 < newer && live[0] === older + 1)
})

test('a whole log is told as it is: every file, LSN and draw, and snapshots that are what the replay has', async () => {
  const { directory } = whole
  const bytes = fingerprint(directory)
  const report = await inspectLog(directory)
  const paper = readLogOnPaper(directory)
  assert.equal(report.fault, null)
  assert.deepEqual(report.warnings, [])
  assert.equal(report.lsn, paper.lsns.at(-1))
  assert.equal(report.drawNumber, paper.draws.length)
  assert.equal(report.pools, 3)
  assert.deepEqual([report.startLsn, report.startDrawNumber], [0, 0])
  assert.deepEqual(
    report.segments.map(({ number, archived }) => (archived ? -number : number)),
    [...archivedSegments(directory).map(number => -number), ...live],
  )
  let lsn = 0
  let draw = 0
  for (const { firstLsn, lastLsn, firstDraw, lastDraw, batches, end, number } of report.segments) {
    const expected = number < current ? 'full' : number === current ? 'shutdown' : 'empty'
    assert.equal(end, expected)
    if (firstLsn === null || lastLsn === null) continue
    assert.equal(firstLsn, lsn + 1)
    assert.equal(lastLsn - firstLsn + 1, batches)
    lsn = lastLsn
    if (firstDraw === null || lastDraw === null) continue
    assert.equal(firstDraw, draw + 1)
    draw = lastDraw
  }
  assert.equal(lsn, report.lsn)
  assert.equal(draw, report.drawNumber)
  assert.deepEqual(
    report.snapshots.map(({ segment, fault, matches }) => [segment, fault, matches]),
    [
      [older, '', true],
      [newer, '', true],
    ],
  )
  assert.deepEqual(fingerprint(directory), bytes)
})

test('an observer is told every draw and change, in order', async () => {
  const draws: string[] = []
  const changes: string[] = []
  let certain = 0
  await inspectLog(whole.directory, {
    draws({ firstDraw, pool, itemIds, items, start, count }) {
      for (let k = 0; k < count; k++) draws.push(`${firstDraw + k} ${pool} ${itemIds[items[start + k]!]}`)
    },
    change(told) {
      if ('pool' in told) changes.push(`${told.type} ${told.pool}`)
      if (told.type === 'put') assert.equal(told.version, 1)
      if (told.type === 'update') assert.equal(told.restock, 5)
    },
    settled({ drawNumber }) {
      assert.ok(drawNumber >= certain)
      certain = drawNumber
      return undefined
    },
  })
  const paper = readLogOnPaper(whole.directory)
  assert.deepEqual(
    draws,
    paper.draws.map(({ number, pool, item }) => `${number} ${pool} ${item}`),
  )
  assert.equal(certain, draws.length)
  assert.deepEqual(changes.slice(0, 5), ['put summer', 'put box', 'put wide', 'update summer', 'status box'])
})

test('a put is told as the manifest that was put', async () => {
  const directory = join(temporaryDirectory({ after: clean => process.once('exit', clean) }), 'data')
  const manifests = [
    {
      id: 'a',
      mode: 'weighted',
      items: [
        { id: 'x', weight: 0.25, stock: 4, metadata: { colour: 'red' } },
        { id: 'y', weight: 3, stock: 'unlimited' },
      ],
      fallback: 'y',
    },
    {
      id: 'b',
      mode: 'urn',
      items: [
        { id: 'x', stock: 4 },
        { id: 'z', stock: 1 },
      ],
      lastOne: 'z',
      metadata: [1],
    },
  ] as const
  const kuji = await open({ dir: directory, durability: 'os' })
  for (const manifest of manifests) await kuji.putPool(manifest)
  await kuji.updateItem('a', 'y', { weight: 0.125 })
  await kuji.closePool('b')
  await kuji.deletePool('b')
  await kuji.close()
  const told: object[] = []
  await inspectLog(directory, {
    change({ lsn: _lsn, at: _at, ...rest }) {
      if (rest.type !== 'seal') told.push(rest)
    },
  })
  assert.deepEqual(told, [
    { nextDraw: 1, type: 'put', pool: 'a', version: 1, manifest: manifests[0] },
    { nextDraw: 1, type: 'put', pool: 'b', version: 1, manifest: manifests[1] },
    { nextDraw: 1, type: 'update', pool: 'a', version: 2, item: 'y', weight: 0.125 },
    { nextDraw: 1, type: 'status', pool: 'b', status: 'closed' },
    { nextDraw: 1, type: 'delete', pool: 'b' },
  ])
})

test('where old segments were removed, the reading begins with the oldest snapshot', async () => {
  const { directory } = await runCampaign(join(root, 'removed'), { retention: 'remove' })
  const report = await inspectLog(directory)
  assert.equal(report.fault, null)
  assert.equal(report.startLsn, report.snapshots[0]!.lsn)
  assert.equal(report.startDrawNumber, report.snapshots[0]!.drawNumber)
  assert.deepEqual(
    report.snapshots.map(({ matches }) => matches),
    [null, true],
  )
  assert.equal(report.drawNumber, (await inspectLog(whole.directory)).drawNumber)
})

test('a directory without a log, and one that is not there, are told as that', async t => {
  const directory = temporaryDirectory(t)
  await assert.rejects(inspectLog(directory), { code: 'INVALID' })
  await assert.rejects(inspectLog(join(directory, 'nowhere')), { code: 'ENOENT' })
  writeFileSync(join(directory, segmentFile(1)), readFileSync(import.meta.filename))
  await assert.rejects(inspectLog(directory), { code: 'CORRUPT' })
})

test('an observer can stop the reading, and hold it up', async () => {
  let seen = 0
  const report = await inspectLog(whole.directory, {
    async settled({ lsn }) {
      await new Promise(setImmediate)
      seen = lsn
      return lsn === 20 ? 'stop' : undefined
    },
  })
  assert.deepEqual([seen, report.lsn, report.stopped], [20, 20, true])
})

test('keys, recipients and how long keys are kept are told as the log has them', async t => {
  const directory = temporaryDirectory(t)
  const kuji = await open({ dir: directory, durability: 'os', keys: { most: 7 } })
  await kuji.putPool({ id: 'p', items: [{ id: 'a', weight: 1, stock: 'unlimited' }] })
  const first = await kuji.draw('p', { count: 2, key: '注文-1', recipient: '人' })
  await kuji.draw('p', { count: 2, key: '注文-1', recipient: '人' })
  await kuji.draw('p', { recipient: 'r' })
  await kuji.draw('p')
  await kuji.close()
  const told: unknown[] = []
  const report = await inspectLog(directory, {
    draws: ({ firstDraw, count, key, recipient }) => told.push([firstDraw, count, key, recipient]),
    change: change => {
      if (change.type === 'keys') told.push([change.nextDraw, change.retentionMs, change.most])
    },
  })
  assert.equal(report.fault, null)
  assert.deepEqual(told, [
    [first.id, 86_400_000, 7],
    [first.id, 2, '注文-1', '人'],
    [3, 1, undefined, 'r'],
    [4, 1, undefined, undefined],
  ])
})
