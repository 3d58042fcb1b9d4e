import type { Clock } from './clock.ts'

/** The time of the machine and the turns of Node's event loop. */
export const systemClock: Clock = {
  now: Date.now,
  elapsed: () => performance.now(),
  soon: process.nextTick,
  later: setImmediate,
  after(milliseconds, run) {
    const timer = setTimeout(run, milliseconds).unref()
    return { cancel: () => clearTimeout(timer) }
  },
}
