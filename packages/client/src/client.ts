import {
  type ItemUpdate,
  type LogEvent,
  limits,
  type PoolManifest,
  type PoolState,
  type PoolSummary,
  type PutResult,
  type Receipt,
  type WatchOptions,
} from '@kuji/engine/contract'
import {
  decodeHealth,
  decodePage,
  decodePool,
  decodePut,
  decodeReceipt,
  decodeSummary,
  type Health,
} from './answers.ts'
import { followEvents } from './event-stream.ts'
import { clientLimits } from './limits.ts'
import {
  type CallOptions,
  type ClientChangeOptions,
  type ClientDrawOptions,
  type ClientOptions,
  checkKey,
  checkObject,
  checkWhole,
  readOptions,
  segment,
} from './options.ts'
import { randomUuid } from './random.ts'
import { type Repeat, Requester } from './requester.ts'

const noOptions = {}
/** The largest page that the server gives. */
const pageSize = 1000

/**
 * A kuji server from anywhere that has `fetch`. Every call is tried again, with growing pauses, as long as that is
 * safe and its deadline allows; it rejects with a `KujiError` by code. Besides the server's refusals that is
 * `OUTCOME_UNKNOWN` where a change may have taken place and nobody answered, and `INTERNAL` where there was no answer
 * and certainly no change. Aborted calls reject with the reason of their signal. Since 0.1.
 */
export class KujiClient {
  readonly #requester: Requester

  /** Throws `INVALID`, naming the option. Nothing is sent. */
  constructor(options: ClientOptions) {
    this.#requester = new Requester(readOptions(options))
  }

  /**
   * Draws 1 (or `count`, up to 10,000) items: all or none, and once, however often it has to be asked. All tries have
   * one key: `key`, or a random one. Rejects with `INVALID`, `POOL_NOT_FOUND`, `POOL_CLOSED`, `POOL_PAUSED`,
   * `POOL_EMPTY`, `INSUFFICIENT_STOCK`, `KEY_CONFLICT`; an `OUTCOME_UNKNOWN` has the key in its fields, to ask again
   * with.
   */
  async draw(pool: string, options: ClientDrawOptions = noOptions): Promise<Receipt> {
    const { count, partial, recipient, key = randomUuid() } = checkObject(options, 'options')
    const path = `/v1/pools/${segment(pool, 'pool')}/draws`
    return this.#requester.run(
      {
        method: 'POST',
        path,
        body: { count, partial, recipient },
        // A string of RFC 9651.
        headers: { 'idempotency-key': `"${checkKey(key).replaceAll(/["\\]/g, '\\$&')}"` },
        repeat: 'keyed',
        decode: decodeReceipt,
        fields: { pool, key },
      },
      options,
    )
  }

  /** The receipt that holds a draw number. Rejects with `DRAW_NOT_FOUND` where it had no key, or one no longer kept. */
  async receipt(id: number, options: CallOptions = noOptions): Promise<Receipt> {
    const path = `/v1/draws/${checkWhole(id, 'id', 1, limits.safeInteger)}`
    return this.#read(path, decodeReceipt, options)
  }

  /** A pool with its live numbers. Rejects with `POOL_NOT_FOUND`. */
  async pool(pool: string, options: CallOptions = noOptions): Promise<PoolState> {
    const path = `/v1/pools/${segment(pool, 'pool')}`
    return this.#requester.run(
      { method: 'GET', path, repeat: 'read', decode: decodePool, mostBytes: clientLimits.poolBytes },
      options,
    )
  }

  /** All pools in the order of their ids, fetched in pages as they are read. The deadline is that of each page. */
  async *pools(options: CallOptions = noOptions): AsyncGenerator<PoolSummary, void, undefined> {
    for (let after: string | undefined, more = true; more; more = after !== undefined) {
      const query = after === undefined ? '' : `&after=${encodeURIComponent(after)}`
      const page = await this.#read(`/v1/pools?limit=${pageSize}${query}`, decodePage, options)
      yield* page.pools
      after = page.next
    }
  }

  /** How the server is doing. */
  async health(options: CallOptions = noOptions): Promise<Health> {
    return this.#read('/healthz', decodeHealth, options)
  }

  /**
   * Creates a pool, or gives it a new version of its rules. With `ifVersion` only where that is its version (0: where
   * there is none). Asked again after a try in doubt: without `ifVersion` a change that somebody else made in between
   * is put over, and `created` tells of the last try. Rejects with `INVALID`, `TOO_LARGE`, `POOL_CLOSED`,
   * `VERSION_CONFLICT`.
   */
  async putPool(manifest: PoolManifest, options: ClientChangeOptions = noOptions): Promise<PutResult> {
    const { id } = checkObject(manifest, 'manifest')
    const { ifVersion } = checkObject(options, 'options')
    return this.#requester.run(
      {
        method: 'PUT',
        path: `/v1/pools/${segment(id, 'pool')}`,
        body: manifest,
        headers: conditionOf(ifVersion),
        repeat: ifVersion === undefined ? 'same' : 'versioned',
        decode: decodePut,
        fields: { pool: id },
      },
      options,
    )
  }

  /**
   * Restocks or reweighs an item. A restock without `ifVersion` is not asked again once it may have arrived, since it
   * would add twice: that is an `OUTCOME_UNKNOWN`. Rejects with `INVALID`, `POOL_NOT_FOUND`, `ITEM_NOT_FOUND`,
   * `POOL_CLOSED`, `VERSION_CONFLICT`.
   */
  async updateItem(
    pool: string,
    item: string,
    update: ItemUpdate,
    options: ClientChangeOptions = noOptions,
  ): Promise<PoolSummary> {
    const { restock } = checkObject(update, 'update')
    const { ifVersion } = checkObject(options, 'options')
    const unguarded: Repeat = restock === undefined ? 'same' : 'never'
    return this.#requester.run(
      {
        method: 'PATCH',
        path: `/v1/pools/${segment(pool, 'pool')}/items/${segment(item, 'item')}`,
        body: update,
        headers: conditionOf(ifVersion),
        repeat: ifVersion === undefined ? unguarded : 'versioned',
        decode: decodeSummary,
        fields: { pool, item },
      },
      options,
    )
  }

  /** Refuses draws until resumed. Rejects with `POOL_NOT_FOUND`, `POOL_CLOSED`. */
  async pausePool(pool: string, options: CallOptions = noOptions): Promise<PoolSummary> {
    return this.#act('POST', pool, '/pause', 'same', options)
  }

  /** Draws again after a pause. Rejects with `POOL_NOT_FOUND`, `POOL_CLOSED`. */
  async resumePool(pool: string, options: CallOptions = noOptions): Promise<PoolSummary> {
    return this.#act('POST', pool, '/resume', 'same', options)
  }

  /** Refuses draws and changes for good; the pool can still be read. Rejects with `POOL_NOT_FOUND`. */
  async closePool(pool: string, options: CallOptions = noOptions): Promise<PoolSummary> {
    return this.#act('POST', pool, '/close', 'same', options)
  }

  /**
   * Forgets a pool and returns its last state. Not asked again once it may have arrived: a pool that was made anew in
   * between would go too. Rejects with `POOL_NOT_FOUND`.
   */
  async deletePool(pool: string, options: CallOptions = noOptions): Promise<PoolSummary> {
    return this.#act('DELETE', pool, '', 'never', options)
  }

  /**
   * Durable batches as they come, without a gap, from behind the LSN `after`, or from when the first stream is open.
   * Lost connections are resumed behind the last event. Ends with the signal. Throws what is refused, and `INTERNAL`
   * after as many failures in a row as the client has retries. `INVALID` with `since` is told where events from there
   * on are no longer kept, as after a restart of the server: read what you follow anew, and go on with `after:
   * since`.
   */
  async *events(options: WatchOptions = noOptions): AsyncGenerator<LogEvent, void, undefined> {
    const { after, signal } = checkObject(options, 'options')
    if (after !== undefined) checkWhole(after, 'after', 0, limits.safeInteger)
    try {
      // Now has to have a number, or a connection that breaks before the first event would leave a gap.
      const begin = after ?? (await this.health(signal === undefined ? noOptions : { signal })).lsn
      yield* followEvents(this.#requester, { after: begin, about: after === undefined }, signal)
    } catch (error) {
      if (!signal?.aborted) throw error
    }
  }

  #read<Result>(
    path: string,
    decode: (json: unknown) => Result | undefined,
    options: CallOptions,
  ): Promise<Result> {
    return this.#requester.run({ method: 'GET', path, repeat: 'read', decode }, options)
  }

  #act(
    method: 'POST' | 'DELETE',
    pool: string,
    action: string,
    repeat: Repeat,
    options: CallOptions,
  ): Promise<PoolSummary> {
    const path = `/v1/pools/${segment(pool, 'pool')}${action}`
    return this.#requester.run({ method, path, repeat, decode: decodeSummary, fields: { pool } }, options)
  }
}

/** The version that a change is made for, as HTTP has it: rules have their version as their entity tag. */
function conditionOf(ifVersion: number | undefined): Readonly<Record<string, string>> {
  if (ifVersion === undefined) return {}
  checkWhole(ifVersion, 'ifVersion', 0, limits.safeInteger)
  return ifVersion === 0 ? { 'if-none-match': '*' } : { 'if-match': `"${ifVersion}"` }
}
