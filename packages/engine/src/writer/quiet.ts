import type { Clock, Timer } from '../clock/clock.ts'

/** A log that has been quiet for this long is sealed, so that damage to its last batch is told from a torn write. */
const sealAfterIdleMs = 100

/** Waits for the log to be quiet. */
export class Quiet {
  readonly #clock: Clock
  /** Called with the LSN that was the last one when the waiting began. */
  readonly #then: (lsn: number) => void
  #timer: Timer | null = null

  constructor(clock: Clock, then: (lsn: number) => void) {
    this.#clock = clock
    this.#then = then
  }

  /** Begins to wait, unless it does already: a timer for each batch would cost more than looking again. */
  await(lsn: number): void {
    this.#timer ??= this.#clock.after(sealAfterIdleMs, () => {
      this.#timer = null
      this.#then(lsn)
    })
  }

  cancel(): void {
    this.#timer?.cancel()
  }
}
