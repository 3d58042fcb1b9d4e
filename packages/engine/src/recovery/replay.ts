import type { ItemIndexes, Status } from '../contract/index.ts'
import { KujiError, limits } from '../contract/index.ts'
import type { KeyPolicy } from '../keys/key-table.ts'
import { hashBatch, readPreviousHash } from '../log/frame.ts'
import type { Rules } from '../pool/manifest.ts'
import type { Pool } from '../pool/pool.ts'
import type { ItemChange, LoggedRequest } from '../pool/state.ts'
import {
  applyDelete,
  applyDraws,
  applyItemChange,
  applyKey,
  applyKeyPolicy,
  applyPut,
  applyStatus,
  State,
} from '../pool/state.ts'
import { rescaleFactor } from '../pool/weight.ts'
import type { BatchHeader } from '../record/batch.ts'
import { hashBytes, headerBytes, readHeader } from '../record/batch.ts'
import { MalformedBytes } from '../record/bytes.ts'
import type { OutcomeViews, RecordVisitor, SealReason } from '../record/records.ts'
import { visitRecords } from '../record/records.ts'

/** A place in the log: all that the next batch has to follow on from. */
export interface LogPosition {
  readonly lsn: number
  readonly time: number
  readonly epoch: number
  /** Chain hash of the batch at `lsn`. */
  readonly hash: Uint8Array
}

export const logStart: LogPosition = { lsn: 0, time: 0, epoch: 0, hash: new Uint8Array(hashBytes) }

/** Sees each record of the log just before it is applied, with the state that it meets. */
export interface ReplayObserver {
  batch?(header: BatchHeader): void
  /** `request` where the draws are one request's that has a key or a recipient. */
  draws?(
    pool: Pool,
    firstDraw: number,
    items: ItemIndexes,
    start: number,
    count: number,
    request?: LoggedRequest,
  ): void
  keyPolicy?(policy: KeyPolicy): void
  put?(number: number, rules: Rules): void
  item?(pool: Pool, change: ItemChange): void
  status?(pool: Pool, status: Status): void
  delete?(pool: Pool): void
  seal?(reason: SealReason, stateHash: number): void
}

/**
 * Applies batches, one after the other, to a state, through the same functions as live traffic, and holds each to the
 * one before: LSN, chain hash, draw numbers, time and epoch. A seal's state hash must be the state's.
 */
export class Replayer implements RecordVisitor {
  readonly state: State
  #position: LogPosition
  readonly #observer: ReplayObserver
  #sealed: SealReason | null = null
  /** Of the batch at hand. */
  #time = 0

  constructor(state = new State(), position = logStart, observer: ReplayObserver = {}) {
    this.state = state
    this.#position = position
    this.#observer = observer
  }

  get position(): LogPosition {
    return this.#position
  }

  /** The reason of the seal that the last batch is, or null where it is none. */
  get sealed(): SealReason | null {
    return this.#sealed
  }

  /**
   * Applies the batch at `at`, whose frame was found good. Throws `CORRUPT` where it does not follow on from the
   * batch before or its records make no sense: with a good CRC that is damage or a newer version, never a torn write.
   */
  applyBatch(views: OutcomeViews, at: number, file: string): void {
    const header = readHeader(views.view, at)
    const fault = this.#faultOf(header, readPreviousHash(views.bytes, at))
    if (fault !== '') throw corrupt(file, at, header.lsn, fault)
    this.#observer.batch?.(header)
    this.#time = header.time
    this.#sealed = null
    try {
      visitRecords(views, at + headerBytes, at + header.length, header.records, this)
    } catch (error) {
      if (error instanceof MalformedBytes) throw corrupt(file, at, header.lsn, error.message)
      throw error
    }
    const hash = hashBatch(views.bytes.subarray(at, at + header.length))
    this.#position = { lsn: header.lsn, time: header.time, epoch: header.epoch, hash }
  }

  #faultOf(header: BatchHeader, previousHash: Uint8Array): string {
    const before = this.#position
    if (header.lsn !== before.lsn + 1) return `LSN ${header.lsn} follows LSN ${before.lsn}`
    if (Buffer.compare(previousHash, before.hash) !== 0)
      return 'it does not follow on from the batch before (hash chain)'
    const nextDraw = this.state.drawNumber + 1
    if (header.firstDraw !== nextDraw) return `its first draw is ${header.firstDraw}, the next is ${nextDraw}`
    if (header.time < before.time) return 'its time runs back'
    if (header.time > limits.time) return 'its time is beyond all times'
    if (header.epoch < before.epoch) return `epoch ${header.epoch} after epoch ${before.epoch}`
    return ''
  }

  #pool(number: number): Pool {
    const pool = this.state.byNumber.get(number)
    if (pool === undefined) throw new MalformedBytes(`pool number ${number} does not exist`)
    return pool
  }

  draws(number: number, items: ItemIndexes, start: number, count: number, request?: LoggedRequest): void {
    const pool = this.#pool(number)
    const limit = pool.itemIds.length
    for (let k = start; k < start + count; k++) {
      if (items[k]! >= limit) throw new MalformedBytes(`item ${items[k]} of ${limit} in pool "${pool.id}"`)
    }
    this.#observer.draws?.(pool, this.state.drawNumber + 1, items, start, count, request)
    applyDraws(this.state, pool, items, start, count)
  }

  request(number: number, items: ItemIndexes, start: number, count: number, request: LoggedRequest): void {
    this.draws(number, items, start, count, request)
    if (request.key === '') return
    if (this.state.keys.policy === null)
      throw new MalformedBytes('a key before it is said how long it is kept')
    applyKey(this.state, this.#pool(number), items, start, count, this.#time, request)
  }

  keyPolicy(policy: KeyPolicy): void {
    this.#observer.keyPolicy?.(policy)
    applyKeyPolicy(this.state, policy)
  }

  put(number: number, rules: Rules): void {
    const existing = this.state.byNumber.get(number)
    const { nextPool, pools } = this.state
    const fits =
      existing === undefined ? number === nextPool && !pools.has(rules.id) : existing.id === rules.id
    if (!fits) {
      throw new MalformedBytes(`pool number ${number} is not "${rules.id}"`)
    }
    this.#observer.put?.(number, rules)
    applyPut(this.state, number, rules)
  }

  item(number: number, change: ItemChange): void {
    const pool = this.#pool(number)
    if (!canBe(pool, change)) {
      throw new MalformedBytes(`a change of item ${change.item} of pool "${pool.id}"`)
    }
    this.#observer.item?.(pool, change)
    applyItemChange(this.state, pool, change)
  }

  status(number: number, status: Status): void {
    const pool = this.#pool(number)
    this.#observer.status?.(pool, status)
    applyStatus(this.state, pool, status)
  }

  delete(number: number): void {
    const pool = this.#pool(number)
    this.#observer.delete?.(pool)
    applyDelete(this.state, pool)
  }

  seal(reason: SealReason, stateHash: number): void {
    this.#observer.seal?.(reason, stateHash)
    if (stateHash !== this.state.hash) {
      throw new MalformedBytes(`state hash ${hex(this.state.hash)}, the writer had ${hex(stateHash)}`)
    }
    this.#sealed = reason
  }
}

/** Whether a writer can have decided this; the samplers rest on it that sums are exact. */
function canBe(pool: Pool, { item, decimals, weight, restock }: ItemChange): boolean {
  if (item >= pool.itemIds.length || decimals < pool.decimals || decimals > limits.weightDecimals)
    return false
  const others = pool.weightSum - pool.weights[item]!
  const factor = rescaleFactor(pool.decimals, decimals)
  if (weight >= 0 && (pool.mode === 'urn' || others * factor + weight > limits.weightSum)) return false
  if (restock === 0) return true
  return pool.stock[item] !== Number.POSITIVE_INFINITY && pool.stockSum + restock <= limits.stock
}

function hex(hash: number): string {
  return (hash >>> 0).toString(16).padStart(8, '0')
}

function corrupt(file: string, offset: number, lsn: number, why: string): KujiError {
  return new KujiError('CORRUPT', `${file}: batch at offset ${offset} (LSN ${lsn}): ${why}`, {
    file,
    offset,
    lsn,
  })
}
