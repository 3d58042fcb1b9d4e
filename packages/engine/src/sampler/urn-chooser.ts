import type { ItemIndexes } from '../contract/index.ts'
import type { Pool } from '../pool/pool.ts'
import type { ItemChange } from '../pool/state.ts'
import type { RandomWords } from '../random/random-words.ts'
import type { Chooser } from './chooser.ts'
import { TicketTree } from './ticket-tree.ts'

/** Draws tickets without putting them back: chance = tickets left / all tickets left. The lastOne item is no ticket. */
export class UrnChooser implements Chooser {
  readonly #lastOne: number
  readonly #tickets: TicketTree

  constructor(pool: Pool) {
    this.#lastOne = pool.lastOne
    const left = pool.stock.map((stock, i) => (i === pool.lastOne ? 0 : stock - pool.drawn[i]!))
    this.#tickets = new TicketTree(left)
  }

  choose(random: RandomWords, out: ItemIndexes, offset: number, count: number): number {
    for (let k = offset, end = offset + count; k < end; k++) out[k] = this.#tickets.take(random)
    return count
  }

  itemChanged({ item, restock }: ItemChange): void {
    if (restock > 0 && item !== this.#lastOne) this.#tickets.add(item, restock)
  }
}
