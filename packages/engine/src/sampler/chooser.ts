import type { ItemIndexes } from '../contract/index.ts'
import type { Pool } from '../pool/pool.ts'
import type { ItemChange } from '../pool/state.ts'
import type { RandomWords } from '../random/random-words.ts'
import { UrnChooser } from './urn-chooser.ts'
import { WeightedChooser } from './weighted-chooser.ts'

/**
 * Chooses items of one pool by its rules and its present stock. It looks at the pool and never changes it; what it
 * keeps is derived, and built anew at the first draw after a start or a new manifest.
 */
export interface Chooser {
  /**
   * Chooses up to `count` items, in order, into `out` from `offset` on, and returns how many: at least one. They are
   * applied to the pool before the next call. The pool holds at least `count` units.
   */
  choose(random: RandomWords, out: ItemIndexes, offset: number, count: number): number
  /** One item of the pool was restocked or reweighed; `before` is what it was. */
  itemChanged(change: ItemChange, before: ItemBefore): void
}

export interface ItemBefore {
  readonly left: number
  readonly decimals: number
}

export function createChooser(pool: Pool): Chooser {
  return pool.mode === 'urn' ? new UrnChooser(pool) : new WeightedChooser(pool)
}
