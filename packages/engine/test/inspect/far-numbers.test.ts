import assert from 'node:assert/strict'
import { copyFileSync } from 'node:fs'
import { type TestContext, test } from 'node:test'
import { crc32 } from 'node:zlib'
import { inspectLog, repairLog } from '@kuji/engine'
import { alter, batchesOf, flipBit, forge, segmentPath } from '../support/sample-log.ts'
import { refused, sample } from '../support/starts.ts'

/** Numbers in a name or a file that are far from all others: what there is gets a look, not what could be. */

async function logOf(t: TestContext): Promise<string> {
  return (await sample(t, { end: 'shutdown' })).directory
}

test('a file with a number far behind the others takes no longer than any', async t => {
  const directory = await logOf(t)
  copyFileSync(segmentPath(directory, 1), segmentPath(directory, 9_999_999_999))
  const began = performance.now()
  const { fault, segments } = await inspectLog(directory)
  // It took minutes, and takes milliseconds.
  assert.ok(performance.now() - began < 10_000)
  assert.equal(fault?.kind, 'foreign')
  assert.equal(segments.at(-1)?.number, 9_999_999_999)
  flipBit(segmentPath(directory, 1), 8 * (batchesOf(directory, 1)[1]!.offset + 80))
  assert.equal((await inspectLog(directory)).fault?.kind, 'damage')
  assert.ok(performance.now() - began < 10_000)
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
  const began = performance.now()
  const { lost } = await repairLog(directory, { dryRun: true })
  assert.ok(performance.now() - began < 10_000)
  const told = lost.pools.flatMap(({ items }) => items).filter(({ item }) => item === null)
  assert.deepEqual(told[0], { item: null, index: 0xfffffff0, draws: 1 })
})
