import assert from 'node:assert/strict'
import { cpSync, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { EngineEvent, Kuji } from '@kuji/engine'
import { inspectLog, open } from '@kuji/engine'
import { NodeDisk } from '../src/disk/node-disk.ts'
import { blockingCalls } from '../src/disk/system-calls.ts'
import { openIn } from '../src/open.ts'
import { deterministicRandom } from '../src/random/deterministic.ts'
import { recover } from '../src/recovery/recover.ts'
import { codeOf, refusalOf } from './support/codes.ts'
import { filesOf } from './support/directory.ts'
import type { Call } from './support/faulty-disk.ts'
import { FaultyDisk, systemError } from './support/faulty-disk.ts'
import { gate } from './support/gate.ts'
import { readLogOnPaper } from './support/log-reader.ts'
import { temporaryDirectory } from './support/temporary.ts'
import { testWorld } from './support/world.ts'

const segmentBytes = 4096
const endless = { id: 'p', items: [{ id: 'a', weight: 1, stock: 'unlimited' }] } as const
const segment = (number: number): string => `segment-${String(number).padStart(10, '0')}.log`

/** The seal that ends a segment: 80 bytes and the terminator, not the first thing in it. */
const isSeal = ({ operation, bytes }: Call): boolean => operation === 'write' && bytes!.length === 88

test('what is decided while the log moves on to its next file finds a place', async t => {
  const dir = temporaryDirectory(t)
  const sealing = gate()
  const preparing = gate()
  const disk = new FaultyDisk(async call => {
    if (call.name === segment(1) && isSeal(call)) await sealing.pass()
    if (call.operation === 'create' && call.name === `${segment(3)}.tmp`) await preparing.pass()
    return undefined
  })
  const kuji = await openIn({ dir, durability: 'os', segmentBytes }, testWorld(disk))
  await kuji.putPool(endless)
  await kuji.drawMany('p', 2000)
  const first = kuji.drawMany('p', 2000)
  await sealing.reached
  // It would fit the next file were that empty, but the draws before it go there too.
  const second = kuji.drawMany('p', 3000)
  await new Promise(setImmediate)
  sealing.open()
  await preparing.reached
  assert.equal((await first).id, 2001)
  preparing.open()
  assert.equal((await second).id, 4001)
  await kuji.close()
  const again = await open({ dir, durability: 'os', segmentBytes })
  assert.equal(again.status().drawNumber, 7000)
  await again.close()
})

test('the log does not go over to its next file without the seal that ends the one before', async t => {
  const dir = temporaryDirectory(t)
  let failed = false
  let written = 0
  const disk = new FaultyDisk(call => {
    if (failed && call.operation === 'write' && call.name === segment(2)) written++
    if (call.name !== segment(1) || !isSeal(call)) return undefined
    failed = true
    return { error: systemError('EIO') }
  })
  const kuji = await openIn({ dir, durability: 'os', segmentBytes }, testWorld(disk))
  await kuji.putPool(endless)
  await kuji.drawMany('p', 2000)
  assert.equal(await codeOf(kuji.drawMany('p', 2000)), 'OUTCOME_UNKNOWN')
  assert.equal(kuji.status().state, 'failed')
  assert.equal(written, 0)
  await kuji.close()
})

test('a file that could not be made larger is not replaced once the log has gone over to it', async t => {
  const dir = temporaryDirectory(t)
  const retried = gate()
  let room = false
  const disk = new FaultyDisk(async call => {
    if (call.operation !== 'create' || call.name !== `${segment(2)}.tmp` || !ready) return undefined
    if (!room) return { error: systemError('ENOSPC') }
    await retried.pass()
    return undefined
  })
  let ready = false
  const events: EngineEvent[] = []
  const onEvent = (event: EngineEvent): number => events.push(event)
  const world = testWorld(disk)
  const kuji = await openIn({ dir, durability: 'os', segmentBytes, onEvent }, world)
  await kuji.putPool(endless)
  await kuji.drawMany('p', 2000)
  ready = true
  assert.equal(await codeOf(kuji.drawMany('p', 100_000)), 'READ_ONLY')
  room = true
  // Another try, where there is one, begins now, and ends when the log has gone over.
  world.passTime()
  for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate)
  assert.equal((await kuji.drawMany('p', 3000)).id, 2001)
  retried.open()
  await new Promise(setImmediate)
  assert.equal((await kuji.drawMany('p', 100)).id, 5001)
  await kuji.close()
  const again = await open({ dir, durability: 'os', segmentBytes })
  assert.equal(again.status().drawNumber, 5100)
  await again.close()
})

async function drawALot(kuji: Kuji, calls: number): Promise<number[]> {
  const waiting: Promise<{ id: number; items: ArrayLike<unknown> }>[] = []
  for (let k = 0; k < calls; k++) {
    if (k % 3 === 0) waiting.push(kuji.drawMany('p', 1 + ((k * 37) % 900)))
    else waiting.push(kuji.draw('p', { count: 1 + (k % 5) }))
    if (k % 7 === 0) await new Promise(setImmediate)
  }
  const receipts = await Promise.all(waiting)
  return receipts.flatMap(({ id, items }) => Array.from(items, (_, k) => id + k))
}

test('draw numbers run on through hundreds of files, and nothing is lost between them', async t => {
  for (const durability of ['os', 'sync'] as const) {
    const dir = temporaryDirectory(t)
    const kuji = await open({ dir, durability, segmentBytes })
    await kuji.putPool({
      id: 'p',
      items: Array.from({ length: 5 }, (_, i) => ({
        id: `i${i}`,
        weight: i + 1,
        stock: 'unlimited' as const,
      })),
    })
    const numbers = await drawALot(kuji, durability === 'os' ? 1500 : 300)
    numbers.forEach((number, index) => {
      assert.equal(number, index + 1)
    })
    const state = await kuji.pool('p')
    await kuji.close()
    const again = await open({ dir, durability, segmentBytes })
    assert.deepEqual(await again.pool('p'), state)
    await again.close()
    const paper = readLogOnPaper(dir)
    assert.equal(paper.draws.length, numbers.length)
    assert.deepEqual(
      paper.pools.get('p')!.items.map(({ drawn }) => drawn),
      state.items.map(({ drawn }) => drawn),
    )
    paper.lsns.forEach((lsn, index) => {
      assert.equal(lsn, index + 1)
    })
  }
})

test('what no pool shows any more outlives the log that a snapshot has taken the place of', async t => {
  const dir = temporaryDirectory(t)
  const item = (id: string, stock: number | 'unlimited') => ({ id, weight: 1, stock })
  const kuji = await openIn({ dir, durability: 'os', segmentBytes }, testWorld())
  await kuji.putPool({ id: 'gone', items: [item('a', 5)] })
  await kuji.draw('gone', { count: 5 })
  await kuji.deletePool('gone')
  await kuji.putPool({ id: 'p', items: [item('left-out', 7)] })
  await kuji.draw('p', { count: 7 })
  await kuji.putPool({ id: 'p', items: [item('a', 'unlimited')] })
  await kuji.putPool({ id: 'gone-too', items: [item('a', 5)] })
  await kuji.deletePool('gone-too')
  while (existsSync(join(dir, segment(1)))) await kuji.drawMany('p', 900)
  await kuji.close()
  const { drawNumber } = kuji.status()
  const again = await openIn({ dir, durability: 'os', segmentBytes }, testWorld())
  assert.equal(again.status().drawNumber, drawNumber)
  await again.putPool({ id: 'p', items: [item('a', 'unlimited'), item('left-out', 7)] })
  const { items } = await again.pool('p')
  assert.deepEqual(
    items.map(({ id, drawn }) => [id, drawn]),
    [
      ['a', drawNumber - 12],
      ['left-out', 7],
    ],
  )
  await again.putPool({ id: 'new', items: [item('a', 5)] })
  await again.close()
  assert.equal((await inspectLog(dir)).fault, null, 'nor is the number of a pool used again that is gone')
})

test('what is left is known behind a snapshot too, to the last unit', async t => {
  const dir = temporaryDirectory(t)
  const kuji = await openIn({ dir, durability: 'os', segmentBytes }, testWorld())
  const tickets = [
    { id: 'A', stock: 20 },
    { id: 'last', stock: 2 },
  ]
  await kuji.putPool({ id: 'box', mode: 'urn', items: tickets, lastOne: 'last' })
  await kuji.putPool({ id: 'prizes', items: [{ id: 'a', weight: 1, stock: 20 }] })
  await kuji.putPool(endless)
  for (const pool of ['box', 'prizes']) await kuji.draw(pool, { count: 15 })
  while (existsSync(join(dir, segment(1)))) await kuji.drawMany('p', 900)
  await kuji.close()
  const again = await openIn({ dir, durability: 'os', segmentBytes }, testWorld())
  for (const pool of ['box', 'prizes']) {
    const refusal = await refusalOf('INSUFFICIENT_STOCK', again.draw(pool, { count: 6 }))
    assert.equal(refusal.fields.remaining, 5)
    await again.draw(pool, { count: 4 })
    const { items } = await again.draw(pool, { count: 6, partial: true })
    assert.deepEqual(items, pool === 'box' ? ['A', 'last'] : ['a'])
    assert.equal(await codeOf(again.draw(pool)), 'POOL_EMPTY')
  }
  await again.close()
})

test('items of all pools are counted through puts, deletions and snapshots: a limit rests on it', async t => {
  const dir = temporaryDirectory(t)
  const kuji = await openIn({ dir, durability: 'os', segmentBytes }, testWorld())
  const put = (id: string, items: number) =>
    kuji.putPool({
      id,
      items: Array.from({ length: items }, (_, i) => ({ ...endless.items[0], id: `i${i}` })),
    })
  for (const items of [20, 3, 30]) await put('p', items)
  await put('gone', 40)
  await put('q', 5)
  await kuji.deletePool('gone')
  const disk = new NodeDisk(blockingCalls)
  const clock = testWorld().clock
  const countedBy = async (directory: string) => {
    const onEvent = () => undefined
    const { state, snapshotLsn } = await recover({
      disk,
      directory,
      segmentBytes,
      onEvent,
      random: deterministicRandom(1),
      clock,
    })
    return [snapshotLsn > 0, state.items]
  }
  const copy = temporaryDirectory(t)
  cpSync(dir, copy, { recursive: true })
  assert.deepEqual(await countedBy(copy), [false, 35])
  while (existsSync(join(dir, segment(1)))) await kuji.drawMany('p', 900)
  await kuji.close()
  assert.deepEqual(await countedBy(dir), [true, 35])
})

test('a file used again begins with its header and a terminator, whatever is behind them', async t => {
  const dir = temporaryDirectory(t)
  const kuji = await openIn({ dir, durability: 'os', segmentBytes }, testWorld())
  await kuji.putPool(endless)
  for (let k = 0; k < 40; k++) await kuji.drawMany('p', 900)
  await kuji.close()
  const next = readFileSync(join(dir, filesOf(dir, /^segment-/).at(-1)!))
  assert.deepEqual(next.subarray(64, 72), Buffer.alloc(8))
  assert.ok(!next.subarray(72).equals(Buffer.alloc(segmentBytes - 72)), 'it has been used before')
})

test('close() waits for the next file that is being made: behind it the directory is another’s', async t => {
  const renaming = gate()
  const disk = new FaultyDisk(async ({ operation, name }) => {
    if (operation === 'rename' && name === segment(2)) await renaming.pass()
    return undefined
  })
  const kuji = await openIn({ dir: temporaryDirectory(t), durability: 'os', segmentBytes }, testWorld(disk))
  await kuji.putPool(endless)
  await renaming.reached
  let closed = false
  const closing = kuji.close().then(() => {
    closed = true
  })
  for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate)
  assert.equal(closed, false)
  renaming.open()
  await closing
})

test('a file that was made larger is not used again as one of the usual size', async t => {
  const dir = temporaryDirectory(t)
  const kuji = await openIn({ dir, durability: 'os', segmentBytes }, testWorld())
  await kuji.putPool(endless)
  for (let k = 0; k < 3; k++) await kuji.drawMany('p', 10_000)
  for (let k = 0; k < 60; k++) await kuji.drawMany('p', 900)
  const { drawNumber } = kuji.status()
  await kuji.close()
  assert.ok(!existsSync(join(dir, segment(5))))
  const again = await openIn({ dir, durability: 'os', segmentBytes }, testWorld())
  assert.equal(again.status().drawNumber, drawNumber)
  await again.close()
})
