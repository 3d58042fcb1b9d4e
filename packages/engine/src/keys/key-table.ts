import type { ItemIndexes } from '../contract/index.ts'
import { limits } from '../contract/index.ts'
import { type Edition, Editions } from './editions.ts'
import { askedOf, givenOf, hashPrime, KeyEntries, type KeyEntry, packRequest } from './key-entries.ts'
import { type EncodedText, KeyHasher } from './key-hash.ts'
import { KeyIndex } from './key-index.ts'
import { OutcomePages } from './outcome-pages.ts'
import { widthOf } from './outcome-width.ts'

/** How long keys are kept, and how many; and the secret of their hashes, 16 random bytes. */
export interface KeyPolicy {
  readonly retentionMs: number
  readonly most: number
  readonly secret: Uint8Array
}

export const secretBytes = 16

/** What a request with a key asks for. */
export interface KeyedRequest {
  readonly asked: number
  readonly partial: boolean
  readonly key: string
  /** '' for none. */
  readonly recipient: string
}

/** The pool that a draw is from, as it was then. */
export interface DrawnPool {
  readonly id: string
  readonly itemIds: readonly string[]
  readonly version: number
}

type Writable<T> = { -readonly [Name in keyof T]: T[Name] }

/**
 * Entries forgotten for each one added, at the most: more than one, so that what has expired goes. Only as long as
 * there are too many bytes of outcomes, as many again as the one added has of them: each that goes gives back at least
 * one, so that their bound holds whatever the order of large and small draws.
 */
const forgottenAtOnce = 16

/** Bounds beside those of the policy; tests have smaller ones. */
interface KeyBounds {
  /** Bytes of outcomes. */
  readonly outcomeBytes: number
  /** Items of all editions. */
  readonly items: number
}

const productionBounds: KeyBounds = { outcomeBytes: limits.keyOutcomeBytes, items: limits.totalItems }

/**
 * Keyed draws by the hash of their key, and what their receipts need, as long as they are kept: by time, by number
 * and by memory, the oldest going first. Part of the state: it changes with the records of the log alone, so that
 * whoever replays them has the same table. See key-entries.ts and key-index.ts for the memory it takes: 48 bytes an
 * entry and 5 to 18 for the index, beside the outcomes.
 *
 * An expired entry that is still there counts as gone. It goes when later ones come, some for each, so that no
 * request waits for a million to be forgotten.
 */
export class KeyTable {
  policy: KeyPolicy | null = null
  /** Entries that have gone before their time, and what was full when the last did. No part of the state. */
  forgottenEarly = 0
  full: '' | 'number' | 'outcomes' | 'items' = ''
  /** Sum over all entries of a hash of each, modulo 2^32; see state-hash.ts. */
  hash = 0
  readonly #entries = new KeyEntries()
  readonly #index = new KeyIndex(this.#entries)
  readonly #pages = new OutcomePages()
  readonly #editions = new Editions()
  #hasher: KeyHasher | null = null
  #outcomeBytes = 0
  /** The entry that is being made: an object for each would be garbage. */
  readonly #entry: Writable<KeyEntry> = {
    firstDraw: 0,
    time: 0,
    edition: 0,
    version: 0,
    request: 0,
    recipient: 0,
    address: 0,
  }
  readonly #bounds: KeyBounds

  constructor(bounds = productionBounds) {
    this.#bounds = bounds
  }

  get size(): number {
    return this.#entries.size
  }

  /** What the item lists of kept receipts take of the heap; see heap-size.ts. */
  get editionHeapBytes(): number {
    return this.#editions.heapBytes
  }

  /** Memory of the entries, the index and the outcomes. */
  get bytes(): number {
    return this.bookkeepingBytes + this.#pages.bytes
  }

  /** The same without the outcomes. */
  get bookkeepingBytes(): number {
    return this.#entries.bytes + this.#index.bytes
  }

  /** When the oldest draw was made, or -1. */
  get oldestTime(): number {
    return this.#entries.size === 0 ? -1 : this.#entries.timeOf(this.#entries.head)
  }

  setPolicy(policy: KeyPolicy): void {
    this.policy = policy
    this.#hasher = new KeyHasher(policy.secret)
  }

  /** The place of the draw with this key that is still kept at this time, or -1. */
  find(pool: string, key: string, time: number): number {
    if (this.#hasher === null || this.#entries.size === 0) return -1
    this.#hasher.hashKey(pool, key)
    const position = this.#index.find(this.#hasher.words)
    return position >= 0 && !this.#isExpired(position, time) ? position : -1
  }

  #isExpired(position: number, time: number): boolean {
    return this.#entries.timeOf(position) + this.policy!.retentionMs <= time
  }

  /** The place of the draw that has this number, or -1. */
  findDraw(draw: number): number {
    let [low, high] = [this.#entries.head, this.#entries.tail]
    while (low < high) {
      const middle = Math.floor((low + high) / 2)
      if (this.#entries.firstDrawOf(middle) <= draw) low = middle + 1
      else high = middle
    }
    const position = low - 1
    if (position < this.#entries.head) return -1
    const behind = this.#entries.firstDrawOf(position) + givenOf(this.#entries.requestOf(position))
    return draw < behind ? position : -1
  }

  /** UTF-8 of the key entered last, until another is looked for. */
  get encodedKey(): EncodedText {
    return this.#hasher!.encodedKey
  }

  /** Enters the draws of a request from `firstDraw` on, and forgets what is due by `time`. */
  add(
    pool: DrawnPool,
    request: KeyedRequest,
    firstDraw: number,
    time: number,
    items: ItemIndexes,
    start: number,
    given: number,
  ): void {
    const hasher = this.#hasher!
    const entry = this.#entry
    this.#forget(time, forgottenAtOnce + given * widthOf(pool.itemIds.length))
    entry.firstDraw = firstDraw
    entry.time = time
    entry.version = pool.version
    entry.request = packRequest(given, request.asked, request.partial)
    entry.recipient = hasher.hashRecipient(request.recipient)
    hasher.rehashKey(pool.id, request.key)
    this.#enter(hasher.words, pool.id, pool.itemIds, items, start)
  }

  /** Enters a draw under a hash, as a snapshot has it. */
  restore(
    hash: Uint32Array,
    { pool, itemIds }: Edition,
    kept: Omit<KeyEntry, 'edition' | 'address'>,
    items: ItemIndexes,
  ): void {
    Object.assign(this.#entry, kept)
    this.#enter(hash, pool, itemIds, items, 0)
  }

  /** Enters `#entry`, whose edition and address are missing. */
  #enter(
    hash: Uint32Array,
    pool: string,
    itemIds: readonly string[],
    items: ItemIndexes,
    start: number,
  ): void {
    const entry = this.#entry
    const given = givenOf(entry.request)
    const width = widthOf(itemIds.length)
    entry.address = this.#pages.add(items, start, given, width)
    entry.edition = this.#editions.take(pool, itemIds)
    this.#outcomeBytes += given * width
    const position = this.#entries.add(hash, entry)
    this.#index.add(position, hash)
    let own = this.#entries.hashOf(position)
    for (let k = start; k < start + given; k++) own = Math.imul(own ^ items[k]!, hashPrime)
    this.hash = (this.hash + own) | 0
  }

  /** Forgets, the oldest first, what is too old, too many or takes too much memory. */
  #forget(time: number, atMost: number): void {
    for (let count = 0; count < atMost && this.#entries.size > 0; count++) {
      if (count >= forgottenAtOnce && this.#outcomeBytes <= this.#bounds.outcomeBytes) return
      const { head } = this.#entries
      if (!this.#isExpired(head, time)) {
        const full = this.#findFull()
        if (full === '') return
        this.full = full
        this.forgottenEarly++
      }
      this.#drop(head)
    }
  }

  #findFull(): KeyTable['full'] {
    if (this.#entries.size >= this.policy!.most) return 'number'
    if (this.#outcomeBytes > this.#bounds.outcomeBytes) return 'outcomes'
    return this.#editions.items > this.#bounds.items ? 'items' : ''
  }

  #drop(head: number): void {
    const entries = this.#entries
    const edition = entries.editionOf(head)
    this.hash = (this.hash - this.#hashEntry(head)) | 0
    this.#outcomeBytes -= givenOf(entries.requestOf(head)) * this.#widthOf(edition)
    this.#index.remove(head)
    this.#editions.release(edition)
    entries.drop()
    if (entries.size > 0) this.#pages.dropBefore(entries.addressOf(entries.head))
    else this.#pages.clear()
  }

  /** Bytes of an outcome of an edition. */
  #widthOf(edition: number): 1 | 2 | 4 {
    return widthOf(this.#editions.at(edition).itemIds.length)
  }

  /** What is kept of the draw at a place. */
  read(position: number): KeyEntry {
    return this.#entries.read(position)
  }

  editionOf(entry: KeyEntry): Edition {
    return this.editionAt(entry.edition)
  }

  editionAt(number: number): Edition {
    return this.#editions.at(number)
  }

  /** The item ids of a draw, in order. */
  itemsOf(entry: KeyEntry): string[] {
    const { itemIds } = this.editionOf(entry)
    const width = widthOf(itemIds.length)
    const items: string[] = new Array(givenOf(entry.request))
    for (let k = 0; k < items.length; k++)
      items[k] = itemIds[this.#pages.read(entry.address + k * width, width)]!
    return items
  }

  /** Outcomes of a draw as bytes, each of the width of its edition; a view. */
  outcomesOf(entry: KeyEntry): Uint8Array {
    const start = this.#pages.offsetOf(entry.address)
    const bytes = givenOf(entry.request) * this.#widthOf(entry.edition)
    return this.#pages.pageOf(entry.address).subarray(start, start + bytes)
  }

  /** Whether a request is the one that a draw was made by. */
  isSame(entry: KeyEntry, { asked, partial, recipient }: Omit<KeyedRequest, 'key'>): boolean {
    const sameDraws = askedOf(entry.request) === askedOf(packRequest(0, asked, partial))
    return sameDraws && entry.recipient === this.#hasher!.hashRecipient(recipient)
  }

  /** Places of the oldest entry, and behind the newest. */
  get range(): readonly [from: number, to: number] {
    return [this.#entries.head, this.#entries.tail]
  }

  /** One of the four words of the hash at a place. */
  hashWord(position: number, word: number): number {
    return this.#entries.hashWord(position, word)
  }

  /** The hash of the whole table computed from nothing, to hold `hash` against. */
  computeHash(): number {
    let hash = 0
    for (let position = this.#entries.head; position < this.#entries.tail; position++)
      hash = (hash + this.#hashEntry(position)) | 0
    return hash
  }

  #hashEntry(position: number): number {
    const entries = this.#entries
    const width = this.#widthOf(entries.editionOf(position))
    const address = entries.addressOf(position)
    let hash = entries.hashOf(position)
    for (let k = 0, given = givenOf(entries.requestOf(position)); k < given; k++)
      hash = Math.imul(hash ^ this.#pages.read(address + k * width, width), hashPrime)
    return hash
  }
}
