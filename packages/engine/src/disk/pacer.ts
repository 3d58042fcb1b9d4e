import type { Clock } from '../clock/clock.ts'

/** Called between two pieces of a long write; the next piece waits for it. It may throw, to give up. */
export type Pace = () => Promise<void>

/** A pause is never longer than this, however slow the device was. */
const longestPauseMs = 50

/**
 * Leaves the device to the log between the pieces of what is written beside it: a pause of `rest` times as long as the
 * last piece took. Where there is a hurry there is no pause.
 */
export class Pacer {
  readonly #clock: Clock
  readonly #rest: number
  readonly #hurried: () => boolean
  #resumed = 0
  #wake: (() => void) | null = null

  /**
   * @param clock what the length of a piece is measured with
   * @param rest how often the length of a piece
   * @param hurried whether to go on at once
   */
  constructor(clock: Clock, rest: number, hurried: () => boolean) {
    this.#clock = clock
    this.#rest = rest
    this.#hurried = hurried
  }

  async pause(): Promise<void> {
    const took = this.#resumed === 0 ? 0 : this.#clock.elapsed() - this.#resumed
    const rest = Math.min(took * this.#rest, longestPauseMs)
    if (!this.#hurried() && rest > 0) {
      await new Promise<void>(resolve => {
        const timer = this.#clock.after(rest, resolve)
        this.#wake = () => {
          timer.cancel()
          resolve()
        }
      })
    }
    this.#wake = null
    this.#resumed = this.#clock.elapsed()
  }

  /** Ends the pause under way. */
  wake(): void {
    this.#wake?.()
  }
}
