import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { Kuji, OpenOptions } from '@kuji/engine'
import { inspectLog, limits } from '@kuji/engine'
import { openIn } from '../../src/open.ts'
import { codeOf } from '../support/codes.ts'
import { temporaryDirectory } from '../support/temporary.ts'
import { worldAt } from '../support/world.ts'

const pool = { id: 'p', items: [{ id: 'a', weight: 1, stock: 'unlimited' }] } as const
const minute = 60_000
const day = 24 * 60 * minute
const started = 1_790_000_000_000

interface Clock {
  now: number
}

async function openAt(clock: Clock, options: OpenOptions): Promise<Kuji> {
  return openIn({ segmentBytes: 4096, ...options }, worldAt({ now: () => clock.now }))
}

/** The draw number that a key has now, and whether it was drawn just now. */
async function draw(kuji: Kuji, key: string): Promise<string> {
  const { id, replayed } = await kuji.draw('p', { key })
  return replayed ? `${id} again` : `${id}`
}

/** What a closed log says of how long keys are kept, and how many, each time it says so. */
async function settings(dir: string): Promise<{ retentionMs: number; most: number }[]> {
  const told: { retentionMs: number; most: number }[] = []
  await inspectLog(dir, {
    change(change) {
      if (change.type === 'keys') told.push({ retentionMs: change.retentionMs, most: change.most })
    },
  })
  return told
}

test('a key is kept for its time, to the millisecond, and then draws anew', async (t: TestContext) => {
  const clock = { now: started }
  const dir = temporaryDirectory(t)
  const options = { dir, durability: 'os', keys: { retentionMs: minute } } as const
  let kuji = await openAt(clock, options)
  await kuji.putPool(pool)
  assert.equal(await draw(kuji, 'k'), '1')
  clock.now += minute - 1
  assert.equal(await draw(kuji, 'k'), '1 again')
  clock.now += 1
  assert.equal(await draw(kuji, 'k'), '2')
  assert.equal(await draw(kuji, 'k'), '2 again')
  await kuji.close()
  clock.now += minute - 1
  kuji = await openAt(clock, options)
  assert.equal(await draw(kuji, 'k'), '2 again', 'time goes on while nothing runs')
  clock.now += 1
  assert.equal(await draw(kuji, 'k'), '3')
  await kuji.close()
  kuji = await openAt(clock, options)
  assert.equal(await draw(kuji, 'k'), '3 again')
  await kuji.close()
})

test('a clock that jumps back changes nothing: the time of the log never runs back', async (t: TestContext) => {
  const clock = { now: started }
  const dir = temporaryDirectory(t)
  const options = { dir, durability: 'os', keys: { retentionMs: minute } } as const
  let kuji = await openAt(clock, options)
  await kuji.putPool(pool)
  await draw(kuji, 'k')
  clock.now = started + minute - 1
  await draw(kuji, 'l')
  clock.now = 0
  assert.equal(await draw(kuji, 'k'), '1 again')
  assert.equal(await draw(kuji, 'm'), '3')
  assert.equal((await kuji.receipt(3)).at, started + minute - 1)
  await kuji.close()
  kuji = await openAt(clock, options)
  assert.equal(await draw(kuji, 'k'), '1 again')
  clock.now = started + minute
  assert.equal(await draw(kuji, 'k'), '4')
  await kuji.close()
})

test('a clock beyond what a log can hold stops there, and receipts stay true', async (t: TestContext) => {
  const clock = { now: started }
  const options = { dir: temporaryDirectory(t), durability: 'os' } as const
  let kuji = await openAt(clock, options)
  await kuji.putPool(pool)
  await draw(kuji, 'before')
  clock.now = 8.64e15
  assert.deepEqual([await draw(kuji, 'k'), await draw(kuji, 'k')], ['2', '2 again'])
  assert.equal((await kuji.receipt(2)).at, limits.time)
  await kuji.close()
  clock.now = started
  kuji = await openAt(clock, options)
  assert.deepEqual([await draw(kuji, 'k'), await draw(kuji, 'l')], ['2 again', '3'])
  await kuji.close()
})

test('of more keys than are kept the oldest go, one for each that comes', async () => {
  const kuji = await openAt({ now: started }, { durability: 'none', keys: { most: 3 } })
  await kuji.putPool(pool)
  for (const key of ['a', 'b', 'c']) await draw(kuji, key)
  assert.equal(await draw(kuji, 'a'), '1 again', 'asking again does not make it younger')
  assert.equal(await draw(kuji, 'd'), '4')
  assert.equal(kuji.status().keys, 3)
  assert.equal(await codeOf(kuji.receipt(1)), 'DRAW_NOT_FOUND')
  assert.deepEqual(
    [await draw(kuji, 'b'), await draw(kuji, 'c'), await draw(kuji, 'd')],
    ['2 again', '3 again', '4 again'],
  )
  assert.deepEqual([await draw(kuji, 'a'), await draw(kuji, 'b')], ['5', '6'])
  await kuji.close()
})

test('what has expired goes sixteen at a time, and counts as gone before', async () => {
  const clock = { now: started }
  const kuji = await openAt(clock, { durability: 'none', keys: { retentionMs: minute } })
  await kuji.putPool(pool)
  for (let k = 0; k < 100; k++) await draw(kuji, `k${k}`)
  clock.now += minute
  assert.equal(await draw(kuji, 'k99'), '101')
  assert.equal(kuji.status().keys, 100 - 16 + 1)
  const { id } = await kuji.draw('p', { key: 'many', count: limits.drawCount })
  assert.equal(kuji.status().keys, 100 - 32 + 2, 'a request for many waits for no more')
  for (let k = 0; k < 99; k++) assert.equal(await draw(kuji, `k${k}`), `${id + limits.drawCount + k}`)
  assert.equal(kuji.status().keys, 101)
  await kuji.close()
})

test('other settings take hold with the next request that has a key, larger and smaller', async (t: TestContext) => {
  const clock = { now: started }
  const dir = temporaryDirectory(t)
  const keys = (retentionMs: number, most: number): Promise<Kuji> =>
    openAt(clock, { dir, durability: 'os', keys: { retentionMs, most } })
  let kuji = await keys(minute, 1000)
  await kuji.putPool(pool)
  for (let k = 1; k <= 50; k++) await draw(kuji, `k${k}`)
  await kuji.close()
  kuji = await keys(minute, 5)
  assert.equal(await draw(kuji, 'k1'), '1 again', 'opening forgets nothing')
  for (let k = 51; k <= 54; k++) await draw(kuji, `k${k}`)
  assert.equal(kuji.status().keys, 5)
  assert.deepEqual([await draw(kuji, 'k49'), await draw(kuji, 'k51')], ['55', '51 again'])
  await kuji.close()
  clock.now += minute - 1
  kuji = await keys(10 * minute, 1000)
  assert.equal(await draw(kuji, 'other'), '56')
  clock.now += 8 * minute
  assert.equal(await draw(kuji, 'k52'), '52 again', 'kept for longer once the log says so')
  await kuji.close()
  kuji = await keys(10 * minute, 1000)
  assert.equal(await draw(kuji, 'k53'), '53 again')
  await kuji.close()
})

test('a longer time for keys holds from the first request on, and a shorter one too', async t => {
  const clock = { now: started }
  const dir = temporaryDirectory(t)
  const openWith = (retentionMs: number): Promise<Kuji> =>
    openAt(clock, { dir, durability: 'os', keys: { retentionMs } })
  let kuji = await openWith(minute)
  await kuji.putPool(pool)
  await draw(kuji, 'k')
  await kuji.close()
  clock.now += 2 * minute
  kuji = await openWith(60 * minute)
  assert.equal(await draw(kuji, 'k'), '1 again')
  await kuji.close()
  // Also where nothing else was written meanwhile: the log has the longer time now.
  kuji = await openAt(clock, { dir, durability: 'os' })
  assert.equal(await draw(kuji, 'k'), '1 again')
  await kuji.close()
  kuji = await openWith(minute)
  assert.equal(await draw(kuji, 'k'), '2')
  await kuji.close()
  assert.deepEqual(
    (await settings(dir)).map(({ retentionMs }) => retentionMs),
    [minute, 60 * minute, minute],
  )
})

test('whoever opens without a setting of keys leaves it as the log has it', async (t: TestContext) => {
  const clock = { now: started }
  const dir = temporaryDirectory(t)
  const keys = { retentionMs: 7 * day, most: 2_000_000 }
  const openWith = (more: OpenOptions): Promise<Kuji> => openAt(clock, { dir, durability: 'os', ...more })
  let kuji = await openWith({ keys })
  await kuji.putPool(pool)
  assert.equal(await draw(kuji, 'k1'), '1')
  await kuji.close()
  for (const [given, next] of [
    [{}, 2],
    [{ keys: {} }, 3],
    [{ keys: { most: keys.most } }, 4],
    [{ keys: { retentionMs: keys.retentionMs } }, 5],
  ] as const) {
    kuji = await openWith(given)
    assert.equal(await draw(kuji, `by the way ${next}`), `${next}`)
    clock.now += day
    assert.equal(await draw(kuji, 'k1'), '1 again', JSON.stringify(given))
    await kuji.close()
  }
  assert.deepEqual(await settings(dir), [keys], 'the log has said it once')
})

test('one of the two settings alone changes that one', async (t: TestContext) => {
  const dir = temporaryDirectory(t)
  const keys = [{ most: 50 }, { retentionMs: 2 * day }, { most: 60 }, {}]
  for (const [k, asked] of keys.entries()) {
    const kuji = await openAt({ now: started }, { dir, durability: 'os', keys: asked })
    if (k === 0) await kuji.putPool(pool)
    await draw(kuji, `k${k}`)
    await kuji.close()
  }
  assert.deepEqual(await settings(dir), [
    { retentionMs: day, most: 50 },
    { retentionMs: 2 * day, most: 50 },
    { retentionMs: 2 * day, most: 60 },
  ])
})
