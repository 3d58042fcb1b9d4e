/** Anything JSON can say. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }

/** Units of an item: a whole number from 0, or `unlimited`. */
export type Stock = number | 'unlimited'

/** How a pool chooses: by weight, or like tickets drawn from a box without putting them back. */
export type Mode = 'weighted' | 'urn'

/** `open` draws, `paused` refuses until resumed, `closed` refuses for good. */
export type Status = 'open' | 'paused' | 'closed'

/** One kind of prize, as its owner declares it. */
export interface ItemManifest {
  /** 1–128 letters, digits, `.`, `_`, `-`, `:`, the first a letter, a digit or `_`; unique in its pool. */
  readonly id: string
  /**
   * Relative chance while in stock: a number above 0 with at most 9 decimal places. Required in a `weighted` pool
   * (the `lastOne` item has none, and the `fallback` item may have 0); an urn has no weights.
   */
  readonly weight?: number
  /** Units there are in all, those already drawn included. `unlimited` is not for urns. */
  readonly stock: Stock
  /** Free-form data, kept and given back as it is: at most 4,096 bytes of JSON, 16 levels deep. */
  readonly metadata?: Json
}

/** A pool's rules as one document. Putting it makes a new version; drawn units stay drawn. */
export interface PoolManifest {
  /** Same set as an item's id. */
  readonly id: string
  /** Default `weighted`. */
  readonly mode?: Mode
  readonly items: readonly ItemManifest[]
  /** Weighted pools: the item that takes the share of each item that has run out, so that the other odds stay. */
  readonly fallback?: string
  /** Urns: an item outside the box, given as an extra to whoever draws the last ticket. */
  readonly lastOne?: string
  readonly metadata?: Json
}

/** An item and its live numbers. finite stock = remaining + held + drawn. */
export interface ItemState {
  readonly id: string
  /** As declared; absent in urns and for the `lastOne` item. */
  readonly weight?: number
  readonly stock: Stock
  readonly remaining: Stock
  /** Units kept for holds (none in this version). */
  readonly held: number
  readonly drawn: number
  /** Chance of the next draw, 0 to 1. */
  readonly odds: number
  readonly metadata?: Json
}

/** A pool and its live numbers. */
export interface PoolState {
  readonly id: string
  /** 1 for a new pool, one more for every change of its rules. */
  readonly version: number
  readonly mode: Mode
  readonly status: Status
  /** Draws from this pool in all. */
  readonly drawn: number
  readonly fallback?: string
  readonly lastOne?: string
  readonly metadata?: Json
  readonly items: readonly ItemState[]
}

/** A pool in a list: its state without the items. */
export interface PoolSummary {
  readonly id: string
  readonly version: number
  readonly mode: Mode
  readonly status: Status
  readonly drawn: number
  /** Number of items. */
  readonly items: number
  /** Units that can still be drawn. */
  readonly remaining: Stock
}

/** What a put returns. */
export interface PutResult {
  readonly id: string
  readonly version: number
  /** False when the pool existed and got a new version, or was the same already. */
  readonly created: boolean
  /** False when the manifest equals the present rules: nothing was logged and the version stayed. */
  readonly changed: boolean
}

/** A change of one item. At least one field is given. */
export interface ItemUpdate {
  /** Units to add to stock: a whole number from 1. */
  readonly restock?: number
  /** The new weight; `weighted` pools only. */
  readonly weight?: number
}

export interface DrawOptions {
  /** Draws to make, 1 (default) to 10,000: all or none. */
  readonly count?: number
  /** Take what is left when that is less than `count`; only an empty pool is refused. */
  readonly partial?: boolean
  /**
   * The caller's idempotency key, 1 to 255 characters, scoped to the pool: the same key with the same request gives
   * the same receipt, within the retention time, and with another request `KEY_CONFLICT`.
   */
  readonly key?: string
  /** Whom the draw is for, 1 to 255 characters; kept in the log. */
  readonly recipient?: string
}

/** What a change of a pool rests on. */
export interface ChangeOptions {
  /**
   * The change is made only where the pool has this version, 0 where it does not exist; else `VERSION_CONFLICT`.
   * Versions count the changes of one pool: one that is deleted and put again begins with 1, and is not told from the
   * one before.
   */
  readonly ifVersion?: number
}

/** What a draw request returns: item k has the draw number `id + k`. */
export interface Receipt {
  /** The first draw number. */
  readonly id: number
  readonly pool: string
  /** Item ids in the order drawn. Not to be changed: receipts of single draws share it. */
  readonly items: readonly string[]
  /** The pool's version that the draw was made under. */
  readonly version: number
  /** Time in the log, in milliseconds since 1970. */
  readonly at: number
  /** True when an earlier request made this draw: one with the same key, or the one whose receipt is looked up. */
  readonly replayed: boolean
}

/** Item indexes, as narrow as the pool's number of items allows. */
export type ItemIndexes = Uint8Array | Uint16Array | Uint32Array

export interface DrawManyOptions {
  /** Take what is left when that is less than the count; only an empty pool is refused. */
  readonly partial?: boolean
}

/** What a bulk draw returns: no object per draw. */
export interface DrawManyReceipt {
  /** The first draw number. */
  readonly id: number
  readonly pool: string
  /** One index into `itemIds` for each draw, in order. */
  readonly items: ItemIndexes
  /** The pool's item ids in the order of its version. Shared: do not change it. */
  readonly itemIds: readonly string[]
  /** How often each item of `itemIds` was drawn; counted when first read. */
  readonly counts: Float64Array
  readonly version: number
  /** Time in the log, in milliseconds since 1970. */
  readonly at: number
  readonly replayed: boolean
}

/** One durable batch, as those who watch a log see it. */
export interface LogEvent {
  /** Position in the log. Batches without anything to tell are left out, so numbers may have gaps. */
  readonly lsn: number
  /** Time in the log, in milliseconds since 1970. */
  readonly at: number
  readonly changes: readonly LogChange[]
}

/** What happened, in order: draws of one pool, or a change of a pool. */
export type LogChange =
  | {
      readonly type: 'draws'
      readonly pool: string
      /** Draw number of the first item. */
      readonly id: number
      readonly items: readonly string[]
      /** The request's own, where it had them. Draws without either may be several requests in one. */
      readonly key?: string
      readonly recipient?: string
    }
  | {
      readonly type: 'pool'
      readonly pool: string
      readonly change: 'put' | 'updated' | 'paused' | 'resumed' | 'closed' | 'deleted'
    }

export interface WatchOptions {
  /** Goes on behind this LSN. Default: from now on. */
  readonly after?: number
  readonly signal?: AbortSignal
}

/**
 * `sync`: on the device before the answer · `os`: handed to the kernel before the answer, survives a process crash ·
 * `none`: memory only.
 */
export type Durability = 'sync' | 'os' | 'none'
