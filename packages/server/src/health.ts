import type { EngineStatus } from '@kuji/engine'

/** What a server may be doing. It takes draws while it is `open`. */
export const states = ['recovering', 'open', 'read-only', 'failed', 'draining', 'closed'] as const

/** How a server is doing: as the engine says, but for the beginning and the end. */
export interface Health extends Omit<EngineStatus, 'state'> {
  /**
   * `recovering`: the log is being read, and no number is known yet; `draining`: a signal has come, and what is in
   * flight is being finished.
   */
  readonly state: (typeof states)[number]
}
