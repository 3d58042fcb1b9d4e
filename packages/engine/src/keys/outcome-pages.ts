import type { ItemIndexes } from '../contract/index.ts'

const pageBits = 16
const pageBytes = 2 ** pageBits
/** Fewer are copied one by one: a view for each would be garbage. */
const viewFrom = 64

/**
 * Outcomes of keyed draws, first in, first out, in pages. An address is 32 bits and comes round; what is alive at one
 * time is less than half of them.
 */
export class OutcomePages {
  readonly #pages: Uint8Array[] = []
  /** Number of the first page, and the offset of the free byte in the last. */
  #firstPage = 0
  #free = pageBytes

  get bytes(): number {
    return this.#pages.length * pageBytes
  }

  /** Copies outcomes, each in `width` bytes, and returns their address. */
  add(items: ItemIndexes, start: number, count: number, width: number): number {
    const bytes = count * width
    if (this.#free + bytes > pageBytes) {
      this.#pages.push(new Uint8Array(pageBytes))
      this.#free = 0
    }
    const page = this.#pages.at(-1)!
    const offset = this.#free
    this.#free += bytes
    if (count >= viewFrom && items.BYTES_PER_ELEMENT === width) {
      page.set(new Uint8Array(items.buffer, items.byteOffset + start * width, bytes), offset)
    } else {
      for (let k = 0, at = offset; k < count; k++) {
        const item = items[start + k]!
        for (let byte = 0; byte < width; byte++) page[at++] = (item >>> (byte * 8)) & 0xff
      }
    }
    return ((this.#firstPage + this.#pages.length - 1) * pageBytes + offset) >>> 0
  }

  /** The outcome at an address. */
  read(address: number, width: number): number {
    const page = this.pageOf(address)
    const offset = address & (pageBytes - 1)
    let item = page[offset]!
    for (let byte = 1; byte < width; byte++) item += page[offset + byte]! * 2 ** (byte * 8)
    return item
  }

  /** The page of an address. */
  pageOf(address: number): Uint8Array {
    return this.#pages[this.#indexOf(address)]!
  }

  /** Offset of an address in its page. */
  offsetOf(address: number): number {
    return address & (pageBytes - 1)
  }

  #indexOf(address: number): number {
    return ((address >>> pageBits) - this.#firstPage) & (2 ** (32 - pageBits) - 1)
  }

  /** Drops the pages before the one of this address. */
  dropBefore(address: number): void {
    const count = this.#indexOf(address)
    if (count === 0) return
    this.#pages.splice(0, count)
    this.#firstPage += count
  }

  /** Drops all: nothing is kept. */
  clear(): void {
    this.#firstPage += this.#pages.length
    this.#pages.length = 0
    this.#free = pageBytes
  }
}
