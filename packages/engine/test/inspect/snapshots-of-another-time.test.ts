import assert from 'node:assert/strict'
import { copyFileSync, rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { inspectLog, type Kuji, repairLog } from '@kuji/engine'
import { openIn } from '../../src/open.ts'
import { copyOf, filesOf } from '../support/directory.ts'
import { samplePool, segmentPath, snapshotPath } from '../support/sample-log.ts'
import { refused, segmentBytes, start } from '../support/starts.ts'
import { temporaryDirectory } from '../support/temporary.ts'
import { testWorld } from '../support/world.ts'

/**
 * Snapshots that a copy of the same directory has made after it had gone another way: whole, with the right identity,
 * and not of this log.
 */

async function within(dir: string, work: (kuji: Kuji) => Promise<unknown>): Promise<void> {
  const kuji = await openIn({ dir, durability: 'os', segmentBytes, onEvent: () => undefined }, testWorld())
  await work(kuji)
  await kuji.close()
}

/** A log in its first file, with the snapshot of that file's end from a copy whose first file has fewer batches. */
async function mixed(t: TestContext): Promise<{ directory: string; snapshot: string; drawNumber: number }> {
  const directory = join(temporaryDirectory(t), 'data')
  await within(directory, kuji => kuji.putPool(samplePool))
  const copy = copyOf(directory, `${directory}-copy`)
  await within(copy, async kuji => {
    for (let draws = 0; draws < 6000; draws += 1500) await kuji.drawMany('p', 1500)
  })
  await within(directory, async kuji => {
    for (let draws = 0; draws < 20; draws++) await kuji.draw('p')
  })
  const snapshot = snapshotPath(directory, 1)
  copyFileSync(snapshotPath(copy, 1), snapshot)
  return { directory, snapshot, drawNumber: 20 }
}

async function told(directory: string, snapshot: string, message: RegExp): Promise<void> {
  const { fault, drawNumber } = await inspectLog(directory)
  assert.deepEqual([fault?.kind, fault?.file], ['snapshot', basename(snapshot)])
  assert.match(fault!.message, message)
  const { done, lost, moved } = await repairLog(directory, { dryRun: false })
  assert.deepEqual([done, lost.draws, moved], [true, 0, [basename(snapshot)]])
  assert.equal((await start(directory)).drawNumber, drawNumber)
}

test('one that ends before the file that it is named for is refused: the draws behind it would be lost', async t => {
  const { directory, snapshot, drawNumber } = await mixed(t)
  assert.deepEqual(
    filesOf(directory, /^segment/),
    [1, 2].map(number => basename(segmentPath('', number))),
  )
  assert.match(
    (await refused(directory)).message,
    /snapshot-0*1\.snap: it stands at LSN \d+, and segment-0*1\.log goes on to LSN \d+: it is not of this log/,
  )
  assert.equal((await inspectLog(directory)).drawNumber, drawNumber)
  await told(directory, snapshot, /its state is not the one that the log has/)
})

test('one behind the last file is told by inspect as a start refuses it, and put aside by a repair', async t => {
  const { directory, snapshot } = await mixed(t)
  rmSync(segmentPath(directory, 2))
  assert.match((await refused(directory)).message, /files are missing/)
  await told(directory, snapshot, /files are missing/)
})
