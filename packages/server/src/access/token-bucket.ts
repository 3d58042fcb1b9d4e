/** How many requests a key may make. */
export interface RequestLimit {
  /** In the long run. */
  readonly requestsPerSecond: number
  /** At once, after a rest. */
  readonly burst: number
}

/** Milliseconds from any point in time, never running back. */
export type MonotonicClock = () => number

/** Lets a burst of requests pass, and then as many a second as the limit says: one token each, filled in evenly. */
export class TokenBucket {
  readonly #limit: RequestLimit
  readonly #now: MonotonicClock
  #tokens: number
  #filledAt: number

  constructor(limit: RequestLimit, now: MonotonicClock) {
    this.#limit = limit
    this.#now = now
    this.#tokens = limit.burst
    this.#filledAt = now()
  }

  /** Takes a token for each request. Returns 0, or the seconds until there will be enough, and takes none. */
  take(requests: number): number {
    const { requestsPerSecond, burst } = this.#limit
    const now = this.#now()
    this.#tokens = Math.min(burst, this.#tokens + ((now - this.#filledAt) / 1000) * requestsPerSecond)
    this.#filledAt = now
    // More at once than the bucket holds would never pass: they empty it.
    const needed = Math.min(requests, burst)
    if (this.#tokens < needed) return (needed - this.#tokens) / requestsPerSecond
    this.#tokens -= needed
    return 0
  }
}
