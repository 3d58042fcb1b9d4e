/** Percentiles in microseconds. */
export interface Latency {
  readonly p50: number
  readonly p99: number
  readonly p999: number
}

/** Collects times of single calls, in milliseconds, in memory that is not the measured heap's. */
export class Stopwatch {
  readonly #times: Float64Array
  #length = 0

  constructor(capacity: number) {
    this.#times = new Float64Array(capacity)
  }

  add(milliseconds: number): void {
    if (this.#length < this.#times.length) this.#times[this.#length++] = milliseconds
  }

  latency(): Latency {
    return latencyOf(this.#times.subarray(0, this.#length))
  }
}

/** Percentiles of times in milliseconds, which are sorted in place. */
export function latencyOf(times: Float64Array): Latency {
  times.sort()
  const at = (share: number): number => {
    const index = Math.min(times.length - 1, Math.floor(times.length * share))
    return times.length === 0 ? Number.NaN : times[index]! * 1000
  }
  return { p50: at(0.5), p99: at(0.99), p999: at(0.999) }
}
