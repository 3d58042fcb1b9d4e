/** A span of time in which something took place at one moment that is not known. Both ends belong to it. */
export interface Interval {
  readonly from: number
  readonly to: number
}

/** How many of the sorted numbers are below the limit (or, with `orEqual`, not above it). */
export function countBelow(sorted: ArrayLike<number>, limit: number, orEqual = false): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const value = sorted[middle]!
    if (value < limit || (orEqual && value === limit)) low = middle + 1
    else high = middle
  }
  return low
}

/** Units by time: how many there were before, or up to, a moment. */
export class UnitsByTime {
  readonly #times: Float64Array
  readonly #sums: Float64Array

  constructor(entries: readonly (readonly [time: number, units: number])[]) {
    const sorted = entries.toSorted(([a], [b]) => compare(a, b))
    this.#times = Float64Array.from(sorted, ([time]) => time)
    this.#sums = new Float64Array(sorted.length + 1)
    for (const [index, [, units]] of sorted.entries()) this.#sums[index + 1] = this.#sums[index]! + units
  }

  before(time: number): number {
    return this.#sums[countBelow(this.#times, time)]!
  }

  upTo(time: number): number {
    return this.#sums[countBelow(this.#times, time, true)]!
  }
}

/** Finds the intervals that have a moment in common with another one, without looking at those long gone. */
export class IntervalIndex<T extends Interval> {
  readonly #sorted: readonly T[]
  readonly #froms: Float64Array
  /** Of this one and all before it, the latest end. */
  readonly #latest: Float64Array

  constructor(intervals: readonly T[]) {
    this.#sorted = intervals.toSorted((a, b) => compare(a.from, b.from))
    this.#froms = Float64Array.from(this.#sorted, ({ from }) => from)
    this.#latest = Float64Array.from(this.#sorted, ({ to }) => to)
    for (let i = 1; i < this.#latest.length; i++)
      this.#latest[i] = Math.max(this.#latest[i]!, this.#latest[i - 1]!)
  }

  overlapping({ from, to }: Interval): T[] {
    const found: T[] = []
    for (let i = countBelow(this.#froms, to, true) - 1; i >= 0 && this.#latest[i]! >= from; i--)
      if (this.#sorted[i]!.to >= from) found.push(this.#sorted[i]!)
    return found.reverse()
  }
}

/** A write of a value that the next one replaces. */
export interface Write<V> extends Interval {
  readonly value: V
  /** Whether it took place for certain. */
  readonly certain: boolean
}

/** Which values something may have had: those of writes that no later one has replaced for certain. */
export class PossibleValues<V> {
  readonly #writes: IntervalIndex<Write<V>>
  readonly #ends: Float64Array
  /** Of the writes that had ended by then, the latest beginning. */
  readonly #begun: Float64Array

  constructor(writes: readonly Write<V>[]) {
    this.#writes = new IntervalIndex(writes)
    const certain = writes.filter(write => write.certain).toSorted((a, b) => compare(a.to, b.to))
    this.#ends = Float64Array.from(certain, ({ to }) => to)
    this.#begun = Float64Array.from(certain, ({ from }) => from)
    for (let i = 1; i < this.#begun.length; i++)
      this.#begun[i] = Math.max(this.#begun[i]!, this.#begun[i - 1]!)
  }

  /** The writes whose value may have been the present one at some moment of the interval. */
  during({ from, to }: Interval): Write<V>[] {
    const ended = countBelow(this.#ends, from)
    const replacedBefore = ended === 0 ? Number.NEGATIVE_INFINITY : this.#begun[ended - 1]!
    return this.#writes.overlapping({ from: Math.min(replacedBefore, to), to })
  }
}

/** Orders numbers, infinite ones included. */
export function compare(a: number, b: number): number {
  return a < b ? -1 : a > b ? 1 : 0
}
