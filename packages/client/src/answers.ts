import type { LogEvent, PoolState, PoolSummary, PutResult, Receipt } from '@kuji/engine/contract'

/** How the server is doing. */
export interface Health {
  /**
   * `recovering`: the log is being read, and no number is known yet; `read-only`: the disk is full; `failed`: a write
   * failed, and only a restart helps; `draining`: the server is about to end.
   */
  readonly state: 'recovering' | 'open' | 'read-only' | 'failed' | 'draining' | 'closed'
  /** Why, when the state is not `open`. */
  readonly reason?: string
  readonly durability: 'sync' | 'os' | 'none'
  /** The last position in the log that is durable. */
  readonly lsn: number
  /** The last draw number that is durable. */
  readonly drawNumber: number
  /** Requests that wait or are under way. */
  readonly queued: number
  /** Idempotency keys that are kept, and the memory that they take with their receipts, in bytes. */
  readonly keys: number
  readonly keyBytes: number
  /** Keys that had to go before their time since the start, and the age of the oldest one that is kept. */
  readonly keysForgottenEarly: number
  readonly oldestKeyMs?: number
  /** What pools and the item lists of kept receipts take of the server's heap, and the most that they may, in bytes. */
  readonly heapBytes: number
  readonly heapBytesMost: number
  /** The log file that is being written, and the LSN of the newest snapshot (0: none yet). Not without a log. */
  readonly segment?: number
  readonly snapshotLsn?: number
}

export interface PoolPage {
  readonly pools: readonly PoolSummary[]
  readonly next?: string
}

/*
 * Each takes the JSON of an answer, and gives back undefined where it is not of a kuji server: a page of a proxy, say,
 * or half of an answer. What tells them apart is looked at, not every field.
 */

type Fields = Readonly<Record<string, unknown>>

export function decodeReceipt(value: unknown): Receipt | undefined {
  const fields = asFields(value)
  if (!isNumbered(fields, 'id') || !isNumbered(fields, 'version')) return undefined
  const at = readTime(fields.at)
  if (at === undefined || typeof fields.pool !== 'string' || typeof fields.replayed !== 'boolean')
    return undefined
  if (!Array.isArray(fields.items) || !fields.items.every(item => typeof item === 'string')) return undefined
  return { ...(fields as unknown as Receipt), at }
}

export function decodePool(value: unknown): PoolState | undefined {
  return isPool(value) && Array.isArray(asFields(value).items) ? (value as PoolState) : undefined
}

export function decodeSummary(value: unknown): PoolSummary | undefined {
  return isPool(value) ? (value as PoolSummary) : undefined
}

export function decodePage(value: unknown): PoolPage | undefined {
  const { pools, next } = asFields(value)
  if (!Array.isArray(pools) || !pools.every(isPool)) return undefined
  return next === undefined || typeof next === 'string' ? (value as PoolPage) : undefined
}

export function decodePut(value: unknown): PutResult | undefined {
  const fields = asFields(value)
  const known = typeof fields.created === 'boolean' && typeof fields.changed === 'boolean'
  return known && isNumbered(fields, 'version') ? (value as PutResult) : undefined
}

export function decodeHealth(value: unknown): Health | undefined {
  const fields = asFields(value)
  return typeof fields.state === 'string' && isNumbered(fields, 'lsn') ? (value as Health) : undefined
}

export function decodeEvent(value: unknown): LogEvent | undefined {
  const fields = asFields(value)
  const at = readTime(fields.at)
  if (at === undefined || !isNumbered(fields, 'lsn') || !Array.isArray(fields.changes)) return undefined
  return { ...(fields as unknown as LogEvent), at }
}

/** JSON, or undefined. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

export function asFields(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {}
}

function isPool(value: unknown): boolean {
  const fields = asFields(value)
  return typeof fields.id === 'string' && typeof fields.status === 'string' && isNumbered(fields, 'version')
}

function isNumbered(fields: Fields, name: string): boolean {
  return Number.isSafeInteger(fields[name])
}

function readTime(value: unknown): number | undefined {
  const at = typeof value === 'string' ? Date.parse(value) : Number.NaN
  return Number.isNaN(at) ? undefined : at
}
