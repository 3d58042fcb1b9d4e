import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Clock } from '../src/clock/clock.ts'
import type { World } from '../src/open.ts'
import { openIn } from '../src/open.ts'
import type { FaultyDisk } from './support/faulty-disk.ts'
import { heldDisk } from './support/held-disk.ts'
import { readLogOnPaper } from './support/log-reader.ts'
import { temporaryDirectory } from './support/temporary.ts'
import { testWorld } from './support/world.ts'

const segmentBytes = 4096

/** A world whose timers go off when the test says so. */
function worldWithTimers(disk: FaultyDisk): { world: World; fire: () => void; timers: Set<() => void> } {
  const world = testWorld(disk)
  const timers = new Set<() => void>()
  const after: Clock['after'] = (_milliseconds, run) => {
    timers.add(run)
    return { cancel: () => void timers.delete(run) }
  }
  const fire = (): void => {
    const due = [...timers]
    timers.clear()
    for (const run of due) run()
  }
  return { world: { ...world, clock: { ...world.clock, after } }, fire, timers }
}

test('an idle log is sealed once, be it behind a single draw, and left alone then', async t => {
  const { disk } = heldDisk()
  const { world, fire, timers } = worldWithTimers(disk)
  const kuji = await openIn({ dir: temporaryDirectory(t), durability: 'os', segmentBytes }, world)
  await kuji.putPool({ id: 'p', items: [{ id: 'a', weight: 1, stock: 5 }] })
  for (let draw = 1; draw <= 3; draw++) {
    await kuji.draw('p')
    const { lsn } = kuji.status()
    // The first time goes by from the batch that the waiting began with, which may not be the last.
    for (let times = 0; times < 2 && kuji.status().lsn === lsn; times++) {
      fire()
      for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate)
    }
    assert.deepEqual([kuji.status().lsn, timers.size], [lsn + 1, 0])
  }
  await kuji.close()
})

test('close() waits for the seal of an idle log that is being written', async t => {
  const { disk, hold } = heldDisk()
  const { world, fire } = worldWithTimers(disk)
  const dir = temporaryDirectory(t)
  const kuji = await openIn({ dir, durability: 'os', segmentBytes }, world)
  await kuji.putPool({ id: 'p', items: [{ id: 'a', weight: 1, stock: 5 }] })
  const held = hold()
  fire()
  await held.reached
  const closed = kuji.close()
  for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate)
  held.open()
  await closed
  assert.deepEqual((await readLogOnPaper(dir)).lsns, [1, 2, 3])
})

test('however little room is left in a file, the seals leave that for the one that ends it', async t => {
  // A change of a status is a batch of the size of a seal, and may take the room of one.
  for (const [count, paused] of [
    [1, false],
    [9, false],
    [1, true],
    [9, true],
  ] as const)
    for (let draws = 38; draws <= 46; draws++) {
      const { world, fire } = worldWithTimers(heldDisk().disk)
      const options = { dir: temporaryDirectory(t), durability: 'os', segmentBytes } as const
      const kuji = await openIn(options, world)
      await kuji.putPool({ id: 'p', items: [{ id: 'a', weight: 1, stock: 'unlimited' }] })
      for (let k = 0; k < draws; k++) await kuji.draw('p', { count })
      if (paused) await kuji.pausePool('p')
      for (let times = 0; times < 2; times++) {
        fire()
        for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate)
      }
      await kuji.close()
      const again = await openIn(options, testWorld())
      await again.resumePool('p')
      assert.equal((await again.draw('p', { count })).id, draws * count + 1)
      await again.close()
    }
})
