import assert from 'node:assert/strict'
import { copyFileSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { before, test } from 'node:test'
import type { RepairReport } from '@kuji/engine'
import { inspectLog, open, repairLog } from '@kuji/engine'
import { openIn } from '../../src/open.ts'
import { copyOf, fingerprint } from '../support/directory.ts'
import type { LoggedDraw } from '../support/log-reader.ts'
import { readLogOnPaper } from '../support/log-reader.ts'
import { temporaryDirectory } from '../support/temporary.ts'
import { testWorld } from '../support/world.ts'
import type { Campaign } from './campaign.ts'
import {
  archivedSegments,
  assertOpensAt,
  batchesOf,
  change,
  countsIn,
  countsOf,
  flip,
  liveSegments,
  runCampaign,
  segmentBytes,
  segmentFile,
  snapshotFile,
  snapshotSegments,
} from './campaign.ts'

const root = temporaryDirectory({ after: clean => process.once('exit', clean) })
let whole: Campaign
let truth: LoggedDraw[]
let lastLsn: number
let current: number
let older: number
let newer: number

before(async () => {
  whole = await runCampaign(join(root, 'whole'))
  const paper = readLogOnPaper(whole.directory)
  truth = paper.draws
  lastLsn = paper.lsns.at(-1)!
  current = liveSegments(whole.directory).findLast(number => batchesOf(whole.directory, number).length > 0)!
  ;[older, newer] = snapshotSegments(whole.directory) as [number, number]
})

let copies = 0
function copy(damage: (directory: string) => void): string {
  const directory = copyOf(whole.directory, join(root, `copy-${copies++}`))
  damage(directory)
  return directory
}

/** Draws of a batch of the whole log, by its LSN. */
function drawsOf(lsn: number, segment: number): readonly LoggedDraw[] {
  const batches = [...batchesOf(whole.directory, segment), ...batchesOf(whole.directory, segment + 1)]
  const index = batches.findIndex(batch => batch.lsn === lsn)
  const next = batches[index + 1]!
  return truth.slice(batches[index]!.firstDraw - 1, next.firstDraw - 1)
}

async function repairBothWays(directory: string): Promise<RepairReport> {
  const bytes = fingerprint(directory)
  const planned = await repairLog(directory, { dryRun: true })
  assert.deepEqual(fingerprint(directory), bytes)
  assert.equal(planned.done, false)
  const done = await repairLog(directory, { dryRun: false })
  assert.deepEqual({ ...done, done: false }, planned)
  return done
}

test('a damaged batch: the log is cut before it, and what goes is told to the last draw', async () => {
  const segment = newer + 1
  const damaged = batchesOf(whole.directory, segment)[2]!
  const directory = copy(dir => flip(dir, segmentFile(segment), damaged.offset + 76))
  const report = await repairBothWays(directory)
  assert.equal(report.done, true)
  assert.equal(report.lsn, damaged.lsn - 1)
  const { lost } = report
  assert.deepEqual([lost.firstLsn, lost.lastLsn], [damaged.lsn, lastLsn])
  assert.deepEqual([lost.firstDraw, lost.lastDraw], [damaged.firstDraw, truth.length])
  assert.equal(lost.draws, truth.length - damaged.firstDraw + 1)
  assert.equal(lost.complete, true)
  const unreadable = drawsOf(damaged.lsn, segment)
  const readable = truth.slice(damaged.firstDraw - 1 + unreadable.length)
  assert.equal(lost.readableDraws, readable.length)
  assert.deepEqual(countsIn(report.lost), countsOf(readable))
  assert.ok(lost.pools.every(({ assumed }) => assumed))
  const later = liveSegments(whole.directory).filter(number => number > segment)
  assert.deepEqual(report.moved, later.map(segmentFile).reverse())
  assert.deepEqual(report.rewritten, [segmentFile(segment)])
  assert.deepEqual(
    readdirSync(join(directory, report.broken)).sort(),
    [segment, ...later].map(segmentFile).sort(),
  )
  for (const number of later) {
    const kept = readFileSync(join(directory, report.broken, segmentFile(number)))
    assert.ok(kept.equals(readFileSync(join(whole.directory, segmentFile(number)))))
  }
  await assertOpensAt(whole, directory, report.lsn, report.drawNumber)
  const after = await inspectLog(directory)
  assert.equal(after.fault, null)
  assert.deepEqual(after.warnings, [])
})

test('keyed draws and changes that a cut loses are told, each once', async () => {
  const directory = join(root, 'changes')
  const kuji = await openIn({ dir: directory, durability: 'os', segmentBytes: 4096 }, testWorld())
  const items = [{ id: 'a', weight: 1, stock: 50 }]
  await kuji.putPool({ id: 'p', items })
  const damaged = kuji.status().lsn + 1
  await kuji.draw('p')
  await kuji.draw('p', { count: 3, key: 'k', recipient: 'r' })
  await kuji.putPool({ id: 'q', items })
  await kuji.draw('q', { count: 2, partial: true, key: 'k' })
  await kuji.pausePool('q')
  await kuji.updateItem('p', 'a', { restock: 1 })
  await kuji.deletePool('q')
  await kuji.close()
  const batches = batchesOf(directory, 1)
  flip(directory, segmentFile(1), batches[1]!.offset + 76)
  // A write that came to another place as well: what it holds was lost once.
  change(directory, segmentFile(1), bytes => {
    const { offset, length } = batches[2]!
    bytes.copy(bytes, batches.at(-1)!.offset + 800, offset, offset + length)
    return undefined
  })
  const { lost } = await repairBothWays(directory)
  assert.deepEqual([lost.draws, lost.readableDraws], [6, 5])
  assert.deepEqual(countsIn(lost), { 'p a': 3, 'q a': 2 })
  assert.deepEqual(lost.changes, [
    { lsn: damaged + 2, type: 'put', pool: 'q' },
    { lsn: damaged + 4, type: 'status', pool: 'q' },
    { lsn: damaged + 5, type: 'update', pool: 'p' },
    { lsn: damaged + 6, type: 'delete', pool: 'q' },
  ])
})

test('a missing segment: an empty one takes its place, and what stood in it is counted by its numbers', async () => {
  const missing = newer + 1
  const directory = copy(dir => rmSync(join(dir, segmentFile(missing))))
  const report = await repairBothWays(directory)
  const [first] = batchesOf(whole.directory, missing)
  assert.deepEqual([report.lost.firstLsn, report.lost.lastLsn], [first!.lsn, lastLsn])
  assert.equal(report.lost.draws, truth.length - first!.firstDraw + 1)
  const readable = truth.slice(batchesOf(whole.directory, missing + 1)[0]!.firstDraw - 1)
  assert.equal(report.lost.readableDraws, readable.length)
  assert.deepEqual(countsIn(report.lost), countsOf(readable))
  assert.deepEqual(report.created, [segmentFile(missing)])
  await assertOpensAt(whole, directory, first!.lsn - 1, first!.firstDraw - 1)
})

test('the end missing: it is said that more may be lost than is known', async () => {
  const directory = copy(dir => {
    for (const number of [current, current + 1]) rmSync(join(dir, segmentFile(number)))
  })
  const report = await repairBothWays(directory)
  assert.equal(report.lost.complete, false)
  assert.equal(report.lost.draws, 0)
  await assertOpensAt(whole, directory, report.lsn, report.drawNumber)
})

test('a segment of another directory is put aside, and those behind it', async () => {
  const other = await runCampaign(join(root, 'other'), { seed: 2 })
  const directory = copy(dir =>
    copyFileSync(join(other.directory, segmentFile(newer + 2)), join(dir, segmentFile(newer + 2))),
  )
  const report = await repairBothWays(directory)
  const [first] = batchesOf(whole.directory, newer + 2)
  assert.equal(report.lsn, first!.lsn - 1)
  assert.deepEqual(report.copied, [segmentFile(newer + 2)])
  await assertOpensAt(whole, directory, report.lsn, report.drawNumber)
})

const harmless: readonly [string, (directory: string) => void][] = [
  [
    'a batch that was written to a wrong place, behind the seal that ends its file',
    dir => {
      const batches = batchesOf(dir, newer + 1)
      const { offset, length } = batches.at(-1)!
      const first = batches.find(batch => offset + length + batch.length <= segmentBytes)!
      change(dir, segmentFile(newer + 1), bytes => {
        bytes.copy(bytes, offset + length, first.offset, first.offset + first.length)
        return undefined
      })
    },
  ],
  ['a damaged header', dir => flip(dir, segmentFile(newer + 1), 12)],
  [
    'the headers of all segments damaged but one',
    dir => {
      for (const number of liveSegments(dir).slice(1)) flip(dir, segmentFile(number), 45)
    },
  ],
  [
    'zeros behind the log cut off',
    dir => change(dir, segmentFile(current + 1), bytes => bytes.subarray(0, 512)),
  ],
  [
    'a segment missing that the newest snapshot has left behind',
    dir => rmSync(join(dir, segmentFile(newer - 1))),
  ],
  [
    'a foreign file that the newest snapshot has left behind',
    dir => {
      copyFileSync(join(dir, segmentFile(current)), join(dir, segmentFile(newer - 1)))
    },
  ],
  [
    'both snapshots bad, and the archive whole',
    dir => {
      for (const segment of [older, newer]) flip(dir, snapshotFile(segment), 300)
    },
  ],
  [
    'the newest snapshot gone, and a segment that only the archive reaches back to',
    dir => {
      rmSync(join(dir, snapshotFile(newer)))
      flip(dir, snapshotFile(older), 8)
      flip(dir, segmentFile(newer), 3)
    },
  ],
]

for (const [name, damage] of harmless) {
  test(`nothing is lost by ${name}`, async () => {
    const directory = copy(damage)
    const report = await repairBothWays(directory)
    assert.equal(report.needed, true)
    assert.equal(report.impossible, '')
    assert.deepEqual([report.lsn, report.lost.firstLsn, report.lost.draws], [lastLsn, null, 0])
    assert.equal(report.lost.complete, true)
    await assertOpensAt(whole, directory, lastLsn, truth.length)
  })
}

test('what is behind the newest snapshot is cut at the snapshot where the segment after it is missing', async () => {
  const directory = copy(dir => {
    for (const number of liveSegments(dir)) if (number >= newer) rmSync(join(dir, segmentFile(number)))
  })
  const report = await repairBothWays(directory)
  const [first] = batchesOf(whole.directory, newer + 1)
  assert.equal(report.lsn, first!.lsn - 1)
  assert.equal(report.lost.complete, false)
  await assertOpensAt(whole, directory, report.lsn, report.drawNumber)
})

const untouched: readonly [string, (directory: string) => void, RegExp | null][] = [
  ['a whole log', () => undefined, null],
  [
    'a torn last batch',
    dir => {
      const { offset, length } = batchesOf(dir, current).at(-1)!
      change(dir, segmentFile(current), bytes => void bytes.fill(0, offset + length - 8))
    },
    null,
  ],
  ['damage that the newest snapshot has left behind', dir => flip(dir, segmentFile(newer - 1), 140), null],
  [
    'no start at all',
    dir => {
      rmSync(join(dir, 'archive'), { recursive: true })
      for (const segment of [older, newer]) rmSync(join(dir, snapshotFile(segment)))
    },
    /no good snapshot to begin with/,
  ],
  [
    'no snapshot, and the archive damaged',
    dir => {
      for (const segment of [older, newer]) rmSync(join(dir, snapshotFile(segment)))
      change(dir, `archive/${segmentFile(2)}.zst`, bytes => bytes.subarray(0, 50))
    },
    /restore it, or a snapshot, from a copy/,
  ],
]

for (const [name, damage, why] of untouched) {
  test(`nothing is touched where there is ${name}`, async () => {
    const directory = copy(damage)
    const bytes = fingerprint(directory)
    const report = await repairLog(directory, { dryRun: false })
    assert.equal(report.done, false)
    assert.equal(report.needed, why !== null)
    assert.match(report.impossible, why ?? /^$/)
    assert.deepEqual(fingerprint(directory), bytes)
  })
}

test('a directory that is open elsewhere is not repaired', async () => {
  const directory = copy(() => undefined)
  const kuji = await open({ dir: directory, durability: 'os' })
  await assert.rejects(repairLog(directory, { dryRun: true }), { code: 'LOCKED' })
  assert.equal((await inspectLog(directory)).fault, null)
  await kuji.close()
})

test('a file that is made anew has the size of the other files', async () => {
  const directory = join(root, 'swapped')
  const segmentBytes = 16_384
  const kuji = await open({ dir: directory, segmentBytes })
  await kuji.putPool({ id: 'p', items: [{ id: 'it', weight: 1, stock: 5 }] })
  await kuji.close()
  const [one, other] = [1, 2].map(number => join(directory, segmentFile(number))) as [string, string]
  renameSync(one, join(directory, 'x'))
  renameSync(other, one)
  renameSync(join(directory, 'x'), other)
  const report = await repairLog(directory, { dryRun: false })
  assert.equal(report.done, true)
  const sizes = liveSegments(directory).map(number => statSync(join(directory, segmentFile(number))).size)
  assert.deepEqual([...new Set(sizes)], [segmentBytes])
})

test('so has one that is made anew where a file of the archive is gone, far from all others', async () => {
  const [missing] = archivedSegments(whole.directory).slice(2, 3)
  const directory = copy(dir => {
    rmSync(join(dir, 'archive', `${segmentFile(missing!)}.zst`))
    for (const segment of [older, newer]) rmSync(join(dir, snapshotFile(segment)))
  })
  const sizeOf = (number: number): number => statSync(join(directory, segmentFile(number))).size
  const sizes = new Set(liveSegments(directory).map(sizeOf))
  const report = await repairLog(directory, { dryRun: false })
  assert.deepEqual(report.created.at(0), segmentFile(missing!))
  assert.ok(sizes.has(sizeOf(missing!)), `${sizeOf(missing!)} bytes`)
})
