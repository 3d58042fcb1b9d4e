import assert from 'node:assert/strict'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { openIn } from '../src/open.ts'
import { copyOf, filesOf } from './support/directory.ts'
import { FaultyDisk } from './support/faulty-disk.ts'
import { alter, batchesOf, segmentPath } from './support/sample-log.ts'
import { lastBatch, sample, segmentBytes, start, typesOf } from './support/starts.ts'
import { testWorld } from './support/world.ts'

/** Case H of docs/recovery.md: the log ends with a batch, or with part of one. */

/** The last batch in 512-byte sectors, each of which a power cut may have kept or lost. */
test('H: a torn last batch is cut, whichever of its sectors landed, and a copy is kept', async t => {
  const options = { segmentBytes: 8192, counts: [500, 400, 2300] }
  const { directory, states, lastLsn } = await sample(t, options)
  const { path, batch } = lastBatch(directory)
  const end = batch.offset + batch.length
  const firstSector = Math.floor(batch.offset / 512)
  const sectors = Math.ceil(end / 512) - firstSector
  assert.ok(sectors >= 5 && batch.kinds[0] === 'draws')
  for (let kept = 0; kept < 2 ** sectors; kept++) {
    const dir = copyOf(directory, `${directory}-${kept}`)
    const damaged = path.replace(directory, dir)
    alter(damaged, bytes => {
      for (let sector = 0; sector < sectors; sector++) {
        const from = Math.max(batch.offset, (firstSector + sector) * 512)
        if ((kept & (1 << sector)) === 0) bytes.fill(0, from, Math.min(end, (firstSector + sector + 1) * 512))
      }
      return undefined
    })
    const torn = readFileSync(damaged).subarray(batch.offset, end)
    const result = await start(dir)
    const whole = kept === 2 ** sectors - 1
    assert.equal(result.state, states.get(whole ? lastLsn : lastLsn - 1), `sectors ${kept.toString(2)}`)
    const cuts = result.events.filter(({ type }) => type === 'torn-batch-cut')
    const broken = filesOf(dir, /\.broken$/)
    // Where its first bytes never landed, the log ends with zeros, as it does between two writes.
    if (whole || (kept & 1) === 0) {
      assert.deepEqual([cuts, broken], [[], []])
    } else {
      assert.equal(cuts.length, 1)
      const [cut] = cuts
      assert.deepEqual([cut!.level, cut!.file, cut!.offset], ['warn', path.slice(-22), batch.offset])
      assert.deepEqual(broken, [`${path.slice(-22)}.${batch.offset}.broken`])
      const copy = readFileSync(join(dir, broken[0]!))
      assert.ok(
        copy.equals(torn.subarray(0, copy.length)) && torn.subarray(copy.length).every(byte => byte === 0),
      )
      assert.equal(cut!.bytes, copy.length)
    }
    const second = await start(dir)
    assert.equal(second.drawNumber, result.drawNumber + 1)
    assert.deepEqual(typesOf(second), ['recovered'], 'the next start has nothing to tell')
    rmSync(dir, { recursive: true })
  }
})

test('H: a last batch cut at any byte, or with its end replaced by noise, is cut', async t => {
  const { directory, states, lastLsn } = await sample(t)
  const { path, batch } = lastBatch(directory)
  for (let length = 1; length < batch.length; length += 23) {
    for (const noise of [0, 0xa5]) {
      const dir = copyOf(directory, `${directory}-${length}-${noise}`)
      alter(path.replace(directory, dir), bytes =>
        bytes.fill(noise, batch.offset + length, batch.offset + batch.length),
      )
      const result = await start(dir)
      // A batch that ends in zeros has lost nothing where only those were cut.
      assert.ok([states.get(lastLsn - 1), states.get(lastLsn)].includes(result.state))
      if (length < 100) assert.equal(result.state, states.get(lastLsn - 1))
      rmSync(dir, { recursive: true })
    }
  }
})

test('H: bytes that a recycled file held before are never taken for batches', async t => {
  const { directory, states, lastLsn } = await sample(t, { counts: new Array(18).fill(400) })
  const { path, batch, number } = lastBatch(directory)
  const older = readFileSync(segmentPath(directory, number - 1))
  const end = batch.offset + batch.length
  const stale = batchesOf(directory, number - 1)[1]!
  assert.ok(end + 8 + stale.length < segmentBytes)
  for (const from of [end, end + 8]) {
    const dir = copyOf(directory, `${directory}-${from}`)
    // A whole batch of the segment before, just as it was written there.
    alter(path.replace(directory, dir), bytes => {
      older.copy(bytes, from, stale.offset, stale.offset + segmentBytes - from)
      return undefined
    })
    const result = await start(dir)
    assert.equal(result.state, states.get(lastLsn))
    assert.equal(
      typesOf(result).includes('torn-batch-cut'),
      from === end,
      'behind the terminator nobody looks',
    )
  }
})

test('H: a crash during recovery, at every step and again and again, leads to the same state', async t => {
  const torn = await sample(t, { snapshots: true })
  const { path, batch } = lastBatch(torn.directory)
  alter(path, bytes => bytes.fill(0, batch.offset + 200, batch.offset + batch.length))
  writeFileSync(join(torn.directory, 'segment-0000000099.log.tmp'), 'half')
  const expected = torn.states.get(torn.lastLsn - 1)
  const again = copyOf(torn.directory, `${torn.directory}-again`)
  for (let last = 1; ; last++) {
    // Once from the untouched directory, and once more where the crash before has left it.
    const fresh = copyOf(torn.directory, `${torn.directory}-fresh`)
    let ended = false
    for (const dir of [fresh, again]) ended = await dieAfter(dir, last)
    const copy = copyOf(again, `${again}-copy`)
    for (const dir of [fresh, copy]) {
      assert.equal((await start(dir)).state, expected, `killed at operation ${last}`)
      assert.deepEqual(filesOf(dir, /tmp$/), [])
      rmSync(dir, { recursive: true })
    }
    if (ended) break
    assert.ok(last < 500)
  }
})

/** Opens on a disk that dies before its operation number `last` + 1. True when the start was done by then. */
async function dieAfter(dir: string, last: number): Promise<boolean> {
  let operations = 0
  let died: () => void = () => undefined
  const death = new Promise<false>(resolve => {
    died = () => resolve(false)
  })
  const disk = new FaultyDisk(({ operation, bytes }) => {
    if (++operations <= last) return undefined
    died()
    // A write is cut in the middle.
    if (operation === 'write' && operations === last + 1)
      return { most: bytes!.length >> 1, error: new Error('dead') }
    return new Promise<undefined>(() => undefined)
  })
  const opened = openIn({ dir, durability: 'os', segmentBytes, onEvent: () => undefined }, testWorld(disk))
  const done = await Promise.race([
    opened.then(
      () => true,
      () => false,
    ),
    death,
  ])
  await new Promise(setImmediate)
  await disk.abandon()
  return done
}

test('H: a torn batch behind the seal of an orderly shutdown is cut, with a copy', async t => {
  const { directory, states, lastLsn } = await sample(t, { end: 'shutdown' })
  const { path, batch: part } = lastBatch(directory)
  assert.deepEqual(part.kinds, ['seal'])
  const end = part.offset + part.length
  alter(path, bytes => {
    bytes.copy(bytes, end, part.offset, part.offset + part.length - 8)
    // What a file that is used again held before is no part of it.
    bytes.fill(0xa5, end + part.length + 8, bytes.length)
    return undefined
  })
  const torn = readFileSync(path).subarray(end, end + part.length)
  const result = await start(directory)
  assert.equal(result.state, states.get(lastLsn))
  assert.deepEqual(typesOf(result).slice(0, 2), ['torn-batch-cut', 'recovered'])
  const [broken] = filesOf(directory, /\.broken$/)
  const copy = readFileSync(join(directory, broken!))
  assert.ok(copy.length > 64 && copy.equals(torn.subarray(0, copy.length)))
  assert.ok(torn.subarray(copy.length).every(byte => byte === 0))
  assert.ok(!typesOf(await start(directory)).includes('torn-batch-cut'))
})
