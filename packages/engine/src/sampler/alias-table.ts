import type { RandomWords } from '../random/random-words.ts'
import { aliasColumns } from './alias-columns.ts'

/**
 * Where a bulk pick resolves its outcomes before they are copied to the caller's array, so that each of the
 * loops below sees one type of array only. Shared by all tables: it carries nothing from one call to the
 * next. 4 KiB stay in the first cache.
 */
const block = new Uint32Array(1024)

/**
 * Picks one of n items with chances in proportion to whole-number weights: in constant time, and exactly.
 *
 * It is Walker's alias method ("An efficient method for generating discrete random variables with general
 * distributions", 1977) with a linear set-up after Vose ("A linear algorithm for generating random numbers
 * with a given distribution", 1991), but in whole numbers, with an outcome that means *draw again* where the
 * weights do not divide the random words (alias-columns.ts).
 *
 * A pick takes 16, 32 or 52 random bits: the upper ones name a column, the rest is compared with the column's
 * threshold. A column's entry has the alias where the word has the column, and the threshold where the word
 * has the rest, so the pick takes either the word or the entry and shifts. That is one load a pick, in a
 * table of 4 MiB for a million items (8 MiB at 52 bits), and no branch that random data decides: the
 * processor works on many picks at once and the loads of a large table overlap.
 */
export class AliasTable {
  readonly #bits: 16 | 32 | 52
  /** Number of items; as an outcome it means: draw again. */
  readonly #items: number
  /** Bits below the column in a word, at 52 bits in its upper 21. */
  readonly #shift: number
  /** One entry a column; at 52 bits two, the upper 21 bits and the lower 31. */
  readonly #entries: Uint32Array

  /**
   * @param weights whole numbers from 0 (never picked), one an item, at most 2^20 - 1 of them; their sum is 1
   *   to 2^50
   */
  constructor(weights: Float64Array) {
    const { bits, columnBits, entries } = aliasColumns(weights)
    this.#bits = bits
    this.#items = weights.length
    this.#shift = (bits === 52 ? 21 : bits) - columnBits
    this.#entries = bits === 52 ? halved(entries) : new Uint32Array(entries)
  }

  /** One pick: the index of an item. */
  pick(random: RandomWords): number {
    for (;;) {
      let item: number
      if (this.#bits === 32) item = this.#itemOf(random.nextSigned32())
      else if (this.#bits === 16) item = this.#itemOf(random.next16())
      else item = this.#itemOfPair(random.nextSigned32() >>> 11, random.nextSigned32() >>> 1)
      if (item < this.#items) return item
    }
  }

  /**
   * Independent picks in bulk, several times faster than one by one.
   * @param out takes the item indexes; its elements are wide enough for them
   * @param offset where the first one goes
   * @param count how many, from 0 to what is left of `out`
   */
  pickMany(
    random: RandomWords,
    out: Uint8Array | Uint16Array | Uint32Array,
    offset: number,
    count: number,
  ): void {
    const end = offset + count
    if (end > out.length || this.#items > 2 ** (8 * out.BYTES_PER_ELEMENT))
      throw new RangeError('out is too small for the picks')
    for (let at = offset; at < end; at += block.length) {
      const picks = Math.min(block.length, end - at)
      if (this.#bits === 16) this.#resolve16(random, picks)
      else if (this.#bits === 32) this.#resolve32(random, picks)
      else this.#resolve52(random, picks)
      if (out instanceof Uint8Array) copyTo8(out, at, picks)
      else if (out instanceof Uint16Array) copyTo16(out, at, picks)
      else copyTo32(out, at, picks)
    }
  }

  #itemOf(word: number): number {
    const shift = this.#shift
    const below = ~(-1 << shift)
    const entry = this.#entries[word >>> shift]!
    const own = ((word & below) - (entry & below)) >> 31
    return (entry ^ ((entry ^ word) & own)) >>> shift
  }

  /** The same with 52 bits, where the comparison borrows from the upper part when the lower one is below. */
  #itemOfPair(high: number, low: number): number {
    const shift = this.#shift
    const below = ~(-1 << shift)
    const at = (high >>> shift) << 1
    const entry = this.#entries[at]!
    const borrow = (low - this.#entries[at + 1]!) >> 31
    const own = ((high & below) - (entry & below) + borrow) >> 31
    return (entry ^ ((entry ^ high) & own)) >>> shift
  }

  /** Fills `block` with picks of 16 bits. `filled` stays on a rejected one, so the next overwrites it. */
  #resolve16(random: RandomWords, picks: number): void {
    const words = random.halves
    const items = this.#items
    let filled = 0
    while (filled < picks) {
      const start = random.reserve(2) >>> 1
      const end = Math.min(words.length, start + picks - filled)
      for (let i = start; i < end; i++) {
        const item = this.#itemOf(words[i]!)
        block[filled] = item
        filled += (item - items) >>> 31
      }
      random.release(end << 1)
    }
  }

  /** The same with 32 bits. */
  #resolve32(random: RandomWords, picks: number): void {
    const words = random.words
    const items = this.#items
    let filled = 0
    while (filled < picks) {
      const start = random.reserve(4) >>> 2
      const end = Math.min(words.length, start + picks - filled)
      for (let i = start; i < end; i++) {
        const item = this.#itemOf(words[i]!)
        block[filled] = item
        filled += (item - items) >>> 31
      }
      random.release(end << 2)
    }
  }

  /** The same with 52 bits of two words. */
  #resolve52(random: RandomWords, picks: number): void {
    const words = random.words
    const items = this.#items
    let filled = 0
    while (filled < picks) {
      const start = random.reserve(8) >>> 2
      const end = Math.min(words.length, start + 2 * (picks - filled))
      for (let i = start; i < end; i += 2) {
        const item = this.#itemOfPair(words[i]! >>> 11, words[i + 1]! >>> 1)
        block[filled] = item
        filled += (item - items) >>> 31
      }
      random.release(end << 2)
    }
  }
}

/** Entries of 52 bits as pairs of their upper 21 and lower 31, which compare as signed 32-bit numbers. */
function halved(entries: Float64Array): Uint32Array {
  const pairs = new Uint32Array(2 * entries.length)
  for (let column = 0; column < entries.length; column++) {
    const upper = Math.floor(entries[column]! / 2 ** 31)
    pairs[2 * column] = upper
    pairs[2 * column + 1] = entries[column]! - upper * 2 ** 31
  }
  return pairs
}

// Three times the same loop: shared by the widths it would test the kind of array at every element.

function copyTo8(out: Uint8Array, offset: number, count: number): void {
  for (let i = 0; i < count; i++) out[offset + i] = block[i]!
}

function copyTo16(out: Uint16Array, offset: number, count: number): void {
  for (let i = 0; i < count; i++) out[offset + i] = block[i]!
}

function copyTo32(out: Uint32Array, offset: number, count: number): void {
  for (let i = 0; i < count; i++) out[offset + i] = block[i]!
}
