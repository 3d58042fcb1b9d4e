/** Mulberry32: what a seed chooses can be had again by it, though not what the machine does meanwhile. */
export class Chance {
  #state: number

  constructor(seed: number) {
    this.#state = seed | 0
  }

  /** Below 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) * 2 ** -32
  }

  between(from: number, to: number): number {
    return from + this.next() * (to - from)
  }

  /** A whole number. */
  below(limit: number): number {
    return Math.floor(this.next() * limit)
  }

  isHit(probability: number): boolean {
    return this.next() < probability
  }

  pick<T>(values: readonly T[]): T {
    return values[this.below(values.length)]!
  }
}
