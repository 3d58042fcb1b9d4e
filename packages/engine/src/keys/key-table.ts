import type { ItemIndexes } from '../contract/index.ts'
import { limits } from '../contract/index.ts'
import { type Edition, Editions } from './editions.ts'
import { askedOf, givenOf, hashPrime, KeyEntries, type KeyEntry, packRequest } from './key-entries.ts'
import { KeyHasher } from './key-hash.ts'
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

/** A keyed draw as it is entered. */
export interface KeyedDraw {
  readonly firstDraw: number
  readonly time: number
  readonly pool: string
  readonly itemIds: readonly string[]
  readonly version: number
  readonly asked: number
  readonly partial: boolean
  readonly recipient: number
}

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
  readonly #bounds: KeyBounds

  constructor(bounds = productionBounds) {
    this.#bounds = bounds
  }

  get size(): number {
    return this.#entries.size
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

  /** Hashes a key for `find` and `add`, which take the last one hashed. */
  hashKey(pool: string, key: string): void {
    this.#hasher?.hashKey(pool, key)
  }

  /** 32 bits of a recipient. Comes before `hashKey`, whose result it overwrites. */
  hashRecipient(recipient: string): number {
    return this.#hasher?.hashRecipient(recipient) ?? 0
  }

  /** The place of the draw with the last key hashed that is still kept at this time, or -1. */
  find(time: number): number {
    if (this.policy === null || this.#entries.size === 0) return -1
    const position = this.#index.find(this.#hasher!.words)
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
    const { firstDraw, request } = this.#entries.read(position)
    return draw < firstDraw + givenOf(request) ? position : -1
  }

  /** Enters a draw under the last key hashed, and forgets what is due by now. */
  add(draw: KeyedDraw, items: ItemIndexes, start: number, given: number): void {
    this.#forget(draw.time, forgottenAtOnce + given * widthOf(draw.itemIds.length))
    this.restore(this.#hasher!.words, draw, packRequest(given, draw.asked, draw.partial), items, start)
  }

  /** Enters a draw under a hash, as a snapshot has it. */
  restore(
    hash: Uint32Array,
    draw: Omit<KeyedDraw, 'asked' | 'partial'>,
    request: number,
    items: ItemIndexes,
    start: number,
  ): void {
    const { firstDraw, time, pool, itemIds, version, recipient } = draw
    const width = widthOf(itemIds.length)
    const address = this.#pages.add(items, start, givenOf(request), width)
    this.#outcomeBytes += givenOf(request) * width
    const edition = this.#editions.take(pool, itemIds)
    const entry = { firstDraw, time, edition, version, request, recipient, address }
    const position = this.#entries.add(hash, entry)
    this.#index.add(position, hash)
    let own = this.#entries.hashOf(position)
    for (let k = start; k < start + givenOf(request); k++) own = Math.imul(own ^ items[k]!, hashPrime)
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
    const entry = this.#entries.read(head)
    this.hash = (this.hash - this.#hashEntry(head)) | 0
    this.#outcomeBytes -= givenOf(entry.request) * widthOf(this.editionOf(entry).itemIds.length)
    this.#index.remove(head)
    this.#editions.release(entry.edition)
    this.#entries.drop()
    if (this.#entries.size > 0) this.#pages.dropBefore(this.#entries.addressOf(this.#entries.head))
    else this.#pages.clear()
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
    const bytes = givenOf(entry.request) * widthOf(this.editionOf(entry).itemIds.length)
    return this.#pages.pageOf(entry.address).subarray(start, start + bytes)
  }

  /** Whether a request is the one that a draw was made by. */
  isSame(entry: KeyEntry, asked: number, partial: boolean, recipient: number): boolean {
    return askedOf(entry.request) === askedOf(packRequest(0, asked, partial)) && entry.recipient === recipient
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
    const entry = this.#entries.read(position)
    const width = widthOf(this.editionOf(entry).itemIds.length)
    let hash = this.#entries.hashOf(position)
    for (let k = 0, given = givenOf(entry.request); k < given; k++)
      hash = Math.imul(hash ^ this.#pages.read(entry.address + k * width, width), hashPrime)
    return hash
  }
}
