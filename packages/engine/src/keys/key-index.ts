import type { KeyEntries } from './key-entries.ts'
import { uncountedWords } from './uncounted-words.ts'

const positionBits = 26
/** Entries that can be told apart by the low bits of their positions. */
const positionSpan = 2 ** positionBits
const initialSlots = 1024
/** Share of slots in use, those of the removed included, at which a new table is begun. */
const fullAt = 0.8
/** Share of slots of entries from which on the new one is of twice the size. */
const tightAt = 0.65
/** Slots of the old table that are looked at for each key added. At the least 0.2 of it is free in the new one. */
const slotsMoved = 8
/**
 * A slot is empty, or of a removed entry, or holds six bits of the hash (never zero) and the low bits of a position.
 */
const empty = 0
const removed = 1

function tagOf(hash1: number): number {
  return Math.max(1, hash1 >>> positionBits)
}

/**
 * From hashes to positions: a table of 32-bit words with linear probing. It grows into a table beside it, some slots
 * for each key that is added, so that no single request waits for all keys to be moved.
 */
export class KeyIndex {
  readonly #entries: KeyEntries
  #slots: Uint32Array = new Uint32Array(initialSlots)
  #used = 0
  /** The table that is being left, and how far. */
  #old: Uint32Array | null = null
  #oldAt = 0

  constructor(entries: KeyEntries) {
    this.#entries = entries
  }

  get bytes(): number {
    return this.#slots.byteLength + (this.#old?.byteLength ?? 0)
  }

  /** The newest position with this hash, or -1. */
  find(hash: Uint32Array): number {
    const found = this.#findIn(this.#slots, hash)
    return this.#old === null ? found : Math.max(found, this.#findIn(this.#old, hash))
  }

  #findIn(slots: Uint32Array, hash: Uint32Array): number {
    const mask = slots.length - 1
    const tag = tagOf(hash[1]!)
    let newest = -1
    for (let at = hash[0]! & mask; ; at = (at + 1) & mask) {
      const slot = slots[at]!
      if (slot === empty) return newest
      if (slot >>> positionBits !== tag) continue
      const position = this.#positionOf(slot)
      if (position > newest && this.#entries.matches(position, hash)) newest = position
    }
  }

  #positionOf(slot: number): number {
    const { head } = this.#entries
    return head + ((slot - (head % positionSpan)) & (positionSpan - 1))
  }

  /** Adds an entry, which is there already, by its hash. */
  add(position: number, hash: Uint32Array): void {
    if (this.#old !== null) this.#move()
    else if (this.#used >= this.#slots.length * fullAt) this.#startMoving()
    this.#place(hash[0]!, tagOf(hash[1]!) * positionSpan + (position % positionSpan))
  }

  #place(hash0: number, slot: number): void {
    const slots = this.#slots
    const mask = slots.length - 1
    let at = hash0 & mask
    while (slots[at]! > removed) at = (at + 1) & mask
    if (slots[at] === empty) this.#used++
    slots[at] = slot
  }

  #slotOf(position: number): number {
    return tagOf(this.#entries.hashWord(position, 1)) * positionSpan + (position % positionSpan)
  }

  #startMoving(): void {
    const { length } = this.#slots
    // Where enough of the used slots are of removed entries, a table of the same size has room again.
    const wanted = this.#entries.size > length * tightAt ? length * 2 : length
    this.#old = this.#slots
    this.#oldAt = 0
    // One of the same size leaves as much garbage as it takes, which has to be counted for it to be collected.
    this.#slots = wanted > length ? uncountedWords(wanted) : new Uint32Array(wanted)
    this.#used = 0
  }

  #move(): void {
    const old = this.#old!
    const end = Math.min(old.length, this.#oldAt + slotsMoved)
    for (; this.#oldAt < end; this.#oldAt++) {
      const slot = old[this.#oldAt]!
      if (slot >>> positionBits === 0) continue
      this.#place(this.#entries.hashWord(this.#positionOf(slot), 0), slot)
      old[this.#oldAt] = removed
    }
    if (end === old.length) this.#old = null
  }

  /** Removes an entry, which is still there. */
  remove(position: number): void {
    if (this.#removeFrom(this.#slots, position)) return
    if (this.#old === null || !this.#removeFrom(this.#old, position))
      throw new Error('a key is not in its index')
  }

  #removeFrom(slots: Uint32Array, position: number): boolean {
    const mask = slots.length - 1
    const wanted = this.#slotOf(position)
    for (let at = this.#entries.hashWord(position, 0) & mask; slots[at] !== empty; at = (at + 1) & mask) {
      if (slots[at] !== wanted) continue
      slots[at] = removed
      if (slots === this.#slots) this.#clean(at)
      return true
    }
    return false
  }

  /** Removed entries with nothing behind them need no mark: without this, marks fill a table in which keys change. */
  #clean(removedAt: number): void {
    const slots = this.#slots
    const mask = slots.length - 1
    if (slots[(removedAt + 1) & mask] !== empty) return
    for (let at = removedAt; slots[at] === removed; at = (at - 1) & mask) {
      slots[at] = empty
      this.#used--
    }
  }
}
