import type { ItemManifest, PoolManifest } from '@kuji/engine/contract'
import type { Chance } from '../chance.ts'
import type { DrawOperation, Operation } from './model/operation.ts'

const poolIds = ['summer', 'box', 'wheel', 'raffle']
/** Draw numbers that a receipt is asked for, from the first one on: as many as a run may come to. */
const drawsAtMost = 20_000

/** Makes up what clients ask for. */
export class OperationMaker {
  readonly #chance: Chance
  readonly #plain: boolean
  readonly #pools: string[]
  /** Pools that were closed, and one more for each that has taken the place of one. */
  readonly #closed: string[] = []
  readonly #waiting: Operation[] = []
  /** Share of draws with a key: with many, tables of keys outgrow their first size. */
  readonly #keyed: number
  #keys = 0
  /** Keyed draws made before, to be asked for again. */
  readonly #asked: DrawOperation[] = []
  /** Last manifest made of a pool, to be put again or changed a little. */
  readonly #manifests = new Map<string, PoolManifest>()

  /** @param plain see Plan */
  constructor(chance: Chance, plain: boolean) {
    this.#plain = plain
    this.#chance = chance
    this.#keyed = chance.pick([0.2, 0.5, 0.95])
    this.#pools = poolIds.slice(0, chance.between(1, poolIds.length))
  }

  /** The pools that a run begins with. */
  first(): Operation[] {
    return this.#pools.map(id => ({ kind: 'put', manifest: this.#manifest(id) }))
  }

  next(): Operation {
    const waiting = this.#waiting.shift()
    if (waiting !== undefined) return waiting
    const kind = this.#chance.below(1000)
    const pool = this.#pool()
    if (kind < 700) return this.#draw(pool)
    if (kind < 780) return this.#again() ?? this.#draw(pool)
    if (kind < 820) return { kind: 'read', pool }
    if (kind < 830) return { kind: 'receipt', draw: Math.ceil(this.#chance.spread(1, drawsAtMost)) }
    if (kind < 900) return this.#update(pool)
    if (kind < 970) return this.#put(pool)
    if (kind < 992) return { kind: 'status', pool, status: this.#chance.happens(0.1) ? 'paused' : 'open' }
    if (kind < 993) return this.#close(pool)
    return this.#plain ? this.#draw(pool) : { kind: 'delete', pool }
  }

  /** One that is open, most of the time. */
  #pool(): string {
    const chance = this.#chance
    if (chance.happens(0.01)) return 'nowhere'
    return this.#closed.length > 0 && chance.happens(0.03)
      ? chance.pick(this.#closed)
      : chance.pick(this.#pools)
  }

  /** Closes a pool. Another one is put in its place: a closed one does nothing any more. */
  #close(pool: string): Operation {
    const place = this.#pools.indexOf(pool)
    if (place >= 0) {
      this.#closed.push(pool)
      const id = `${pool.split('-')[0]}-${this.#closed.length}`
      this.#pools[place] = id
      this.#waiting.push({ kind: 'put', manifest: this.#manifest(id) })
    }
    return { kind: 'status', pool, status: 'closed' }
  }

  #draw(pool: string): DrawOperation {
    const chance = this.#chance
    const count = chance.happens(0.6) ? 1 : Math.floor(chance.spread(1, chance.happens(0.1) ? 1500 : 30))
    const partial = chance.happens(0.2)
    const bulk = chance.happens(0.1)
    const key = !bulk && chance.happens(this.#keyed) ? `key-${this.#keys++}` : ''
    const recipient = !bulk && chance.happens(0.2) ? `user-${chance.below(9)}` : ''
    const operation: DrawOperation = { kind: 'draw', pool, count, partial, bulk, key, recipient }
    if (key !== '') this.#asked.push(operation)
    return operation
  }

  /** A draw that was asked for before: by a caller who did not hear, or wrongly for something else. */
  #again(): DrawOperation | undefined {
    const chance = this.#chance
    const recent = chance.happens(0.7) ? Math.max(0, this.#asked.length - 10) : 0
    const operation = this.#asked[recent + chance.below(this.#asked.length - recent)]
    if (operation === undefined || chance.happens(0.85)) return operation
    return chance.happens(0.5)
      ? { ...operation, count: operation.count + 1 }
      : { ...operation, recipient: 'someone-else' }
  }

  #update(pool: string): Operation {
    const chance = this.#chance
    const items = this.#manifests.get(pool)?.items ?? [{ id: 'item-0' }]
    const item = chance.happens(0.05) ? 'nothing' : chance.pick(items).id
    const restock = { restock: chance.between(1, 40) }
    const weight = { weight: chance.between(0, 20) / 4 }
    const both = this.#plain ? weight : { ...restock, ...weight }
    const update = chance.pick([restock, restock, weight, both])
    return { kind: 'update', pool, item, update, ...this.#condition() }
  }

  #put(pool: string): Operation {
    const known = this.#manifests.get(pool)
    const manifest =
      known === undefined || this.#chance.happens(0.1) ? this.#manifest(pool) : this.#vary(known)
    return { kind: 'put', manifest, ...this.#condition() }
  }

  /** The same again, or with more stock, or without some items. */
  #vary(manifest: PoolManifest): PoolManifest {
    const chance = this.#chance
    const way = chance.below(4)
    if (way === 0) return manifest
    const named = [manifest.lastOne, manifest.fallback]
    const items = manifest.items
      .filter(({ id }) => way !== 1 || named.includes(id) || chance.happens(0.9))
      .map(item => (item.stock === 'unlimited' ? item : { ...item, stock: item.stock + chance.below(200) }))
    const chosen = items.some(({ id }) => !named.includes(id)) ? { ...manifest, items } : manifest
    this.#manifests.set(manifest.id, chosen)
    return chosen
  }

  #condition(): { readonly ifVersion?: number } {
    return this.#chance.happens(0.1) ? { ifVersion: this.#chance.below(6) } : {}
  }

  #manifest(id: string): PoolManifest {
    const chance = this.#chance
    const urn = chance.happens(0.4)
    const count = chance.pick([1, 2, 3, 6, 20, 20, 300])
    const items: ItemManifest[] = Array.from({ length: count }, (_, place) => {
      const stock = chance.pick([0, 1, chance.between(1, 30), chance.between(100, 3000)])
      if (urn) return { id: `item-${place}`, stock }
      return {
        id: `item-${place}`,
        weight: chance.between(1, 400) / 4,
        stock: chance.happens(0.2) ? 'unlimited' : stock,
      }
    })
    const extra: ItemManifest = { id: 'extra', stock: chance.pick([0, 1, 5, 'unlimited']) }
    const fallback: ItemManifest = {
      id: 'thanks',
      weight: chance.pick([0, 3]),
      stock: chance.pick([9, 'unlimited']),
    }
    const manifest: PoolManifest = urn
      ? {
          id,
          mode: 'urn',
          ...(chance.happens(0.5) ? { items: [...items, extra], lastOne: 'extra' } : { items }),
        }
      : { id, ...(chance.happens(0.4) ? { items: [...items, fallback], fallback: 'thanks' } : { items }) }
    this.#manifests.set(id, manifest)
    return manifest
  }
}
