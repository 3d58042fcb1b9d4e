/**
 * Chance from a seed, for what the layers of the proof do to kuji. It is not the engine's own generator, so that a
 * defect there cannot hide itself here. The generator is sfc32 of PractRand (Doty-Humphrey): 128 bits of state, a
 * counter among them.
 */
export class Chance {
  #a: number
  #b: number
  #c = 0x9e3779b9
  #counter = 1

  /**
   * @param seed a whole number
   * @param stream what the chance is for: streams of one seed have nothing to do with each other, so that taking one
   *   fault out of a run leaves the rest of it as it was
   */
  constructor(seed: number, stream: string) {
    this.#a = seed | 0
    this.#b = Math.floor(seed / 2 ** 32) | 0
    for (let i = 0; i < stream.length; i++) this.#c = Math.imul(this.#c ^ stream.charCodeAt(i), 0x01000193)
    for (let round = 0; round < 16; round++) this.#next32()
  }

  #next32(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0
    this.#counter = (this.#counter + 1) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum
    return sum >>> 0
  }

  /** From 0 up to, not including, 1. */
  unit(): number {
    return this.#next32() / 2 ** 32
  }

  /** A whole number from 0 to `bound` - 1. */
  below(bound: number): number {
    return Math.floor(this.unit() * bound)
  }

  /** A whole number from `least` to `most`. */
  between(least: number, most: number): number {
    return least + this.below(most - least + 1)
  }

  /** Between the two, all orders of magnitude alike. */
  spread(least: number, most: number): number {
    return least * (most / least) ** this.unit()
  }

  happens(probability: number): boolean {
    return this.unit() < probability
  }

  pick<T>(values: readonly T[]): T {
    return values[this.below(values.length)]!
  }

  /** Milliseconds to the next of events that come at random, so many apart on average. */
  wait(mean: number): number {
    return -Math.log(1 - this.unit()) * mean
  }

  shuffle<T>(values: T[]): T[] {
    for (let last = values.length - 1; last > 0; last--) {
      const other = this.below(last + 1)
      const value = values[last]!
      values[last] = values[other]!
      values[other] = value
    }
    return values
  }
}
