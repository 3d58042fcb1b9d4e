import { listBytes } from '../pool/heap-size.ts'

/** The items of a pool as some of its versions have them: what outcomes of that time are read with. */
export interface Edition {
  readonly pool: string
  readonly itemIds: readonly string[]
}

interface CountedEdition extends Edition {
  entries: number
  readonly heapBytes: number
}

/** Editions that entries refer to, by number. One that no entry refers to any more is forgotten. */
export class Editions {
  readonly #editions: (CountedEdition | undefined)[] = []
  readonly #free: number[] = []
  /** By pool id, the number of the last one asked for. */
  readonly #latest = new Map<string, number>()
  /** Items of all editions. */
  items = 0
  /** What they take of the heap, that which pools still refer to included; see heap-size.ts. */
  heapBytes = 0

  /** Counts one more entry for the edition with these items, and returns its number. */
  take(pool: string, itemIds: readonly string[]): number {
    const latest = this.#latest.get(pool)
    const known = latest === undefined ? undefined : this.#editions[latest]
    if (known?.itemIds === itemIds) {
      known.entries++
      return latest!
    }
    const number = this.#free.pop() ?? this.#editions.length
    const heapBytes = listBytes(itemIds)
    this.#editions[number] = { pool, itemIds, entries: 1, heapBytes }
    this.heapBytes += heapBytes
    this.#latest.set(pool, number)
    this.items += itemIds.length
    return number
  }

  /** Counts one entry less. */
  release(number: number): void {
    const edition = this.#editions[number]!
    if (--edition.entries > 0) return
    this.#editions[number] = undefined
    this.#free.push(number)
    this.items -= edition.itemIds.length
    this.heapBytes -= edition.heapBytes
    if (this.#latest.get(edition.pool) === number) this.#latest.delete(edition.pool)
  }

  at(number: number): Edition {
    return this.#editions[number]!
  }
}
