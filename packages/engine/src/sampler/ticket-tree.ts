import type { RandomWords } from '../random/random-words.ts'

/**
 * An urn: items with a number of tickets each, drawn with a chance of tickets / all tickets, in logarithmic
 * time.
 *
 * A tree of prefix sums in the spirit of Fenwick ("A new data structure for cumulative frequency tables",
 * 1994), but with eight children a node: the eight slots of a node hold how many tickets its children before
 * that one have (slot 0 holds 0), 64 bytes side by side. Descending compares the target with all of them and
 * counts, instead of branching on a comparison that chance decides. For 100,000 items that is 6 steps instead
 * of 17, and twice as fast as a binary Fenwick tree; for a handful of items it is one step. The slots of all
 * nodes stand in one array in level order, where the child under slot s is node s + 1.
 *
 * Sums are whole numbers to 2^50, exact in doubles.
 */
export class TicketTree {
  readonly #sums: Float64Array
  /** Slot of item 0: the last level begins there. */
  readonly #firstSlot: number
  readonly #levels: number
  readonly #items: number
  #total: number

  /** @param counts tickets of each item, at least one item: whole numbers from 0, at most 2^50 in all */
  constructor(counts: Float64Array) {
    const items = counts.length
    let levels = 1
    let firstLeaf = 0
    for (let slots = 8; slots < items; slots *= 8) {
      firstLeaf = 8 * firstLeaf + 1
      levels++
    }
    const nodes = firstLeaf + Math.ceil(items / 8)
    const sums = new Float64Array(8 * nodes)
    const totals = new Float64Array(8 * nodes + 1)
    totals.set(counts, 8 * firstLeaf + 1)
    for (const count of counts) {
      if (!(Number.isInteger(count) && count >= 0))
        throw new RangeError(`${count} tickets are not a whole number`)
    }
    for (let node = nodes - 1; node >= 0; node--) {
      let total = 0
      for (let slot = 8 * node; slot < 8 * node + 8; slot++) {
        sums[slot] = total
        total += totals[slot + 1]!
      }
      totals[node] = total
    }
    const total = totals[0]!
    if (!(total <= 2 ** 50)) throw new RangeError(`the sum of tickets is ${total}, more than 2^50`)
    this.#sums = sums
    this.#firstSlot = 8 * firstLeaf
    this.#levels = levels
    this.#items = items
    this.#total = total
  }

  /** All tickets, 0 to 2^50. */
  get total(): number {
    return this.#total
  }

  /** Tickets of an item: the difference to the next slot, after a node's last slot to the one further up. */
  count(index: number): number {
    const sums = this.#sums
    let slot = this.#slotOf(index)
    let before = sums[slot]!
    while ((slot & 7) === 7) {
      if (slot === 7) return this.#total - before
      slot = (slot >>> 3) - 1
      before += sums[slot]!
    }
    return sums[slot + 1]! - before
  }

  /**
   * Puts tickets of an item in, or takes them out.
   * @param delta a whole number; neither the item's count may fall below 0 nor the total rise above 2^50
   */
  add(index: number, delta: number): void {
    if (this.count(index) + delta < 0) throw new RangeError(`item ${index} has fewer than ${-delta} tickets`)
    if (this.#total + delta > 2 ** 50) throw new RangeError('the sum of tickets would be more than 2^50')
    const sums = this.#sums
    this.#total += delta
    for (let slot = this.#slotOf(index); slot >= 0; slot = (slot >>> 3) - 1) {
      for (let later = slot + 1; (later & 7) !== 0; later++) sums[later]! += delta
    }
  }

  /** Draws a ticket and leaves it in: the index of its item. At least one ticket must be there. */
  pick(random: RandomWords): number {
    const sums = this.#sums
    let target = this.#target(random)
    let slot = -1
    for (let level = this.#levels; level > 0; level--) {
      const last = 8 * slot + 15
      slot = last
      for (let later = last - 6; later <= last; later++) slot -= Number(sums[later]! > target)
      target -= sums[slot]!
    }
    return slot - this.#firstSlot
  }

  /** Draws a ticket and removes it: the index of its item. At least one ticket must be there. */
  take(random: RandomWords): number {
    const sums = this.#sums
    let target = this.#target(random)
    this.#total -= 1
    let slot = -1
    for (let level = this.#levels; level > 0; level--) {
      const last = 8 * slot + 15
      slot = last
      for (let later = last - 6; later <= last; later++) {
        const sum = sums[later]!
        // A slot's sum includes the ticket just when it is above the target.
        const above = Number(sum > target)
        sums[later] = sum - above
        slot -= above
      }
      target -= sums[slot]!
    }
    return slot - this.#firstSlot
  }

  #target(random: RandomWords): number {
    const total = this.#total
    if (total === 0) throw new RangeError('no tickets are left')
    return random.below(total)
  }

  #slotOf(index: number): number {
    if (!(index >= 0 && index < this.#items)) throw new RangeError(`there is no item ${index}`)
    return this.#firstSlot + index
  }
}
