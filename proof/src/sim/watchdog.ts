import { Violation } from './model/violation.ts'
import type { VirtualTime } from './world/virtual-time.ts'

/** Between two looks whether anything goes on: longer than any pause of the engine. */
const watchMs = 600_000

/** What is due, where nothing is under way that it waits for: by whom, and what it would be the first of. */
export interface Due {
  readonly by: object | null
  readonly first: object | null
}

/**
 * Looks now and then whether anything goes on. What is due at two looks, the same both times, while nothing is under
 * way that it could wait for, never comes.
 */
export function watch(time: VirtualTime, look: () => Due | null, fail: (error: Error) => void): void {
  let before: Due | null = null
  const lookAgain = (): void => {
    const due = look()
    if (due !== null && due.by === before?.by && due.first === before.first)
      fail(
        new Violation(
          'liveness: something due',
          `nothing has gone on for ${watchMs} ms, and something is due`,
        ),
      )
    before = due
    time.after(watchMs, lookAgain)
  }
  time.after(watchMs, lookAgain)
}
