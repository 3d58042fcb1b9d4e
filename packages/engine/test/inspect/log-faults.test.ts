import assert from 'node:assert/strict'
import { copyFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { before, test } from 'node:test'
import { crc32 } from 'node:zlib'
import type { LogFault, LogReport } from '@kuji/engine'
import { inspectLog, KujiError, open } from '@kuji/engine'
import { segmentSeed } from '../../src/log/segment.ts'
import { copyOf, fingerprint } from '../support/directory.ts'
import { temporaryDirectory } from '../support/temporary.ts'
import type { Campaign } from './campaign.ts'
import {
  batchesOf,
  change,
  flip,
  liveSegments,
  runCampaign,
  segmentFile,
  snapshotFile,
  snapshotSegments,
} from './campaign.ts'

const root = temporaryDirectory({ after: clean => process.once('exit', clean) })
let whole: Campaign
let other: Campaign
/** Live segments; `current` is the one that was written last, `next` the empty one behind it. */
let live: number[]
let current: number
/** The two snapshots. */
let older: number
let newer: number

before(async () => {
  whole = await runCampaign(join(root, 'whole'))
  other = await runCampaign(join(root, 'other'), { seed: 2 })
  live = liveSegments(whole.directory)
  current = live.findLast(number => batchesOf(whole.directory, number).length > 0)!
  ;[older, newer] = snapshotSegments(whole.directory) as [number, number]
  assert.ok(live.at(-1)! === current + 1 && newer + 2 < current && older + 2 < newer && live[0] === older + 1)
})

let copies = 0
function copy(): string {
  return copyOf(whole.directory, join(root, `copy-${copies++}`))
}

/** A fault in short: its kind, file, offset and LSNs. */
function short(fault: LogFault | null): string {
  if (fault === null) return 'none'
  return `${fault.kind} ${fault.file} at ${fault.offset}, LSN ${fault.firstLsn} to ${fault.lastLsn}`
}

/** What each kind of damage is told as: the fault, then the warnings. */
const faults: readonly [string, (directory: string) => void, () => string[]][] = [
  [
    'a torn last batch',
    directory => {
      const { offset, length } = batchesOf(directory, current).at(-1)!
      change(directory, segmentFile(current), bytes => void bytes.fill(0, offset + length - 8))
    },
    () => {
      const { offset, lsn } = batchesOf(whole.directory, current).at(-1)!
      return [`torn ${segmentFile(current)} at ${offset}, LSN ${lsn} to ${lsn}`]
    },
  ],
  [
    'a damaged batch behind the newest snapshot',
    directory => flip(directory, segmentFile(newer + 1), batchesOf(directory, newer + 1)[1]!.offset + 80),
    () => {
      const { offset, lsn } = batchesOf(whole.directory, newer + 1)[1]!
      return [`damage ${segmentFile(newer + 1)} at ${offset}, LSN ${lsn} to ${lsn}`]
    },
  ],
  [
    'a damaged batch that the newest snapshot has left behind',
    directory => flip(directory, segmentFile(newer - 1), batchesOf(directory, newer - 1)[1]!.offset + 80),
    () => {
      const { offset, lsn } = batchesOf(whole.directory, newer - 1)[1]!
      const carried = batchesOf(whole.directory, newer).at(-1)!.lsn
      return ['none', `damage ${segmentFile(newer - 1)} at ${offset}, LSN ${lsn} to ${carried}`]
    },
  ],
  [
    'a damaged seal of a full segment',
    directory => flip(directory, segmentFile(newer + 1), batchesOf(directory, newer + 1).at(-1)!.offset + 75),
    () => {
      const { offset, lsn } = batchesOf(whole.directory, newer + 1).at(-1)!
      return [`damage ${segmentFile(newer + 1)} at ${offset}, LSN ${lsn} to ${lsn}`]
    },
  ],
  [
    'a damaged header, its batches whole',
    directory => flip(directory, segmentFile(newer + 1), 20),
    () => [`damage ${segmentFile(newer + 1)} at 0, LSN null to null`],
  ],
  [
    'a file cut short',
    directory => change(directory, segmentFile(newer + 1), bytes => bytes.subarray(0, 1000)),
    () => {
      const { offset, lsn } = batchesOf(whole.directory, newer + 1).find(
        batch => batch.offset + batch.length > 1000,
      )!
      const next = batchesOf(whole.directory, newer + 2)[0]!.lsn
      return [`damage ${segmentFile(newer + 1)} at ${offset}, LSN ${lsn} to ${next - 1}`]
    },
  ],
  [
    'a missing segment',
    directory => rmSync(join(directory, segmentFile(newer + 1))),
    () => [
      `gap ${segmentFile(newer + 1)} at 0, LSN ${batchesOf(whole.directory, newer + 1)[0]!.lsn} to null`,
    ],
  ],
  [
    'the last segments missing',
    directory => {
      for (const number of [current, current + 1]) rmSync(join(directory, segmentFile(number)))
    },
    () => [`gap ${segmentFile(current)} at 0, LSN ${batchesOf(whole.directory, current)[0]!.lsn} to null`],
  ],
  [
    'a segment of another directory',
    directory =>
      copyFileSync(join(other.directory, segmentFile(newer + 1)), join(directory, segmentFile(newer + 1))),
    () => [
      `foreign ${segmentFile(newer + 1)} at 0, LSN ${batchesOf(whole.directory, newer + 1)[0]!.lsn} to null`,
    ],
  ],
  [
    'two segments swapped',
    directory => {
      renameSync(join(directory, segmentFile(newer + 1)), join(directory, 'x'))
      renameSync(join(directory, segmentFile(newer + 2)), join(directory, segmentFile(newer + 1)))
      renameSync(join(directory, 'x'), join(directory, segmentFile(newer + 2)))
    },
    () => [
      `foreign ${segmentFile(newer + 1)} at 0, LSN ${batchesOf(whole.directory, newer + 1)[0]!.lsn} to null`,
    ],
  ],
  [
    'a segment of a newer format',
    directory =>
      change(directory, segmentFile(newer + 1), bytes => {
        bytes.writeUInt32LE(2, 8)
        bytes.writeUInt32LE(crc32(bytes.subarray(0, 60)), 60)
        return undefined
      }),
    () => [
      `format ${segmentFile(newer + 1)} at 0, LSN ${batchesOf(whole.directory, newer + 1)[0]!.lsn} to null`,
    ],
  ],
  [
    'a forged outcome with a checksum of its own',
    directory => forge(directory, newer + 1),
    () => {
      // The forged batch passes for itself; the one after it does not follow on from it.
      const batches = batchesOf(whole.directory, newer + 1)
      const { offset, lsn } = batches[batches.findIndex(isLarge) + 1]!
      return [`chain ${segmentFile(newer + 1)} at ${offset}, LSN ${lsn} to null`]
    },
  ],
  [
    'the newest snapshot bad',
    directory => flip(directory, snapshotFile(newer), 200),
    () => ['none', `snapshot ${snapshotFile(newer)} at 0, LSN null to null`],
  ],
  [
    'both snapshots bad, and the log archived in part',
    directory => {
      for (const segment of [older, newer]) flip(directory, snapshotFile(segment), 200)
    },
    () => [
      'snapshot . at 0, LSN null to null',
      `snapshot ${snapshotFile(older)} at 0, LSN null to null`,
      `snapshot ${snapshotFile(newer)} at 0, LSN null to null`,
    ],
  ],
  [
    'a snapshot of another directory',
    directory =>
      copyFileSync(join(other.directory, snapshotFile(newer)), join(directory, snapshotFile(newer))),
    () => ['none', `snapshot ${snapshotFile(newer)} at 0, LSN null to null`],
  ],
  [
    'a damaged archive',
    directory => change(directory, `archive/${segmentFile(2)}.zst`, bytes => bytes.subarray(0, 100)),
    () => {
      const carried = batchesOf(whole.directory, older + 1)[0]!.lsn - 1
      return ['none', `damage archive/${segmentFile(2)}.zst at 0, LSN ${firstLsnOf(2)} to ${carried}`]
    },
  ],
  [
    'an archive with a file missing',
    directory => rmSync(join(directory, `archive/${segmentFile(2)}.zst`)),
    () => {
      const carried = batchesOf(whole.directory, older + 1)[0]!.lsn - 1
      return ['none', `gap archive/${segmentFile(2)}.zst at 0, LSN ${firstLsnOf(2)} to ${carried}`]
    },
  ],
  ['no archive at all', directory => rmSync(join(directory, 'archive'), { recursive: true }), () => ['none']],
  [
    'neither archive nor snapshots',
    directory => {
      rmSync(join(directory, 'archive'), { recursive: true })
      for (const segment of [older, newer]) rmSync(join(directory, snapshotFile(segment)))
    },
    () => [`gap ${segmentFile(1)} at 0, LSN 1 to null`],
  ],
]

let wholeReport: LogReport
function firstLsnOf(number: number): number {
  return wholeReport.segments.find(segment => segment.number === number)!.firstLsn!
}

/** A batch of many draws from two items. */
function isLarge({ length }: { length: number }): boolean {
  return length > 300
}

/** Changes an outcome and gives the batch a right checksum. */
function forge(directory: string, segment: number): void {
  const { offset, length } = batchesOf(directory, segment).find(isLarge)!
  change(directory, segmentFile(segment), bytes => {
    const identity = bytes.subarray(16, 32)
    bytes[offset + 100]! ^= 1
    const crc = crc32(bytes.subarray(offset + 4, offset + length), segmentSeed({ identity, number: segment }))
    bytes.writeUInt32LE(crc, offset)
    return undefined
  })
}

test('every fault is told with its kind, file, offset and LSNs, and a start agrees', async t => {
  wholeReport = await inspectLog(whole.directory)
  for (const [name, damage, expected] of faults) {
    await t.test(name, async () => {
      const directory = copy()
      damage(directory)
      const bytes = fingerprint(directory)
      const report = await inspectLog(directory)
      assert.deepEqual([short(report.fault), ...report.warnings.map(short)], expected())
      assert.deepEqual(fingerprint(directory), bytes)
      // Where a start refuses there is a fault, and where there is one that is not torn it refuses.
      const refuses = report.fault !== null && report.fault.kind !== 'torn'
      if (!refuses) assert.equal(report.drawNumber, wholeReport.drawNumber)
      const started = await open({ dir: directory, onEvent: () => undefined }).catch(
        (error: KujiError) => error,
      )
      if (started instanceof KujiError) assert.ok(refuses, started.message)
      else {
        assert.ok(!refuses, name)
        await started.close()
      }
    })
  }
})
