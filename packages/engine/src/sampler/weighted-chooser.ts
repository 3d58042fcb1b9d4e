import type { ItemIndexes } from '../contract/index.ts'
import type { Pool } from '../pool/pool.ts'
import type { ItemChange } from '../pool/state.ts'
import type { RandomWords } from '../random/random-words.ts'
import { AliasTable } from './alias-table.ts'
import type { Chooser, ItemBefore } from './chooser.ts'
import { TicketTree } from './ticket-tree.ts'

/** Pools up to this size build their table anew at every change; it takes some ten microseconds. */
const smallItems = 1024
/** Picks checked against stock in one go. */
const chunk = 4096

/**
 * Chooses by weight among the items in stock.
 *
 * The table holds the items that were in stock when it was built. A pick of one that has run out since is rejected
 * and drawn again, which gives its share to the others in exact proportion (or it turns into the fallback). The
 * table is built anew when the rejected picks have cost as much as that: a rebuild is then preceded by as many draws
 * as the pool has items, or the weight in stock has halved, which happens at most 50 times on weights up to 2^50. So
 * even a pool of a hundred thousand one-of-a-kind items takes time in proportion to its items.
 *
 * While no item can run out within a call (`#safe` bounds that from below), stock is not looked at at all.
 *
 * After a live change of a large pool the choice goes through a tree, in O(log n), until as many draws have come as
 * it takes to pay for a new table.
 */
export class WeightedChooser implements Chooser {
  readonly #pool: Pool
  #table: AliasTable | null = null
  #tree: TicketTree | null = null
  /** Draws for which no item in stock can run out, and the table holds no item that has. */
  #safe = 0
  #rejected = 0
  #drawsSinceBuild = 0
  #drawsSinceScan = 0
  /** Items in stock when the table was built. */
  #inTable = 0
  /** How often each item was picked in the chunk under way; all zero between calls. */
  #taken: Uint32Array = new Uint32Array(0)

  constructor(pool: Pool) {
    this.#pool = pool
  }

  choose(random: RandomWords, out: ItemIndexes, offset: number, count: number): number {
    if (this.#tree !== null) return this.#chooseFromTree(random, out, offset)
    const table = this.#ready(count)
    if (count <= this.#safe) {
      this.#count(count)
      if (count === 1) out[offset] = table.pick(random)
      else table.pickMany(random, out, offset, count)
      return count
    }
    if (count === 1) return this.#chooseOne(random, out, offset)
    return this.#chooseChecked(table, random, out, offset, Math.min(count, chunk))
  }

  #count(draws: number): void {
    this.#safe -= draws
    this.#drawsSinceBuild += draws
    this.#drawsSinceScan += draws
  }

  /** The table, built or scanned anew where that is due. */
  #ready(count: number): AliasTable {
    const items = this.#pool.itemIds.length
    if (this.#table === null || this.#rejected > items / 4 + 16) return this.#build()
    if (count > this.#safe && this.#drawsSinceScan >= items) this.#scan()
    return this.#table ?? this.#build()
  }

  #inStock(item: number): boolean {
    return this.#pool.stock[item]! > this.#pool.drawn[item]!
  }

  #fallbackInStock(): boolean {
    return this.#pool.fallback >= 0 && this.#inStock(this.#pool.fallback)
  }

  /** Weights of the items in stock, those of the others added to the fallback where it is in stock. */
  #liveWeights(): Float64Array {
    const { weights, fallback } = this.#pool
    const live = new Float64Array(weights.length)
    let gone = 0
    for (let i = 0; i < weights.length; i++) {
      if (this.#inStock(i)) live[i] = weights[i]!
      else gone += weights[i]!
    }
    if (this.#fallbackInStock()) live[fallback]! += gone
    return live
  }

  #build(): AliasTable {
    const live = this.#liveWeights()
    divideByCommonFactor(live)
    this.#table = new AliasTable(live)
    this.#tree = null
    this.#rejected = 0
    this.#drawsSinceBuild = 0
    this.#inTable = -1
    this.#scan()
    return this.#table
  }

  /** Finds how many draws are safe; drops the table where it holds items that have run out and has earned a new one. */
  #scan(): void {
    const { stock, drawn } = this.#pool
    let least = Number.POSITIVE_INFINITY
    let inStock = 0
    for (let i = 0; i < stock.length; i++) {
      const left = stock[i]! - drawn[i]!
      if (left === 0) continue
      inStock++
      if (left < least) least = left
    }
    this.#drawsSinceScan = 0
    if (this.#inTable < 0) this.#inTable = inStock
    const whole = inStock === this.#inTable
    this.#safe = whole ? least : 0
    if (!whole && this.#drawsSinceBuild >= stock.length) this.#table = null
  }

  #chooseOne(random: RandomWords, out: ItemIndexes, offset: number): number {
    let table = this.#table!
    for (;;) {
      const item = table.pick(random)
      if (this.#inStock(item)) out[offset] = item
      else if (this.#fallbackInStock()) out[offset] = this.#pool.fallback
      else {
        this.#rejected++
        table = this.#ready(1)
        continue
      }
      this.#count(1)
      return 1
    }
  }

  /**
   * A chunk of picks, each checked against what the picks before it have left. Leaving out a pick that cannot be and
   * going on with the next one is the same as drawing again, since picks are independent.
   */
  #chooseChecked(
    table: AliasTable,
    random: RandomWords,
    out: ItemIndexes,
    offset: number,
    count: number,
  ): number {
    const { stock, drawn, fallback } = this.#pool
    if (this.#taken.length !== stock.length) this.#taken = new Uint32Array(stock.length)
    const taken = this.#taken
    table.pickMany(random, out, offset, count)
    let chosen = 0
    for (let k = 0; k < count; k++) {
      let item = out[offset + k]!
      if (drawn[item]! + taken[item]! >= stock[item]!) {
        if (fallback < 0 || drawn[fallback]! + taken[fallback]! >= stock[fallback]!) {
          this.#rejected++
          continue
        }
        item = fallback
      }
      taken[item]!++
      out[offset + chosen++] = item
    }
    for (let k = 0; k < chosen; k++) taken[out[offset + k]!] = 0
    this.#count(chosen)
    return chosen > 0 ? chosen : this.#chooseOne(random, out, offset)
  }

  #chooseFromTree(random: RandomWords, out: ItemIndexes, offset: number): number {
    const tree = this.#tree!
    for (;;) {
      const item = tree.pick(random)
      if (!this.#inStock(item)) {
        tree.add(item, -tree.count(item))
        continue
      }
      out[offset] = item
      this.#count(1)
      // As many draws as there are items have paid for a table.
      if (this.#drawsSinceBuild >= this.#pool.itemIds.length) this.#tree = null
      return 1
    }
  }

  itemChanged(change: ItemChange, before: ItemBefore): void {
    const { weights, decimals, fallback } = this.#pool
    const reweighed = change.weight >= 0
    // Restocking what is in stock changes no chance, and `#safe` remains a bound from below.
    if (!reweighed && before.left > 0) return
    this.#table = null
    if (weights.length <= smallItems || fallback >= 0 || decimals !== before.decimals) {
      this.#tree = null
      return
    }
    if (this.#tree === null) {
      this.#tree = new TicketTree(this.#liveWeights())
      this.#drawsSinceBuild = 0
    } else if (this.#inStock(change.item)) {
      this.#tree.add(change.item, weights[change.item]! - this.#tree.count(change.item))
    }
  }
}

/** Divides by the greatest common divisor: smaller sums take fewer random bits and smaller tables. */
function divideByCommonFactor(weights: Float64Array): void {
  let factor = 0
  for (let i = 0; i < weights.length && factor !== 1; i++) {
    let a = weights[i]!
    while (a !== 0) [factor, a] = [a, factor % a]
  }
  if (factor > 1) for (let i = 0; i < weights.length; i++) weights[i]! /= factor
}
