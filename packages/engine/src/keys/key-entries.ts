import { uncountedWords } from './uncounted-words.ts'

const chunkBits = 14
const chunkEntries = 2 ** chunkBits
const timeHighBits = 11

/**
 * Words of an entry. Draw numbers have 53 bits, times 43 (up to the year 2248), and share the word of their high
 * halves.
 */
const columns = {
  hash: 0,
  drawLow: 4,
  timeLow: 5,
  high: 6,
  edition: 7,
  version: 8,
  request: 9,
  recipient: 10,
}
const addressColumn = 11
export const hashPrime = 0x01000193
const entryWords = 12

/** How a request reads in 29 bits: draws given, draws asked for, whether it takes what is left. */
export function packRequest(given: number, asked: number, partial: boolean): number {
  return given | (asked << 14) | (partial ? 1 << 28 : 0)
}

export function givenOf(request: number): number {
  return request & 0x3fff
}

/** What was asked for, without what was given. */
export function askedOf(request: number): number {
  return request >>> 14
}

/** What is kept of a keyed draw; its outcomes stand in the pages. */
export interface KeyEntry {
  readonly firstDraw: number
  /** Milliseconds since 1970. */
  readonly time: number
  readonly edition: number
  readonly version: number
  /** See packRequest. */
  readonly request: number
  /** 32 bits of the recipient, 0 for none. */
  readonly recipient: number
  readonly address: number
}

/**
 * Keyed draws in the order they were made: 48 bytes each, in chunks of 768 KiB, so that adding one never moves the
 * others. Positions grow without end; those from `head` to `tail` are there.
 */
export class KeyEntries {
  head = 0
  tail = 0
  readonly #chunks: Uint32Array[] = []
  /** The position that the first chunk starts with. */
  #start = 0
  /** A chunk of entries that are gone is used again. */
  #spare: Uint32Array | null = null

  get size(): number {
    return this.tail - this.head
  }

  get bytes(): number {
    return (this.#chunks.length + (this.#spare === null ? 0 : 1)) * chunkEntries * entryWords * 4
  }

  #chunk(position: number): Uint32Array {
    return this.#chunks[(position - this.#start) >>> chunkBits]!
  }

  /** Where the words of an entry start in its chunk. */
  #row(position: number): number {
    return ((position - this.#start) & (chunkEntries - 1)) * entryWords
  }

  add(hash: Uint32Array, entry: KeyEntry): number {
    const position = this.tail++
    if ((position - this.#start) >>> chunkBits === this.#chunks.length) {
      this.#chunks.push(this.#spare ?? uncountedWords(chunkEntries * entryWords))
      this.#spare = null
    }
    const chunk = this.#chunk(position)
    const row = this.#row(position)
    for (let word = 0; word < 4; word++) chunk[row + word] = hash[word]!
    chunk[row + columns.drawLow] = entry.firstDraw % 2 ** 32
    chunk[row + columns.timeLow] = entry.time % 2 ** 32
    chunk[row + columns.high] =
      (Math.floor(entry.firstDraw / 2 ** 32) << timeHighBits) | Math.floor(entry.time / 2 ** 32)
    chunk[row + columns.edition] = entry.edition
    chunk[row + columns.version] = entry.version
    chunk[row + columns.request] = entry.request
    chunk[row + columns.recipient] = entry.recipient
    chunk[row + addressColumn] = entry.address
    return position
  }

  /** Forgets the oldest entry. */
  drop(): void {
    this.head++
    if (this.head - this.#start < chunkEntries) return
    this.#spare = this.#chunks.shift()!
    this.#start += chunkEntries
  }

  matches(position: number, hash: Uint32Array): boolean {
    const chunk = this.#chunk(position)
    const row = this.#row(position)
    return (
      chunk[row] === hash[0] &&
      chunk[row + 1] === hash[1] &&
      chunk[row + 2] === hash[2] &&
      chunk[row + 3] === hash[3]
    )
  }

  /** One of the four words of an entry's hash. */
  hashWord(position: number, word: number): number {
    return this.#chunk(position)[this.#row(position) + word]!
  }

  timeOf(position: number): number {
    const chunk = this.#chunk(position)
    const row = this.#row(position)
    const high = chunk[row + columns.high]! & (2 ** timeHighBits - 1)
    return high * 2 ** 32 + chunk[row + columns.timeLow]!
  }

  firstDrawOf(position: number): number {
    const chunk = this.#chunk(position)
    const row = this.#row(position)
    return (chunk[row + columns.high]! >>> timeHighBits) * 2 ** 32 + chunk[row + columns.drawLow]!
  }

  editionOf(position: number): number {
    return this.#chunk(position)[this.#row(position) + columns.edition]!
  }

  requestOf(position: number): number {
    return this.#chunk(position)[this.#row(position) + columns.request]!
  }

  addressOf(position: number): number {
    return this.#chunk(position)[this.#row(position) + addressColumn]!
  }

  /**
   * A hash of what an entry says, apart from the numbers of its edition and its address, which say nothing outside.
   */
  hashOf(position: number): number {
    const chunk = this.#chunk(position)
    const row = this.#row(position)
    let hash = 0x811c9dc5
    for (let word = 0; word < addressColumn; word++)
      if (word !== columns.edition) hash = Math.imul(hash ^ chunk[row + word]!, hashPrime)
    return hash
  }

  read(position: number): KeyEntry {
    const chunk = this.#chunk(position)
    const row = this.#row(position)
    return {
      firstDraw: this.firstDrawOf(position),
      time: this.timeOf(position),
      edition: chunk[row + columns.edition]!,
      version: chunk[row + columns.version]!,
      request: chunk[row + columns.request]!,
      recipient: chunk[row + columns.recipient]!,
      address: chunk[row + addressColumn]!,
    }
  }
}
