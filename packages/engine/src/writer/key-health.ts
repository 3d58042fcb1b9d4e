import type { Clock } from '../clock/clock.ts'
import type { EngineEvent } from '../contract/index.ts'
import { limits } from '../contract/index.ts'
import type { KeyTable } from '../keys/key-table.ts'

/** Told once, and again for as long as it goes on: a line for each key would hide everything else. */
const tellAgainMs = 600_000

/** Why keys have to go, by what is full. */
const reasons = {
  number: (most: number) => `no more than ${most} are kept; raise keys.most (of a server: idempotency.keys)`,
  outcomes: () => `the outcomes of their draws take more than ${limits.keyOutcomeBytes} bytes`,
  items: () => `the versions of pools that they are from have more than ${limits.totalItems} items`,
} as const

/**
 * How the keys are doing that are kept. Those that have to go before their time would draw again if they were asked
 * for again, so that is counted and told of. All of it is derived: it is neither logged nor hashed.
 */
export class KeyHealth {
  readonly #keys: KeyTable
  readonly #clock: Clock
  readonly #onEvent: (event: EngineEvent) => void
  /** What replaying the log has forgotten: that was told when it was written. */
  readonly #before: number
  /** How many had been forgotten when it was told last, and when to tell again at the earliest. */
  #told: number
  #tellFrom = Number.NEGATIVE_INFINITY

  constructor(keys: KeyTable, clock: Clock, onEvent: (event: EngineEvent) => void) {
    this.#keys = keys
    this.#clock = clock
    this.#onEvent = onEvent
    this.#before = keys.forgottenEarly
    this.#told = this.#before
  }

  get size(): number {
    return this.#keys.size
  }

  get bytes(): number {
    return this.#keys.bytes
  }

  /** Keys that went before their time since the log was opened. */
  get forgottenEarly(): number {
    return this.#keys.forgottenEarly - this.#before
  }

  /** Age of the oldest one, undefined where there is none. */
  get oldestMs(): number | undefined {
    const time = this.#keys.oldestTime
    return time < 0 ? undefined : Math.max(0, this.#clock.now() - time)
  }

  /** Looks whether there is something to tell: after each batch. */
  look(): void {
    const { forgottenEarly, full, policy } = this.#keys
    if (forgottenEarly === this.#told || full === '' || policy === null) return
    const elapsed = this.#clock.elapsed()
    if (elapsed < this.#tellFrom) return
    const forgotten = forgottenEarly - this.#told
    this.#told = forgottenEarly
    this.#tellFrom = elapsed + tellAgainMs
    const oldestMs = this.oldestMs ?? 0
    const lasting = `go after ${seconds(oldestMs)} instead of ${seconds(policy.retentionMs)}`
    const message = `idempotency keys ${lasting}, and a retry then draws again: ${reasons[full](policy.most)}`
    this.#onEvent({ type: 'keys-full', level: 'warn', message, full, forgotten, oldestMs })
  }
}

function seconds(ms: number): string {
  return `${Math.round(ms / 1000)} s`
}
