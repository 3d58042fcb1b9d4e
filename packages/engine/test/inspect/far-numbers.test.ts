import assert from 'node:assert/strict'
import { copyFileSync, rmSync } from 'node:fs'
import { type TestContext, test } from 'node:test'
import { crc32 } from 'node:zlib'
import { inspectLog, repairLog } from '@kuji/engine'
import { limits } from '@kuji/engine/contract'
import { copyOf, filesOf } from '../support/directory.ts'
import { processorMs } from '../support/processor-time.ts'
import {
  alter,
  batchesOf,
  flipBit,
  forge,
  forgeSnapshot,
  segmentPath,
  snapshotPath,
} from '../support/sample-log.ts'
import { refused, sample, segmentsOf, start } from '../support/starts.ts'

/** Numbers in a name or a file that are far from all others: what there is gets a look, not what could be. */

async function logOf(t: TestContext): Promise<string> {
  return (await sample(t, { end: 'shutdown' })).directory
}

test('a file with a number far behind the others takes no longer than any', async t => {
  const directory = await logOf(t)
  copyFileSync(segmentPath(directory, 1), segmentPath(directory, 9_999_999_999))
  const began = processorMs()
  const { fault, segments } = await inspectLog(directory)
  // It took minutes, and takes milliseconds.
  assert.ok(processorMs() - began < 10_000)
  assert.equal(fault?.kind, 'foreign')
  assert.equal(segments.at(-1)?.number, 9_999_999_999)
  flipBit(segmentPath(directory, 1), 8 * (batchesOf(directory, 1)[1]!.offset + 80))
  assert.equal((await inspectLog(directory)).fault?.kind, 'damage')
  assert.ok(processorMs() - began < 10_000)
})

test('a header whose checksum is right and whose numbers are none is damage, and named', async t => {
  for (const offset of [32, 40]) {
    const directory = await logOf(t)
    alter(segmentPath(directory, 1), bytes => {
      bytes.writeBigUInt64LE(2n ** 53n, offset)
      bytes.writeUInt32LE(crc32(bytes.subarray(0, 60)), 60)
      return undefined
    })
    assert.match((await refused(directory)).message, /segment-0000000001.log: a number over 2\^53 - 1/)
    const { fault, segments } = await inspectLog(directory)
    assert.equal(fault?.kind, 'damage')
    assert.equal(segments[0]?.end, 'full')
  }
})

test('a repair counts lost draws of items that there cannot be, and not those between', async t => {
  const directory = await logOf(t)
  const path = segmentPath(directory, 2)
  const [damaged, behind] = batchesOf(directory, 2)
  flipBit(path, 8 * (damaged!.offset + 80))
  forge(path, behind!, content => {
    content[73] = 4
    content.writeUInt32LE((content.length - 84) >> 2, 80)
    content.fill(0xff, 84)
    content.writeUInt32LE(0xfffffff0, 84)
  })
  const began = processorMs()
  const { lost } = await repairLog(directory, { dryRun: true })
  assert.ok(processorMs() - began < 10_000)
  const told = lost.pools.flatMap(({ items }) => items).filter(({ item }) => item === null)
  assert.deepEqual(told[0], { item: null, index: 0xfffffff0, draws: 1 })
})

test('a log that leaves no room for the seal that ends its last file is refused, and a repair makes room', async t => {
  const directory = await logOf(t)
  const number = 1
  for (const later of segmentsOf(directory).filter(segment => segment > number))
    rmSync(segmentPath(directory, later))
  // The seal that ends the file says that the log was idle: it goes on in a file that is full.
  const seal = batchesOf(directory, number).at(-1)!
  forge(segmentPath(directory, number), seal, content => content.writeUInt8(1, 73))
  alter(segmentPath(directory, number), bytes => {
    const short = Buffer.from(bytes.subarray(0, seal.offset + seal.length + 80))
    short.writeBigUInt64LE(BigInt(short.length), 40)
    short.writeUInt32LE(crc32(short.subarray(0, 60)), 60)
    return short
  })
  assert.match((await refused(directory)).message, /no room for the seal/)
  const { fault } = await inspectLog(directory)
  assert.match(`${fault?.kind} ${fault?.message}`, /^damage .*no room for the seal/)
  const { done, lost } = await repairLog(directory, { dryRun: false })
  assert.deepEqual([done, lost.draws], [true, 0])
  await start(directory)
})

test('a log without a number left to go on with is refused by all, and not touched by a repair', async t => {
  const { directory } = await sample(t, { snapshots: true, end: 'shutdown' })
  const [older, newest] = filesOf(directory, /^snapshot/).map(name => Number(name.slice(9, 19))) as [
    number,
    number,
  ]
  rmSync(snapshotPath(directory, older))
  for (const number of segmentsOf(directory))
    if (number !== newest + 1) rmSync(segmentPath(directory, number))
  alter(segmentPath(directory, newest + 1), bytes => void bytes.fill(0, 64))
  const rows: [what: string, change: (body: Buffer) => number, message: RegExp][] = [
    ['lsn', body => body.writeBigUInt64LE(BigInt(limits.lsn), 40), /LSN 4503599627370496 is beyond all LSNs/],
    ['epoch', body => body.writeUInt32LE(limits.epoch, 56), /epoch 4294967295 is the last there is/],
  ]
  for (const [what, change, message] of rows) {
    const dir = copyOf(directory, `${directory}-${what}`)
    forgeSnapshot(snapshotPath(dir, newest), change)
    assert.match((await refused(dir)).message, message)
    const { fault } = await inspectLog(dir)
    assert.match(`${fault?.kind} ${fault?.message}`, new RegExp(`^chain ${message.source}`))
    const { done, impossible } = await repairLog(dir, { dryRun: false })
    assert.equal(done, false)
    assert.match(impossible, /a forgery that no cut would mend/)
  }
})
