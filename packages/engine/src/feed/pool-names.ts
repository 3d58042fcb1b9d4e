import type { State } from '../pool/state.ts'
import { sameItems } from '../pool/state.ts'

/** Ids of pools and of their items as of the last durable batch; the state is ahead of it. By pool number. */
export class PoolNames {
  readonly #state: State
  readonly #ids: (string | undefined)[] = []
  readonly #itemIds: (readonly string[] | undefined)[] = []

  constructor(state: State) {
    this.#state = state
    for (const pool of state.pools.values()) this.set(pool.number, pool.id, pool.itemIds)
  }

  set(number: number, id: string, itemIds: readonly string[]): void {
    this.#ids[number] = id
    // Where it reads the same, the state's own list: a copy of a million ids would be kept for nothing.
    const live = this.#state.byNumber.get(number)?.itemIds
    this.#itemIds[number] = live !== undefined && sameItems(live, itemIds) ? live : itemIds
  }

  delete(number: number): void {
    this.#ids[number] = undefined
    this.#itemIds[number] = undefined
  }

  id(number: number): string {
    return this.#ids[number]!
  }

  itemIds(number: number): readonly string[] {
    return this.#itemIds[number]!
  }
}
