/** Time, and turns on the thread: the seam where a simulator puts a time of its own. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number
  /** Milliseconds from any point in time, never running back. */
  elapsed(): number
  /** Runs it after the present callback and all its promises. */
  soon(run: () => void): void
  /** Runs it after whatever else is ready to run has had its turn. */
  later(run: () => void): void
  /** Runs it after so many milliseconds, unless it is cancelled before. A program does not stay alive for it. */
  after(milliseconds: number, run: () => void): Timer
}

export interface Timer {
  cancel(): void
}

/** Lets whatever else is ready to run have its turn. */
export function giveWay(clock: Clock): Promise<void> {
  return new Promise(resolve => clock.later(resolve))
}
