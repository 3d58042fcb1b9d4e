import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import type { KujiError, LogReport } from '@kuji/engine'
import { readWholeLog } from '../../src/inspect/inspect.ts'
import { repairOn } from '../../src/inspect/repair.ts'
import { filesOf, fingerprint } from '../support/directory.ts'
import { FaultyDisk, systemError } from '../support/faulty-disk.ts'
import { batchesOf, flipBit, segmentPath } from '../support/sample-log.ts'
import { sample, segmentsOf } from '../support/starts.ts'

/** Files that are there and that the system does not give: nothing is said of them that could only be said of bytes. */

function withoutFile(name: string, error: Error): FaultyDisk {
  const reads = new Set(['read', 'readStart'])
  return new FaultyDisk(call => (reads.has(call.operation) && call.name === name ? { error } : undefined))
}

async function inspect(directory: string, disk: FaultyDisk): Promise<LogReport> {
  return (await readWholeLog({ disk, directory, observer: {}, secondLook: false })).report
}

test('a snapshot that the disk does not give is told as the fault of that snapshot, and the log is read', async t => {
  const { directory, lastLsn } = await sample(t, { snapshots: true, end: 'crash' })
  const newest = filesOf(directory, /^snapshot/).at(-1)!
  // The second is what Node says of a file that it cannot hold.
  for (const error of [systemError('EIO'), new RangeError('Array buffer allocation failed')]) {
    const report = await inspect(directory, withoutFile(newest, error))
    const told = [
      report.lsn,
      report.fault,
      report.warnings.map(({ kind, file, message }) => ({ kind, file, message })),
    ]
    const message = `cannot be read: ${error.message}`
    assert.deepEqual(told, [lastLsn, null, [{ kind: 'snapshot', file: newest, message }]])
  }
})

test('what the system does not give now, and may give later, ends the reading with its name and the cause', async t => {
  const { directory } = await sample(t, { snapshots: true, end: 'shutdown' })
  const last = segmentsOf(directory).at(-1)!
  const rows: [name: string, code: string][] = [
    [filesOf(directory, /^snapshot/).at(-1)!, 'EACCES'],
    [filesOf(directory, /^segment/)[0]!, 'EIO'],
    [filesOf(directory, /^segment/)[1]!, 'EIO'],
    [`segment-${String(last).padStart(10, '0')}.log`, 'EMFILE'],
  ]
  for (const [name, code] of rows) {
    const message = `${join(directory, name)}: cannot be read: ${code}: as a test would have it`
    const refusal = { code: 'INTERNAL', message, fields: { file: join(directory, name) } }
    await assert.rejects(inspect(directory, withoutFile(name, systemError(code))), refusal)
    await assert.rejects(
      repairOn(withoutFile(name, systemError(code)), directory, { dryRun: false }),
      refusal,
    )
  }
})

test('no repair decides without a file that may be whole', async t => {
  const { directory } = await sample(t, { snapshots: true, end: 'shutdown' })
  const newest = filesOf(directory, /^snapshot/).at(-1)!
  const number = Number(newest.slice(9, 19))
  // The newest snapshot carries the state past this.
  const damaged = batchesOf(directory, number)[2]!
  flipBit(segmentPath(directory, number), 8 * (damaged.offset + 80))
  const later = batchesOf(directory, number + 1)[1]!
  flipBit(segmentPath(directory, number + 1), 8 * (later.offset + 80))
  const before = fingerprint(directory)
  const { done, needed, impossible } = await repairOn(withoutFile(newest, systemError('EIO')), directory, {
    dryRun: false,
  })
  assert.deepEqual([needed, done], [true, false])
  assert.match(impossible, new RegExp(`^${newest} cannot be read: EIO: .*It may be whole`))
  assert.deepEqual(fingerprint(directory), before)
  const { done: repaired, lost } = await repairOn(new FaultyDisk(() => undefined), directory, {
    dryRun: false,
  })
  assert.equal(repaired, true)
  assert.equal(lost.firstLsn, later.lsn)
})

test('a repair that is done and cannot be proven says so, and never that nothing was changed', async t => {
  const { directory } = await sample(t, { snapshots: true, end: 'shutdown' })
  const newest = filesOf(directory, /^snapshot/).at(-1)!
  const number = Number(newest.slice(9, 19))
  for (const [segment, batch] of [
    [number, 2],
    [number + 1, 1],
  ] as const)
    flipBit(segmentPath(directory, segment), 8 * (batchesOf(directory, segment)[batch]!.offset + 80))
  let changing = false
  const disk = new FaultyDisk(({ operation, name }) => {
    changing ||= operation === 'makeDirectory'
    return changing && operation === 'read' && name === newest ? { error: systemError('EIO') } : undefined
  })
  await assert.rejects(repairOn(disk, directory, { dryRun: false }), (error: Error) => {
    assert.match(
      error.message,
      /^the log was repaired, and all that was replaced is in .*broken-1; but it could not be opened to prove it/,
    )
    assert.match(error.message, /so run the repair again: .*segment-\d+\.log: damaged at/)
    assert.doesNotMatch(error.message, /Nothing was changed/)
    return (error as KujiError).code === 'INTERNAL'
  })
  const again = await repairOn(new FaultyDisk(() => undefined), directory, { dryRun: false })
  assert.equal(again.needed, false)
})
