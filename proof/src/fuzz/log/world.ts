import type { Clock } from '../../../../packages/engine/src/clock/clock.ts'
import { systemClock } from '../../../../packages/engine/src/clock/system-clock.ts'
import { atOnce } from '../../../../packages/engine/src/disk/disk.ts'
import { Maintenance } from '../../../../packages/engine/src/helper/maintenance.ts'
import type { World } from '../../../../packages/engine/src/open.ts'
import { deterministicRandom } from '../../../../packages/engine/src/random/deterministic.ts'
import type { MemoryDisk } from './memory-disk.ts'

/** The time in the logs that inputs are made from. */
const firstTime = 1_790_000_000_000

/** A clock that goes on by a millisecond for each look. */
export function tickingClock(): Clock {
  let time = firstTime
  return { ...systemClock, now: () => time++, elapsed: () => time }
}

/** A world without chance, with the work of the helper thread done on this one. */
export function worldOn(disk: MemoryDisk, seed: number): World {
  const clock = tickingClock()
  return {
    disk,
    clock,
    random: deterministicRandom(seed),
    keeper: (start, onEvent) => {
      const maintenance = new Maintenance({ ...start, disk, clock, onEvent, pace: atOnce })
      let finished: Promise<void> = Promise.resolve()
      return {
        sealed(number) {
          finished = finished.then(() => maintenance.sealed(number))
        },
        close: () => finished,
      }
    },
  }
}
