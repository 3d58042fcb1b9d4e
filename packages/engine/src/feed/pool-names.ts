import type { State } from '../pool/state.ts'

/** Ids of pools and of their items as of the last durable batch; the state is ahead of it. By pool number. */
export class PoolNames {
  readonly #ids: (string | undefined)[] = []
  readonly #itemIds: (readonly string[] | undefined)[] = []

  constructor(state: State) {
    for (const pool of state.pools.values()) this.set(pool.number, pool.id, pool.itemIds)
  }

  set(number: number, id: string, itemIds: readonly string[]): void {
    this.#ids[number] = id
    this.#itemIds[number] = itemIds
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
