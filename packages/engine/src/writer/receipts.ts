import type { DrawManyReceipt, ItemIndexes, Receipt } from '../contract/index.ts'
import type { KeyEntry } from '../keys/key-entries.ts'
import type { KeyTable } from '../keys/key-table.ts'

/** The receipt of a kept draw. */
export function readReceipt(keys: KeyTable, entry: KeyEntry): Receipt {
  const { firstDraw, version, time } = entry
  const receipt = makeReceipt(firstDraw, keys.editionOf(entry).pool, keys.itemsOf(entry), version, time)
  return { ...receipt, replayed: true }
}

export function makeReceipt(
  id: number,
  pool: string,
  items: readonly string[],
  version: number,
  at: number,
): Receipt {
  return { id, pool, items, version, at, replayed: false }
}

// A field that has held nothing but large numbers gets a box of its own for each one, 16 bytes a receipt. A field that
// has once held something else takes the box it is given: the same one for all receipts of a batch.
makeReceipt(0, '', [], 0, undefined as unknown as number)

/** A bulk receipt; counting waits until somebody asks. */
export class BulkReceipt implements DrawManyReceipt {
  readonly id: number
  readonly pool: string
  readonly items: ItemIndexes
  readonly itemIds: readonly string[]
  readonly version: number
  readonly at: number
  readonly replayed = false
  #counts: Float64Array | null = null

  constructor(
    id: number,
    pool: string,
    items: ItemIndexes,
    itemIds: readonly string[],
    version: number,
    at: number,
  ) {
    this.id = id
    this.pool = pool
    this.items = items
    this.itemIds = itemIds
    this.version = version
    this.at = at
  }

  get counts(): Float64Array {
    if (this.#counts === null) {
      this.#counts = new Float64Array(this.itemIds.length)
      for (let k = 0; k < this.items.length; k++) this.#counts[this.items[k]!]!++
    }
    return this.#counts
  }
}
