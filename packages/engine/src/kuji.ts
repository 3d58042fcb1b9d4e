import type {
  ChangeOptions,
  DrawManyOptions,
  DrawManyReceipt,
  DrawOptions,
  Durability,
  ItemUpdate,
  LogEvent,
  PoolManifest,
  PoolState,
  PoolSummary,
  PutResult,
  Receipt,
  Status,
  WatchOptions,
} from './contract/index.ts'
import { type KujiError, limits } from './contract/index.ts'
import { checkFields, checkId, checkWhole, invalid } from './pool/check.ts'
import { parseManifest } from './pool/manifest.ts'
import type { LoggedRequest } from './pool/state.ts'
import { checkWeight } from './pool/weight.ts'
import type { Decider } from './writer/decide.ts'
import { type AnswerSink, answerTo } from './writer/mailbox.ts'
import type { Writer } from './writer/writer.ts'
import { drawFlags } from './writer/writer.ts'

/** How an engine is doing. */
export interface EngineStatus {
  readonly durability: Durability
  /** `read-only`: the disk is full; `failed`: a write failed, and only a restart helps. */
  readonly state: 'open' | 'read-only' | 'failed' | 'closed'
  /** Why, when the state is not `open`. */
  readonly reason?: string
  /** The last LSN that is durable: where watching can begin. */
  readonly lsn: number
  /** The last draw number that is durable. */
  readonly drawNumber: number
  /** Requests that wait or are under way. */
  readonly queued: number
  /** Idempotency keys that are kept. */
  readonly keys: number
  /** Memory that they take with their receipts. */
  readonly keyBytes: number
  /**
   * Keys that had to go before their time, since opening: more come than may be kept. Asked for again, they draw again.
   */
  readonly keysForgottenEarly: number
  /** Age of the oldest key that is kept. Keys beyond their time go when others come. */
  readonly oldestKeyMs?: number
  /** What the pools, with the item lists of kept receipts, take of the heap, and the most that they may; estimates. */
  readonly heapBytes: number
  readonly heapBytesMost: number
  /** The log file that is being written, and the LSN of the newest snapshot (0: none yet). Not without a log. */
  readonly segment?: number
  readonly snapshotLsn?: number
}

/** What a Kuji stands on; made by `open`. */
export interface Foundation {
  readonly writer: Writer
  readonly durability: Durability
  /** Why there is no room for the log to grow, or '' where there is. */
  readonly diskFull: () => string
  readonly files: () => { readonly segment?: number; readonly snapshotLsn?: number }
  readonly release: () => Promise<void>
}

const drawFields = new Set(['count', 'partial', 'key', 'recipient'])
const drawManyFields = new Set(['partial'])
const updateFields = new Set(['restock', 'weight'])
const changeFields = new Set(['ifVersion'])
const watchFields = new Set(['after', 'signal'])
const listFields = new Set(['after', 'limit'])
const noOptions = {}

/** Room that a change of one item or of a status takes in a batch. */
const smallRecordBytes = 64

/**
 * Pools of prizes over one log. Every promise settles when the outcome is durable, in the order of the calls; a
 * refusal rejects with a KujiError whose `code` is in the table of the contract. Any call may also reject with
 * `OVERLOADED` (too many requests wait), `OUTCOME_UNKNOWN` (its write failed) and `INTERNAL` (the log has failed
 * before), and any change with `READ_ONLY` (the disk is full). Since 0.1.
 */
export class Kuji {
  readonly #writer: Writer
  readonly #foundation: Foundation
  #closed: Promise<void> | null = null
  // The request to draw at hand, once checked.
  #count = 1
  #flags = 0
  #named: LoggedRequest | undefined

  /** Made by `open`. */
  constructor(foundation: Foundation) {
    this.#foundation = foundation
    this.#writer = foundation.writer
  }

  /** Resolves, with the error, when a write has failed for good. */
  get failed(): Promise<KujiError> {
    return this.#writer.failed
  }

  /**
   * Draws 1 (or `count`, up to 10,000) items: all or none. Rejects with `INVALID`, `KEY_CONFLICT`, `POOL_NOT_FOUND`,
   * `TOO_LARGE` (draw numbers have come to their end), `POOL_CLOSED`, `POOL_PAUSED`, `POOL_EMPTY`,
   * `INSUFFICIENT_STOCK`.
   */
  draw(pool: string, options: DrawOptions = noOptions): Promise<Receipt> {
    const refusal = this.#checkDraw(pool, options)
    if (refusal !== null) return Promise.reject(refusal)
    return this.#writer.draw(pool, this.#count, this.#flags, this.#named) as Promise<Receipt>
  }

  /**
   * `draw` for those who take many answers at a time, such as a server: what would settle the promise is given to
   * `sink` with the `token`, in the order of the calls. What is refused before it is queued (a malformed request, a
   * full queue) is answered before this call returns. Throws nothing.
   */
  drawTo(sink: AnswerSink, token: number, pool: string, options: DrawOptions = noOptions): void {
    const refusal = this.#checkDraw(pool, options)
    if (refusal !== null) answerTo(sink, token, refusal)
    else this.#writer.drawTo(sink, token, pool, this.#count, this.#flags, this.#named)
  }

  /** Checks a request to draw and leaves what it says in fields: an object for each draw would be garbage. */
  #checkDraw(pool: string, options: DrawOptions): KujiError | null {
    this.#count = 1
    this.#flags = 0
    this.#named = undefined
    try {
      if (options !== noOptions) {
        checkFields(options, 'options', drawFields)
        if (options.count !== undefined) this.#count = checkWhole(options.count, 'count', 1, limits.drawCount)
        if (checkFlag(options.partial, 'partial')) this.#flags = drawFlags.partial
        if (options.key !== undefined || options.recipient !== undefined) this.#named = this.#name(options)
      }
      return typeof pool === 'string' ? null : invalid('pool', 'expected a pool id')
    } catch (error) {
      return error as KujiError
    }
  }

  #name({ key, recipient }: DrawOptions): LoggedRequest {
    return {
      asked: this.#count,
      partial: this.#flags !== 0,
      key: key === undefined ? '' : checkText(key, 'key', limits.keyLength),
      recipient: recipient === undefined ? '' : checkText(recipient, 'recipient', limits.recipientLength),
    }
  }

  /**
   * The receipt that holds a draw number, where it was drawn with a key that is still kept. Rejects with `INVALID`,
   * `DRAW_NOT_FOUND`.
   */
  async receipt(id: number): Promise<Receipt> {
    checkWhole(id, 'id', 1, limits.safeInteger)
    return this.#run(decider => decider.receipt(id), 0)
  }

  /**
   * Durable batches as they come, without a gap: from now on, or from behind an LSN. The last million draws are kept
   * while somebody watches, and five minutes beyond; a request with a key or a recipient counts as eight more, so that
   * of single draws with a key it is the last 111,000. The last four batches are kept whatever they hold. Throws
   * `INVALID`, at the call, for an LSN that memory does not reach back to, and from the iteration for a watcher that
   * has fallen behind by more. Ends with the signal or the engine; `return()` while a `next()` is under way waits for
   * that one, so a watcher that is to leave between two events takes a signal.
   */
  watch(options: WatchOptions = noOptions): AsyncGenerator<LogEvent, void, undefined> {
    const { after, signal } = checkFields(options, 'options', watchFields) as WatchOptions
    if (after !== undefined) checkWhole(after, 'after', 0, limits.safeInteger)
    if (signal !== undefined && !(signal instanceof AbortSignal))
      throw invalid('signal', 'expected an AbortSignal')
    return this.#writer.feed.watch(options)
  }

  /**
   * Draws `count` (1 to 1,000,000) items as indexes in one typed array, in one batch, all or none. Rejects like
   * `draw`.
   */
  drawMany(pool: string, count: number, options: DrawManyOptions = noOptions): Promise<DrawManyReceipt> {
    let flags: number = drawFlags.many
    try {
      checkFields(options, 'options', drawManyFields)
      checkWhole(count, 'count', 1, limits.drawManyCount)
      if (checkFlag(options.partial, 'partial')) flags |= drawFlags.partial
      if (typeof pool !== 'string') throw invalid('pool', 'expected a pool id')
    } catch (error) {
      return Promise.reject(error)
    }
    return this.#writer.draw(pool, count, flags) as Promise<DrawManyReceipt>
  }

  /**
   * Creates a pool, or gives it a new version of its rules. What was drawn stays drawn: `stock` counts all units,
   * those drawn included. A manifest that says what is so already changes nothing. Rejects with `INVALID`,
   * `VERSION_CONFLICT`, `TOO_LARGE` (also where the pools would take too much of the heap), `POOL_CLOSED`.
   */
  async putPool(manifest: PoolManifest, options: ChangeOptions = noOptions): Promise<PutResult> {
    const rules = parseManifest(manifest)
    const ifVersion = checkVersion(options)
    let bytes = 512 + rules.metadata.length * 3
    for (const id of rules.itemIds) bytes += id.length + 20
    if (rules.itemMetadata !== null) for (const text of rules.itemMetadata) bytes += 2 + text.length * 3
    return this.#run((decider, batch) => decider.put(batch, rules, ifVersion), bytes)
  }

  /**
   * Restocks or reweighs one item: a new version, in time that hardly grows with the pool. Rejects
   * with `INVALID`, `POOL_NOT_FOUND`, `ITEM_NOT_FOUND`, `POOL_CLOSED`, `VERSION_CONFLICT`.
   */
  async updateItem(
    pool: string,
    item: string,
    update: ItemUpdate,
    options: ChangeOptions = noOptions,
  ): Promise<PoolSummary> {
    checkName(pool, 'pool')
    checkName(item, 'item')
    const { restock, weight } = checkFields(update, 'update', updateFields)
    if (restock === undefined && weight === undefined) throw invalid('update', 'expected restock or weight')
    if (restock !== undefined) checkWhole(restock, 'restock', 1, limits.stock)
    if (weight !== undefined) checkWeight(weight, 'weight')
    const ifVersion = checkVersion(options)
    // A copy: by the time it is decided the caller may have changed the object for the next call.
    const checked = { restock, weight } as ItemUpdate
    return this.#run(
      (decider, batch) => decider.updateItem(batch, pool, item, checked, ifVersion),
      smallRecordBytes,
    )
  }

  /** Refuses draws until resumed. Rejects with `POOL_NOT_FOUND`, `POOL_CLOSED`. */
  pausePool(pool: string): Promise<PoolSummary> {
    return this.#setStatus(pool, 'paused')
  }

  /** Draws again after a pause. Rejects with `POOL_NOT_FOUND`, `POOL_CLOSED`. */
  resumePool(pool: string): Promise<PoolSummary> {
    return this.#setStatus(pool, 'open')
  }

  /** Refuses draws and changes for good; the pool can still be read. Rejects with `POOL_NOT_FOUND`. */
  closePool(pool: string): Promise<PoolSummary> {
    return this.#setStatus(pool, 'closed')
  }

  async #setStatus(pool: string, status: Status): Promise<PoolSummary> {
    checkName(pool, 'pool')
    return this.#run((decider, batch) => decider.setStatus(batch, pool, status), smallRecordBytes)
  }

  /** Forgets a pool; its draws stay in the log. Returns its last state. Rejects with `POOL_NOT_FOUND`. */
  async deletePool(pool: string): Promise<PoolSummary> {
    checkName(pool, 'pool')
    return this.#run((decider, batch) => decider.delete(batch, pool), smallRecordBytes)
  }

  /** A pool with its live numbers, as of batches that are durable. Rejects with `POOL_NOT_FOUND`. */
  async pool(pool: string): Promise<PoolState> {
    checkName(pool, 'pool')
    return this.#run(decider => decider.pool(pool), 0)
  }

  /**
   * Pools in the order of their ids, from the first after `after`, at most `limit` (1 to 1,000,000, default all).
   */
  async pools(
    options: { readonly after?: string; readonly limit?: number } = noOptions,
  ): Promise<PoolSummary[]> {
    const { after = '', limit = limits.pools } = checkFields(options, 'options', listFields)
    if (typeof after !== 'string') throw invalid('after', 'expected a pool id')
    const most = checkWhole(limit, 'limit', 1, limits.pools)
    return this.#run(decider => decider.pools(after, most), 0)
  }

  // The decider answers with the value or a refusal; the mailbox rejects with the latter.
  #run<T>(command: (decider: Decider, batch: Parameters<Decider['put']>[0]) => T, bytes: number) {
    return this.#writer.run(command, bytes) as Promise<Exclude<T, KujiError>>
  }

  /** How the engine is doing, at once. */
  status(): EngineStatus {
    const { writer, durability, diskFull } = this.#foundation
    const { feed, drawNumber, waiting: queued, keys, heap } = writer
    const { size, bytes: keyBytes, forgottenEarly: keysForgottenEarly, oldestMs } = keys
    const kept = { keys: size, keyBytes, keysForgottenEarly, heapBytes: heap.bytes, heapBytesMost: heap.most }
    const oldest = oldestMs === undefined ? {} : { oldestKeyMs: oldestMs }
    const files = this.#foundation.files()
    const numbers = { durability, lsn: feed.lsn, drawNumber, queued, ...kept, ...oldest, ...files }
    if (writer.failure !== null) return { ...numbers, state: 'failed', reason: writer.failure.message }
    if (this.#closed !== null) return { ...numbers, state: 'closed' }
    const reason = diskFull()
    return reason === '' ? { ...numbers, state: 'open' } : { ...numbers, state: 'read-only', reason }
  }

  /** Answers what waits, seals the log and lets go of the directory. Later calls are refused with `INVALID`. */
  close(): Promise<void> {
    this.#closed ??= this.#writer.close().finally(this.#foundation.release)
    return this.#closed
  }
}

function checkName(value: unknown, field: string): string {
  if (typeof value === 'string') return value
  return checkId(value, field)
}

function checkText(value: unknown, field: string, most: number): string {
  if (typeof value === 'string' && value !== '' && value.length <= most && value.isWellFormed()) return value
  throw invalid(field, `expected 1 to ${most} characters`)
}

function checkFlag(value: unknown, field: string): boolean {
  if (value === undefined || typeof value === 'boolean') return value === true
  throw invalid(field, 'expected true or false')
}

/** The version that a change is made for, or -1 where it is made for any. */
function checkVersion(options: ChangeOptions): number {
  const { ifVersion } = checkFields(options, 'options', changeFields)
  return ifVersion === undefined ? -1 : checkWhole(ifVersion, 'ifVersion', 0, limits.safeInteger)
}
