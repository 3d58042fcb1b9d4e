import type { DrawManyReceipt, DrawOptions, PoolManifest, PoolSummary, Receipt } from '@kuji/engine'
import type { RandomWords } from '../../../packages/engine/src/random/random-words.ts'
import type { Pools } from '../../src/statistics/pools.ts'

/** An item as the naive pools have it. */
export interface NaiveItem {
  readonly id: string
  weight: number
  stock: number
  drawn: number
}

export interface NaivePool {
  readonly id: string
  readonly isUrn: boolean
  readonly fallback: string | undefined
  readonly items: NaiveItem[]
}

/**
 * Pools that draw in the most simple way there is: add the weights up, take a number below the sum, count along. What
 * is flawed overrides a step of it. Weights are whole numbers.
 */
export class NaivePools implements Pools {
  protected readonly random: RandomWords
  readonly #pools = new Map<string, NaivePool>()
  #draws = 0

  constructor(random: RandomWords) {
    this.random = random
  }

  async putPool({ id, mode, fallback, items }: PoolManifest): ReturnType<Pools['putPool']> {
    const all = items.map(item => {
      const stock = item.stock === 'unlimited' ? Number.POSITIVE_INFINITY : item.stock
      return { id: item.id, weight: item.weight ?? 0, stock, drawn: 0 }
    })
    this.#pools.set(id, { id, isUrn: mode === 'urn', fallback, items: all })
    return { id, version: 1, created: true, changed: true }
  }

  async updateItem(
    pool: string,
    item: string,
    { restock = 0, weight }: { restock?: number; weight?: number },
  ): Promise<PoolSummary> {
    const found = this.#pools.get(pool)!.items.find(({ id }) => id === item)!
    found.stock += restock
    if (weight !== undefined) this.reweigh(found, weight)
    return { id: pool } as PoolSummary
  }

  async draw(id: string, { count = 1, key = '' }: DrawOptions = {}): Promise<Receipt> {
    const pool = this.#pools.get(id)!
    const items = Array.from({ length: count }, (_, place) => pool.items[this.take(pool, key, place)]!.id)
    return { ...this.#receipt(id, count), items }
  }

  async drawMany(id: string, count: number): Promise<DrawManyReceipt> {
    const pool = this.#pools.get(id)!
    const itemIds = pool.items.map(item => item.id)
    const items = new Uint32Array(count)
    for (let k = 0; k < count; k++) items[k] = this.take(pool, '', k)
    return { ...this.#receipt(id, count), items, itemIds, counts: new Float64Array(itemIds.length) }
  }

  async close(): Promise<void> {}

  #receipt(pool: string, count: number) {
    const id = this.#draws + 1
    this.#draws += count
    return { id, pool, version: 1, at: 0, replayed: false }
  }

  protected reweigh(item: NaiveItem, weight: number): void {
    item.weight = weight
  }

  /** One draw: the index of the item, which has one unit less then. `place` counts the draws of the request. */
  protected take(pool: NaivePool, _key: string, _place: number): number {
    const item = this.choose(pool)
    pool.items[item]!.drawn++
    return item
  }

  protected choose(pool: NaivePool): number {
    let sum = 0
    for (let k = 0; k < pool.items.length; k++) sum += this.chanceOf(pool, pool.items[k]!)
    return this.find(pool, this.below(sum))
  }

  /** The item that a number falls to. */
  protected find(pool: NaivePool, number: number): number {
    let left = number
    for (let k = 0; ; k++) {
      left -= this.chanceOf(pool, pool.items[k]!)
      if (left < 0) return k
    }
  }

  /** What an item adds to the sum. */
  protected chanceOf(pool: NaivePool, item: NaiveItem): number {
    if (pool.isUrn) return item.stock - item.drawn
    const share = item.stock > item.drawn ? item.weight : 0
    if (item.id !== pool.fallback) return share
    return pool.items.reduce((sum, { stock, drawn, weight }) => sum + (stock > drawn ? 0 : weight), share)
  }

  protected below(total: number): number {
    return this.random.below(total)
  }
}
