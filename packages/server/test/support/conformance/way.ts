import type { DrawOptions, ItemUpdate, PoolManifest, PutResult } from '@kuji/engine/contract'

/** What every way into kuji tells of a draw. */
export interface DrawAnswer {
  readonly id: number
  readonly items: readonly string[]
  /** Where the way tells it with the draw itself; RESP has it in RECEIPT. */
  readonly replayed?: boolean
}

export interface ReceiptAnswer extends DrawAnswer {
  readonly pool: string
  readonly version: number
  readonly replayed: boolean
  /** Milliseconds since 1970. */
  readonly at: number
}

export interface PoolAnswer {
  readonly version: number
  readonly status: string
  readonly drawn: number
  /** By item id. */
  readonly remaining: Readonly<Record<string, number | 'unlimited'>>
}

/** One way into kuji. A refusal is thrown, with its `code`. */
export interface Way {
  draw(pool: string, options?: DrawOptions): Promise<DrawAnswer>
  receipt(id: number): Promise<ReceiptAnswer>
  pool(id: string): Promise<PoolAnswer>
  /** Ids of the pools, in order. */
  pools(): Promise<readonly string[]>
  put(manifest: PoolManifest): Promise<PutResult>
  /** The new version. RESP restocks, and has no other change of an item. */
  update(pool: string, item: string, update: ItemUpdate): Promise<number>
  /** A put for one version, where the way has that. */
  readonly putFor?: (manifest: PoolManifest, version: number) => Promise<PutResult>
}

/** A refusal as a way has told it. */
export class Refused extends Error {
  readonly code: string

  constructor(code: string, message: string) {
    super(`${code}: ${message}`)
    this.code = code
  }
}
