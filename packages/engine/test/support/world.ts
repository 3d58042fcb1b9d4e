import type { Clock, Timer } from '../../src/clock/clock.ts'
import { systemClock } from '../../src/clock/system-clock.ts'
import type { Disk } from '../../src/disk/disk.ts'
import { atOnce } from '../../src/disk/disk.ts'
import { NodeDisk } from '../../src/disk/node-disk.ts'
import { blockingCalls } from '../../src/disk/system-calls.ts'
import { helperFailure, Maintenance } from '../../src/helper/maintenance.ts'
import type { SegmentKeeper } from '../../src/log/file-log.ts'
import type { World } from '../../src/open.ts'
import { deterministicRandom } from '../../src/random/deterministic.ts'

/** A world in which nothing happens by itself: the seal of an idle log and the next try for room wait to be let on. */
export interface TestWorld extends World {
  /** What has waited for time to pass runs now. */
  readonly passTime: () => void
}

/** Rests between the pieces of a long write are shorter; they change nothing but when something happens. */
const longestRestMs = 50

/**
 * A world without chance: random words from a seed, a clock that ticks a millisecond a look, timers that run when the
 * test says so, and the work of the helper thread done on this thread, over the same disk.
 */
export function testWorld(disk: Disk = new NodeDisk(blockingCalls), seed = 1): TestWorld {
  let time = 1_790_000_000_000
  const waiting = new Set<() => void>()
  const after = (milliseconds: number, run: () => void): Timer => {
    if (milliseconds <= longestRestMs) return systemClock.after(milliseconds, run)
    const due = (): void => run()
    waiting.add(due)
    return { cancel: () => void waiting.delete(due) }
  }
  const clock = { ...systemClock, now: () => time++, elapsed: () => time, after }
  return {
    disk,
    random: deterministicRandom(seed),
    clock,
    keeper: keeperOver(disk, clock),
    passTime() {
      const due = [...waiting]
      waiting.clear()
      for (const run of due) run()
    },
  }
}

/** The same with a time of day, and a time that passes, of the test's own. */
export function worldAt(time: { readonly now?: () => number; readonly elapsed?: () => number }): World {
  const world = testWorld()
  return { ...world, clock: { ...world.clock, ...time } }
}

/** What the helper thread does, on this thread: every segment in its turn, the last ones before the end. */
function keeperOver(disk: Disk, clock: Clock): World['keeper'] {
  return (start, onEvent): SegmentKeeper => {
    const maintenance = new Maintenance({ ...start, disk, clock, onEvent, pace: atOnce })
    let finished: Promise<void> = Promise.resolve()
    let failed = false
    const sealed = async (number: number): Promise<void> => {
      if (failed) return
      try {
        await maintenance.sealed(number)
      } catch (error) {
        failed = true
        onEvent(helperFailure(error))
      }
    }
    return {
      sealed(number) {
        finished = finished.then(() => sealed(number))
      },
      close: () => finished,
    }
  }
}
