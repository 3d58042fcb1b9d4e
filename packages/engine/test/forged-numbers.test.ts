import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { inspectLog } from '@kuji/engine'
import { limits } from '@kuji/engine/contract'
import { openIn } from '../src/open.ts'
import { decodeSnapshot } from '../src/snapshot/snapshot.ts'
import { filesOf } from './support/directory.ts'
import { batchesOf, forge, forgeSnapshot, segmentPath, snapshotPath } from './support/sample-log.ts'
import { refused, sample, segmentBytes } from './support/starts.ts'
import { temporaryDirectory } from './support/temporary.ts'
import { testWorld } from './support/world.ts'

/** Numbers that a checksum goes with and no writer writes: each is looked at before anything rests on it. */

const nextPoolAt = 104
const timeAt = 48

/** The newest snapshot of a log, with a change that its digest is right for. */
async function forgedSnapshot(t: TestContext, change: (body: Buffer) => Buffer | number): Promise<Buffer> {
  const { directory } = await sample(t, { snapshots: true, end: 'shutdown', keyedUpTo: 400 })
  const newest = filesOf(directory, /^snapshot/).at(-1)!
  const path = snapshotPath(directory, Number(newest.slice(9, 19)))
  forgeSnapshot(path, change)
  return readFileSync(path)
}

test('a snapshot of many pools that were deleted takes no memory for them', async t => {
  const bytes = await forgedSnapshot(t, body => body.writeUInt32LE(30_000_000, nextPoolAt))
  const before = process.memoryUsage().heapUsed
  const { state } = decodeSnapshot(bytes, 'snapshot')
  assert.ok(process.memoryUsage().heapUsed - before < 16 * 2 ** 20)
  assert.equal(state.nextPool, 30_000_000)
  assert.equal(state.byNumber.get(0)?.id, 'p')
})

test('a snapshot is refused whose time, or that of a key, is beyond all times', async t => {
  const own = await forgedSnapshot(t, body => body.writeBigUInt64LE(BigInt(limits.time) + 1n, timeAt))
  assert.throws(() => decodeSnapshot(own, 'snapshot'), { code: 'CORRUPT', message: /its time is beyond/ })
  const keys = await forgedSnapshot(t, body => {
    // The time of the first key stands there whole, of the later ones what they are behind it.
    const time = varint(1_790_000_000_000)
    const at = body.indexOf(time.subarray(2)) - 2
    assert.ok(at > 0)
    const behind = body.subarray(at + time.length)
    return Buffer.concat([body.subarray(0, at), varint(limits.time + 1), behind])
  })
  assert.throws(() => decodeSnapshot(keys, 'snapshot'), {
    code: 'CORRUPT',
    message: /a key whose time is beyond/,
  })
})

function varint(value: number): Buffer {
  const bytes: number[] = []
  let rest = value
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128)
  return Buffer.from([...bytes, rest])
}

test('replay: a pool is created under the next number and under an id that is free', async t => {
  const { directory } = await sample(t)
  const first = batchesOf(directory, 1)[0]!
  assert.deepEqual(first.kinds, ['put'])
  forge(segmentPath(directory, 1), first, content => void content.writeUInt32LE(0xfffffff0, 80))
  assert.match((await refused(directory)).message, /pool number 4294967280 is not "p"/)
})

/** A log with a pool of each mode, and a change of an item. */
async function logWithRules(t: TestContext): Promise<string> {
  const dir = join(temporaryDirectory(t), 'data')
  const kuji = await openIn({ dir, durability: 'os', segmentBytes, onEvent: () => undefined }, testWorld())
  const metadata = { n: 1 }
  await kuji.putPool({ id: 'p', items: [{ id: 'item', weight: 0.5, stock: 9, metadata }], metadata })
  await kuji.putPool({ id: 'urn', mode: 'urn', items: [{ id: 'item', stock: 9 }] })
  await kuji.updateItem('p', 'item', { restock: 1, weight: 0.25 })
  await kuji.close()
  return dir
}

/** Sets a byte so many behind a text. */
function setBehind(content: Buffer, text: string, distance: number, byte: number): void {
  content[content.indexOf(text, 84) + text.length + distance] = byte
}

test('replay: rules and changes that no writer writes are refused', async t => {
  const rows: [what: string, batch: number, change: (content: Buffer) => void, message: RegExp][] = [
    ['a third mode', 0, content => setBehind(content, '\x01p', 0, 2), /mode 2/],
    ['ten decimals', 0, content => setBehind(content, '\x01p', 1, 10), /10 decimals/],
    ['a fallback that is none', 0, content => setBehind(content, '\x01p', 2, 9), /does not exist/],
    ['a lastOne of a weighted pool', 0, content => setBehind(content, '\x01p', 3, 1), /lastOne/],
    ['metadata that is no JSON', 0, content => setBehind(content, '\x01p', 5, 0x78), /metadata/],
    ['metadata of an item that is none', 0, content => setBehind(content, '\x04item', 3, 0x78), /metadata/],
    ['no weight', 0, content => setBehind(content, '\x04item', 0, 0), /weights/],
    ['an urn with a weight', 1, content => setBehind(content, '\x04item', 0, 1), /weights/],
    ['an urn without a bound', 1, content => setBehind(content, '\x04item', 1, 0), /stock/],
    ['a change to ten decimals', 2, content => content.writeUInt8(10, 73), /change of item 0/],
    ['a restock beyond all stock', 2, content => content.writeUInt32LE(2 ** 20, 88), /change of item 0/],
    ['a weight beyond all sums', 2, content => content.writeUInt32LE(2 ** 20, 96), /change of item 0/],
  ]
  for (const [what, index, change, message] of rows) {
    const dir = await logWithRules(t)
    forge(segmentPath(dir, 1), batchesOf(dir, 1)[index]!, change)
    assert.match((await refused(dir)).message, message, what)
    const { fault } = await inspectLog(dir, { change: () => undefined })
    assert.match(fault?.message ?? '', message, what)
  }
})
