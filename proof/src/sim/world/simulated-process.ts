import type { Clock } from '../../../../packages/engine/src/clock/clock.ts'
import type { VirtualTime } from './virtual-time.ts'

/** When the runs begin, in milliseconds since 1970. */
const epoch = 1_790_000_000_000

/** The wall clock of the machine, which somebody may set. */
export interface WallClock {
  /** Milliseconds that it is ahead. */
  ahead: number
  /** The latest time that it was ever read at. */
  highest: number
}

/** A process on the simulated machine. When it dies, nothing of it happens any more. */
export class SimulatedProcess {
  readonly id: number
  alive = true
  readonly clock: Clock

  constructor(id: number, time: VirtualTime, wall: WallClock) {
    this.id = id
    const whileAlive = (run: () => void) => (): void => {
      if (this.alive) run()
    }
    this.clock = {
      now: () => {
        const now = Math.floor(epoch + time.now + wall.ahead)
        wall.highest = Math.max(wall.highest, now)
        return now
      },
      elapsed: () => time.now,
      soon: run => time.soon(whileAlive(run)),
      later: run => void time.after(0, whileAlive(run)),
      after: (milliseconds, run) => ({ cancel: time.after(milliseconds, whileAlive(run)) }),
    }
  }
}
