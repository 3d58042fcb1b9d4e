import assert from 'node:assert/strict'
import { copyFileSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, test } from 'node:test'
import { inspectLog, KujiError, open, repairLog } from '@kuji/engine'
import { copyOf, fingerprint } from '../support/directory.ts'
import { temporaryDirectory } from '../support/temporary.ts'
import type { Campaign } from './campaign.ts'
import {
  archivedSegments,
  assertOpensAt,
  change,
  liveSegments,
  runCampaign,
  segmentFile,
  snapshotFile,
  snapshotSegments,
} from './campaign.ts'

const root = temporaryDirectory({ after: clean => process.once('exit', clean) })
const headerBytes = 64
let whole: Campaign
let unnamed: string

before(async () => {
  whole = await runCampaign(join(root, 'whole'))
  unnamed = copyOf(whole.directory, join(root, 'unnamed'))
  const zeroHeader = (file: string): void => change(unnamed, file, bytes => bytes.fill(0, 0, headerBytes))
  for (const number of liveSegments(unnamed)) zeroHeader(segmentFile(number))
  for (const number of snapshotSegments(unnamed)) zeroHeader(snapshotFile(number))
  for (const number of archivedSegments(unnamed)) zeroHeader(`archive/${segmentFile(number)}.zst`)
})

/** The refusal of a log of which no file says whose it is. */
function isRefusal(error: unknown): boolean {
  assert.ok(error instanceof KujiError)
  assert.equal(error.code, 'CORRUPT')
  assert.deepEqual(error.fields, { directory: unnamed, missing: 'identity' })
  assert.match(error.message, /no file in it says whose log this is/)
  assert.match(
    error.message,
    /no header of the log and no snapshot is whole; bring back a snapshot from a copy/,
  )
  return true
}

test('where all headers are zeros, the tools say what is missing and what helps, and change nothing', async () => {
  const bytes = fingerprint(unnamed)
  await assert.rejects(open({ dir: unnamed, onEvent: () => undefined }), { code: 'CORRUPT' })
  await assert.rejects(inspectLog(unnamed), isRefusal)
  await assert.rejects(repairLog(unnamed, { dryRun: true }), isRefusal)
  await assert.rejects(repairLog(unnamed, { dryRun: false }), isRefusal)
  assert.deepEqual(fingerprint(unnamed), bytes)
})

test('one file brought back from a copy is the way out: the repair writes all other headers anew', async () => {
  const file = snapshotFile(snapshotSegments(whole.directory).at(-1)!)
  const directory = copyOf(unnamed, join(root, 'named'))
  copyFileSync(join(whole.directory, file), join(directory, file))
  const { done, lost, lsn, drawNumber } = await repairLog(directory, { dryRun: false })
  assert.equal(done, true)
  assert.equal(lost.draws, 0)
  assert.equal(lsn, whole.moments.at(-1)!.lsn + 1)
  await assertOpensAt(whole, directory, lsn, drawNumber)
})

test('so are the first bytes of the file that was written to, from a copy made long before', async () => {
  const dir = join(root, 'young')
  const file = join(dir, segmentFile(1))
  let kuji = await open({ dir, durability: 'os', segmentBytes: 65536 })
  await kuji.putPool({ id: 'p', items: [{ id: 'a', weight: 1, stock: 'unlimited' }] })
  const header = readFileSync(file).subarray(0, headerBytes)
  for (let draw = 0; draw < 50; draw++) await kuji.draw('p', { count: 3 })
  await kuji.close()
  for (const number of liveSegments(dir))
    change(dir, segmentFile(number), bytes => bytes.fill(0, 0, headerBytes))
  await assert.rejects(repairLog(dir, { dryRun: false }), { code: 'CORRUPT' })
  change(dir, segmentFile(1), bytes => void header.copy(bytes))
  const { done, lost, drawNumber } = await repairLog(dir, { dryRun: false })
  assert.deepEqual([done, lost.draws, drawNumber], [true, 0, 150])
  kuji = await open({ dir, durability: 'os', segmentBytes: 65536 })
  assert.equal((await kuji.pool('p')).drawn, 150)
  await kuji.close()
})
