import type { ItemIndexes, ItemManifest, Json, PoolManifest, Status } from '../contract/index.ts'
import type { KeyPolicy } from '../keys/key-table.ts'
import type { Rules } from '../pool/manifest.ts'
import type { Pool } from '../pool/pool.ts'
import type { ItemChange, LoggedRequest, State } from '../pool/state.ts'
import { unscaleWeight } from '../pool/weight.ts'
import type { BatchHeader } from '../record/batch.ts'
import type { SealReason } from '../record/records.ts'
import type { ReplayObserver } from '../recovery/replay.ts'
import type { LogObserver } from './report.ts'

export function hexHash(hash: number): string {
  return (hash >>> 0).toString(16).padStart(8, '0')
}

/** A pool's rules as the document that declares them. */
function describeRules(rules: Rules): PoolManifest {
  const { id, mode, itemIds, weights, decimals, stock, fallback, lastOne, metadata, itemMetadata } = rules
  const items: ItemManifest[] = itemIds.map((itemId, i) => ({
    id: itemId,
    ...(mode === 'weighted' ? { weight: unscaleWeight(weights[i]!, decimals) } : {}),
    stock: stock[i] === Number.POSITIVE_INFINITY ? 'unlimited' : stock[i]!,
    ...((itemMetadata?.[i] ?? '') === '' ? {} : { metadata: JSON.parse(itemMetadata![i]!) as Json }),
  }))
  return {
    id,
    mode,
    items,
    ...(fallback < 0 ? {} : { fallback: itemIds[fallback]! }),
    ...(lastOne < 0 ? {} : { lastOne: itemIds[lastOne]! }),
    ...(metadata === '' ? {} : { metadata: JSON.parse(metadata) as Json }),
  }
}

/** The key and the recipient of a request, where it has them. */
function namesOf({ key, recipient }: LoggedRequest): { key?: string; recipient?: string } {
  return { ...(key === '' ? {} : { key }), ...(recipient === '' ? {} : { recipient }) }
}

/** Tells a LogObserver, in ids, what the replay tells in numbers. */
export class ReplayTeller implements ReplayObserver {
  readonly #observer: LogObserver
  readonly #state: State
  #lsn = 0
  #at = 0
  #nextDraw = 0

  constructor(observer: LogObserver, state: State) {
    this.#observer = observer
    this.#state = state
  }

  get #place(): { lsn: number; at: number; nextDraw: number } {
    return { lsn: this.#lsn, at: this.#at, nextDraw: this.#nextDraw }
  }

  batch(header: BatchHeader): void {
    this.#lsn = header.lsn
    this.#at = header.time
    this.#nextDraw = header.firstDraw
  }

  draws(
    pool: Pool,
    firstDraw: number,
    items: ItemIndexes,
    start: number,
    count: number,
    request?: LoggedRequest,
  ): void {
    this.#nextDraw = firstDraw + count
    const { id, version, itemIds } = pool
    const [lsn, at] = [this.#lsn, this.#at]
    const own = request === undefined ? {} : namesOf(request)
    this.#observer.draws?.({ lsn, at, pool: id, version, itemIds, firstDraw, items, start, count, ...own })
  }

  keyPolicy({ retentionMs, most }: KeyPolicy): void {
    this.#observer.change?.({ ...this.#place, type: 'keys', retentionMs, most })
  }

  put(number: number, rules: Rules): void {
    if (this.#observer.change === undefined) return
    const version = (this.#state.byNumber.get(number)?.version ?? 0) + 1
    const manifest = describeRules(rules)
    this.#observer.change({ ...this.#place, type: 'put', pool: rules.id, version, manifest })
  }

  item(pool: Pool, change: ItemChange): void {
    this.#observer.change?.({
      ...this.#place,
      type: 'update',
      pool: pool.id,
      version: pool.version + 1,
      item: pool.itemIds[change.item]!,
      ...(change.restock > 0 ? { restock: change.restock } : {}),
      ...(change.weight >= 0 ? { weight: unscaleWeight(change.weight, change.decimals) } : {}),
    })
  }

  status(pool: Pool, status: Status): void {
    this.#observer.change?.({ ...this.#place, type: 'status', pool: pool.id, status })
  }

  delete(pool: Pool): void {
    this.#observer.change?.({ ...this.#place, type: 'delete', pool: pool.id })
  }

  seal(reason: SealReason, stateHash: number): void {
    this.#observer.change?.({ ...this.#place, type: 'seal', reason, stateHash: hexHash(stateHash) })
  }
}
