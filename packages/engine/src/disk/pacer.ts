/** Called between two pieces of a long write; the next piece waits for it. It may throw, to give up. */
export type Pace = () => Promise<void>

/** A pause is never longer than this, however slow the device was. */
const longestPauseMs = 50

/**
 * Leaves the device to the log between the pieces of what is written beside it: a pause of `rest` times as long as the
 * last piece took. Where there is a hurry there is no pause.
 */
export class Pacer {
  readonly #rest: number
  readonly #hurried: () => boolean
  #resumed = 0
  #wake: (() => void) | null = null

  /**
   * @param rest how often the length of a piece
   * @param hurried whether to go on at once
   */
  constructor(rest: number, hurried: () => boolean) {
    this.#rest = rest
    this.#hurried = hurried
  }

  async pause(): Promise<void> {
    const took = this.#resumed === 0 ? 0 : performance.now() - this.#resumed
    if (!this.#hurried()) {
      await new Promise<void>(resolve => {
        const timer = setTimeout(resolve, Math.min(took * this.#rest, longestPauseMs))
        // A program does not stay alive for work that can wait for its next start.
        timer.unref()
        this.#wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
    this.#wake = null
    this.#resumed = performance.now()
  }

  /** Ends the pause under way. */
  wake(): void {
    this.#wake?.()
  }
}
