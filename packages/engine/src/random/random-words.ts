const bufferBytes = 65_536

/** 2^52 as a factor and a bound; doubles hold every integer up to 2^53. */
const two52 = 2 ** 52

/** Up to this total one 32-bit word is enough, and a word times the total is exact: at most 2^52. */
const oneWordTotal = 2 ** 20

/**
 * Uniform random integers cut from a buffer of random bytes, which is filled by the function given here, so
 * that the operating system stands behind it in production and a script or a seeded generator in tests.
 *
 * Every word is overwritten with zero as it is used (one store to a line that is already in the first cache),
 * so that a dump of the memory does not hold the randomness of past outcomes. What lies ahead in the buffer
 * is secret until it is used, at most 64 KiB of it.
 *
 * Bulk readers take words straight from the buffer: `reserve(size)` tells where the unread words of `size`
 * bytes begin, they read `halves` or `words` from there to as far as they like, the end of the array at most,
 * and `release(end)` tells where they stopped. Nothing else may be asked of the object in between.
 */
export class RandomWords {
  readonly #fill: (bytes: Uint8Array) => void
  readonly #bytes = new Uint8Array(bufferBytes)
  /** Byte offset of the first unread byte. The buffer is filled on first use. */
  #position = bufferBytes

  /** The buffer as 16-bit words, for bulk readers. */
  readonly halves = new Uint16Array(this.#bytes.buffer)
  /** The buffer as 32-bit words, for bulk readers. */
  readonly words = new Uint32Array(this.#bytes.buffer)

  /** @param fill overwrites all the bytes it is given with random ones; if it throws, no word was used. */
  constructor(fill: (bytes: Uint8Array) => void) {
    this.#fill = fill
  }

  /**
   * The byte offset at which unread words of a size begin, aligned to it, with at least one before the
   * buffer's end.
   * @param size 2, 4 or 8 bytes; bytes skipped for the alignment are lost
   */
  reserve(size: 2 | 4 | 8): number {
    let position = (this.#position + size - 1) & -size
    if (position === bufferBytes) {
      this.#fill(this.#bytes)
      position = 0
    }
    this.#position = position
    return position
  }

  /**
   * Marks the words since `reserve` as used.
   * @param end byte offset behind the last used word, from the reserved offset to the buffer's end
   */
  release(end: number): void {
    this.#bytes.fill(0, this.#position, end)
    this.#position = end
  }

  /** The next 16 bits, 0 to 2^16 - 1. */
  next16(): number {
    const position = this.reserve(2)
    const index = position >>> 1
    const word = this.halves[index]!
    this.halves[index] = 0
    this.#position = position + 2
    return word
  }

  /**
   * The next 32 bits as a signed integer, -2^31 to 2^31 - 1. V8 keeps that in a register or on the stack
   * wherever it goes; an unsigned one beyond 2^31 is put on the heap whenever `next32` is not inlined, at
   * about 10 ns.
   */
  nextSigned32(): number {
    const position = this.reserve(4)
    const index = position >>> 2
    const word = this.words[index]! | 0
    this.words[index] = 0
    this.#position = position + 4
    return word
  }

  /** The next 32 bits, 0 to 2^32 - 1. */
  next32(): number {
    return this.nextSigned32() >>> 0
  }

  /** The next 52 bits, 0 to 2^52 - 1: the upper 21 of one word above the upper 31 of the next. */
  next52(): number {
    const high = this.nextSigned32() >>> 11
    return high * 2 ** 31 + (this.nextSigned32() >>> 1)
  }

  /**
   * A uniform integer from 0 to total - 1, without bias.
   *
   * Up to 2^20 by Lemire's multiply-shift ("Fast random integer generation in an interval", 2019): the word
   * times the total is split at 2^32; the upper part is the answer, and the words whose lower part is below
   * 2^32 mod total are drawn again, which leaves floor(2^32 / total) words to every answer. The remainder
   * itself is only computed where the lower part is below the total, hence almost never.
   * @param total a whole number, 1 to 2^50
   */
  below(total: number): number {
    if (total > oneWordTotal) return this.#belowLarge(total)
    let word = this.nextSigned32()
    let low = Math.imul(word, total) >>> 0
    if (low < total) {
      const least = 2 ** 32 % total
      while (low < least) {
        word = this.nextSigned32()
        low = Math.imul(word, total) >>> 0
      }
    }
    return ((word >>> 0) * total * 2 ** -32) | 0
  }

  /**
   * Rejection by division: 52 bits x, s = floor(2^52 / total), and floor(x / s) unless it is total or more.
   *
   * Neither division of doubles can round up to the next integer. Let x = q·s + r with 0 < r < s. The
   * quotient q + r/s is at least 1/s below q + 1, while a value rounds up to q + 1 only when it is within
   * half the spacing of the doubles just below it, less than (q + 1)·2^-53. As s·(q + 1) ≤ x + s - r < 2^52 +
   * s ≤ 2^53, 1/s is more than that. The same holds for 2^52 / total with total in the place of s, since
   * total ≤ 2^50.
   */
  #belowLarge(total: number): number {
    const share = Math.floor(two52 / total)
    for (;;) {
      const answer = Math.floor(this.next52() / share)
      if (answer < total) return answer
    }
  }
}
