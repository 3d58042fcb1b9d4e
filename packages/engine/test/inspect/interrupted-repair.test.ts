import assert from 'node:assert/strict'
import { renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { before, test } from 'node:test'
import { open, repairLog } from '@kuji/engine'
import { repairOn } from '../../src/inspect/repair.ts'
import { copyOf } from '../support/directory.ts'
import type { Call } from '../support/faulty-disk.ts'
import { FaultyDisk } from '../support/faulty-disk.ts'
import { temporaryDirectory } from '../support/temporary.ts'
import type { Campaign } from './campaign.ts'
import {
  assertOpensAt,
  batchesOf,
  flip,
  runCampaign,
  segmentFile,
  snapshotFile,
  snapshotSegments,
} from './campaign.ts'

const root = temporaryDirectory({ after: clean => process.once('exit', clean) })
let whole: Campaign
let older: number
let newer: number

before(async () => {
  whole = await runCampaign(join(root, 'whole'))
  ;[older, newer] = snapshotSegments(whole.directory) as [number, number]
})

let copies = 0
function copy(damage: (directory: string) => void): string {
  const directory = copyOf(whole.directory, join(root, `copy-${copies++}`))
  damage(directory)
  return directory
}

/** What else may be wrong at once, for looking at every step of a repair. */
const compound: readonly [string, (directory: string) => void][] = [
  ['a damaged batch', dir => flip(dir, segmentFile(newer + 1), batchesOf(dir, newer + 1)[2]!.offset + 76)],
  [
    'a gap before the newest snapshot and one behind it',
    dir => {
      rmSync(join(dir, segmentFile(newer - 1)))
      rmSync(join(dir, segmentFile(newer + 2)))
    },
  ],
  [
    'two segments swapped',
    dir => {
      renameSync(join(dir, segmentFile(newer + 1)), join(dir, 'x'))
      renameSync(join(dir, segmentFile(newer + 2)), join(dir, segmentFile(newer + 1)))
      renameSync(join(dir, 'x'), join(dir, segmentFile(newer + 2)))
    },
  ],
  [
    'bad snapshots and damaged headers',
    dir => {
      for (const segment of [older, newer]) flip(dir, snapshotFile(segment), 300)
      for (const number of [newer, newer + 1]) flip(dir, segmentFile(number), 5)
    },
  ],
]

for (const [name, damage] of compound) {
  test(`a repair of ${name}, stopped at any step: a start refuses it, or finds it done`, async () => {
    const { lsn, drawNumber } = await repairLog(copy(damage), { dryRun: true })
    let stopped = true
    for (let step = 1; stopped; step++) {
      const directory = copy(damage)
      let operations = 0
      const disk = new FaultyDisk(({ operation }) => {
        const changes = !['list', 'read', 'readStart', 'lock', 'close', 'openToOthers'].includes(operation)
        return changes && ++operations >= step ? { error: new Error('power cut') } : undefined
      })
      stopped = await repairOn(disk, directory, { dryRun: false }).then(
        () => false,
        () => true,
      )
      await disk.abandon()
      const opened = await open({
        dir: copyOf(directory, `${directory}-opened`),
        durability: 'os',
        onEvent: () => undefined,
      }).catch((error: { code: string }) => error)
      if ('status' in opened) {
        assert.deepEqual([opened.status().lsn, opened.status().drawNumber], [lsn, drawNumber], `step ${step}`)
        await opened.close()
      } else assert.equal(opened.code, 'CORRUPT')
      await repairLog(directory, { dryRun: false })
      await assertOpensAt(whole, directory, lsn, drawNumber)
      rmSync(directory, { recursive: true })
      rmSync(`${directory}-opened`, { recursive: true })
    }
  })
}

test('a repair replaces and takes away nothing before what it keeps of it is on the device', async () => {
  const directory = copy(compound[0]![1])
  const calls: Call[] = []
  const disk = new FaultyDisk(call => {
    calls.push(call)
    return undefined
  })
  const { copied, moved, broken } = await repairOn(disk, directory, { dryRun: false })
  assert.ok(copied.length > 0 && moved.length > 1)
  /** Copies and files that have been moved, not synced yet, or whose names are not. */
  const unsynced = new Set<string>()
  const unnamed = new Set<string>()
  let replaced = 0
  let earlier: string | undefined
  for (const { operation, name } of calls) {
    if (operation === 'create' && copied.includes(name)) {
      unsynced.add(name)
      unnamed.add(name)
    }
    if (operation === 'sync') unsynced.delete(name)
    if (operation === 'syncDirectory' && name === broken) unnamed.clear()
    if (operation === 'syncDirectory' && !name.startsWith('broken-')) earlier = undefined
    if (operation !== 'rename' || !name.startsWith('segment-')) continue
    if (copied.includes(name)) {
      replaced++
      assert.deepEqual([[...unsynced], [...unnamed]], [[], []], `before ${name} is replaced`)
    } else {
      assert.equal(earlier, undefined, `${name} leaves while another has not left for good`)
      earlier = name
    }
  }
  assert.ok(replaced >= copied.length)
  assert.equal(earlier, undefined, 'the last has left for good')
})
