import type { Clock } from '../clock/clock.ts'
import type { EngineEvent } from '../contract/index.ts'
import { KujiError } from '../contract/index.ts'
import type { Disk } from '../disk/disk.ts'
import { Pacer } from '../disk/pacer.ts'
import type { SegmentKeeper } from '../log/file-log.ts'
import { helperFailure, Maintenance } from './maintenance.ts'
import type { HelperStart } from './protocol.ts'

/** Pause between the pieces of what is written, in times of a piece, while the writer is not ahead. */
const rest = 60

/**
 * Takes care of finished segments on the thread that it is made on: several at once where the writer was faster.
 * Damage ends it for good; a fault of the system, a full disk say, is told, and the next finished segment is another
 * try.
 */
export class LocalKeeper implements SegmentKeeper {
  readonly #onEvent: (event: EngineEvent) => void
  readonly #maintenance: Maintenance
  readonly #pacer: Pacer
  /** The last segment that is finished, and the one that the work at hand goes up to. */
  #latest = 0
  #target = 0
  #working: Promise<void> | null = null
  #failed = false
  #closing = false

  constructor(start: HelperStart, disk: Disk, clock: Clock, onEvent: (event: EngineEvent) => void) {
    this.#onEvent = onEvent
    this.#pacer = new Pacer(clock, rest, () => this.#closing || this.#latest > this.#target + 1)
    this.#maintenance = new Maintenance({ ...start, disk, clock, onEvent, pace: () => this.#pacer.pause() })
  }

  sealed(number: number): void {
    this.#latest = number
    this.#working ??= this.#work()
  }

  /** Finishes what is under way; what else there is to do can wait for the next start. */
  async close(): Promise<void> {
    this.#closing = true
    this.#pacer.wake()
    await this.#working
  }

  async #work(): Promise<void> {
    while (this.#target < this.#latest && !this.#closing && !this.#failed) {
      this.#target = this.#latest
      try {
        await this.#maintenance.sealed(this.#target)
      } catch (error) {
        this.#failed = error instanceof KujiError
        this.#onEvent(helperFailure(error))
      }
    }
    this.#working = null
  }
}
