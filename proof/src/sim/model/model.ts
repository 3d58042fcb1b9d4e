import { deepStrictEqual } from 'node:assert/strict'
import type { Code, DrawManyReceipt, PoolState, PoolSummary, PutResult, Receipt } from '@kuji/engine/contract'
import type { Fairness } from './fairness.ts'
import { ModelPool } from './model-pool.ts'
import type { Answer, DrawOperation, Operation } from './operation.ts'
import { describeOperation, shorten } from './operation.ts'

/** Something that kuji must never do, and did. */
export class Violation extends Error {}

/** Between which times of the log, in milliseconds since 1970, something was decided. */
export interface TimeSpan {
  readonly from: number
  readonly to: number
}

interface ModelKey {
  readonly operation: DrawOperation
  readonly receipt: Receipt
  /** How many keyed draws were made up to and with this one. */
  readonly place: number
}

export interface KeyRules {
  readonly retentionMs: number
  readonly most: number
}

/** What has to come of an operation: where a key may have been forgotten or not, one of two things. */
export interface Expectation {
  /** The receipt that has to come again, or the conflict with it. */
  readonly kept?: { readonly receipt: Receipt; readonly same: boolean; readonly certain: boolean }
  /** What else has to come: a refusal, or a change (for draws, how many items, the extra one included). */
  readonly refusal?: Code
  readonly draws?: number
  /** Nothing changes, so that nothing is written. */
  readonly silent?: boolean
}

/**
 * The oracle: kuji as its documents describe it, in Maps and loops. It does not choose. It is told what was answered,
 * in the order of the requests, and says whether that could have been.
 */
export class Model {
  readonly pools = new Map<string, ModelPool>()
  readonly #keys = new Map<string, ModelKey>()
  /** Of keyed draws, by their first number. */
  readonly #receipts = new Map<number, Receipt>()
  readonly #rules: KeyRules
  /** Null where nobody asks. */
  readonly fairness: Fairness | null
  #keyed = 0
  drawNumber = 0
  /** Of the batch that what is applied next stands in, or rests on. */
  lsn = 0
  readonly #applied: {
    readonly operation: Operation
    readonly answer: Answer
    span: TimeSpan
    lsn: number
  }[] = []
  #nextPool = 0
  /** The time of the last draw, which no later one is before. */
  #lastTime = 0

  constructor(rules: KeyRules, fairness: Fairness | null = null) {
    this.#rules = rules
    this.fairness = fairness
  }

  /** The receipt of the keyed draw that began with this number. */
  receiptOf(firstDraw: number): Receipt | undefined {
    return this.#receipts.get(firstDraw)
  }

  /** What has to come of an operation that is decided now, at some time of this span. */
  expect(operation: Operation, span: TimeSpan): Expectation {
    if (operation.kind === 'draw') return this.#expectDraw(operation, span)
    if (operation.kind === 'put') return this.#expectPut(operation)
    const pool = this.pools.get(operation.pool)
    if (pool === undefined) return { refusal: 'POOL_NOT_FOUND' }
    if (operation.kind === 'read') return { silent: true }
    if (operation.kind === 'delete') return {}
    if (operation.kind === 'status') {
      if (pool.status === operation.status) return { silent: true }
      return pool.status === 'closed' ? { refusal: 'POOL_CLOSED' } : {}
    }
    if ((operation.ifVersion ?? pool.version) !== pool.version) return { refusal: 'VERSION_CONFLICT' }
    if (pool.status === 'closed') return { refusal: 'POOL_CLOSED' }
    const refusal = pool.refuses(operation.item, operation.update)
    return refusal === '' ? {} : { refusal }
  }

  #expectPut({ manifest, ifVersion }: Extract<Operation, { kind: 'put' }>): Expectation {
    const pool = this.pools.get(manifest.id)
    const version = pool?.version ?? 0
    if ((ifVersion ?? version) !== version) return { refusal: 'VERSION_CONFLICT' }
    if (pool === undefined) return {}
    if (pool.status === 'closed') return { refusal: 'POOL_CLOSED' }
    if (pool.says(manifest)) return { silent: true }
    return pool.isShortOf(manifest) ? { refusal: 'INVALID' } : {}
  }

  #expectDraw(operation: DrawOperation, span: TimeSpan): Expectation {
    const kept = this.#findKept(operation, span)
    const { pool: id, count, partial } = operation
    const pool = this.pools.get(id)
    const refused = (refusal: Code): Expectation => ({ ...(kept === undefined ? {} : { kept }), refusal })
    if (pool === undefined) return refused('POOL_NOT_FOUND')
    if (pool.status === 'closed') return refused('POOL_CLOSED')
    if (pool.status === 'paused') return refused('POOL_PAUSED')
    const { left } = pool
    if (left === 0) return refused('POOL_EMPTY')
    if (count > left && !partial) return refused('INSUFFICIENT_STOCK')
    const taken = Math.min(count, left)
    return { ...(kept === undefined ? {} : { kept }), draws: taken + (pool.addsLastOne(taken) ? 1 : 0) }
  }

  #findKept(operation: DrawOperation, span: TimeSpan): Expectation['kept'] {
    if (operation.key === '') return undefined
    const found = this.#keys.get(`${operation.pool} ${operation.key}`)
    if (found === undefined) return undefined
    const { retentionMs, most } = this.#rules
    const due = found.receipt.at + retentionMs
    if (due <= span.from || this.#keyed - found.place >= most) return undefined
    const { count, partial, recipient } = found.operation
    const same =
      count === operation.count && partial === operation.partial && recipient === operation.recipient
    return { receipt: found.receipt, same, certain: due > span.to }
  }

  /** The model as it was behind an LSN. */
  behind(lsn: number): Model {
    const model = new Model(this.#rules, this.fairness?.forgetful())
    for (const applied of this.#applied) {
      if (applied.lsn > lsn) break
      model.lsn = applied.lsn
      model.apply(applied.operation, applied.answer, applied.span)
    }
    return model
  }

  /** Takes in what was answered. Throws a Violation where that cannot have been. */
  apply(operation: Operation, answer: Answer, span: TimeSpan): void {
    this.#judge(operation, answer, span)
    this.#applied.push({ operation, answer, span, lsn: this.lsn })
  }

  #judge(operation: Operation, answer: Answer, span: TimeSpan): void {
    const expected = this.expect(operation, span)
    const fail = (why: string): never => {
      throw new Violation(`${describeOperation(operation)}: ${why}; ${describeExpectation(expected)}`)
    }
    const { kept } = expected
    if (kept !== undefined) {
      const comesAgain = kept.same
        ? 'value' in answer && (answer.value as Receipt).replayed
        : 'refusal' in answer && answer.refusal === 'KEY_CONFLICT'
      if (comesAgain) {
        if ('value' in answer) compare(answer.value, { ...kept.receipt, replayed: true }, fail)
        return
      }
      if (kept.certain) fail(`a key that is kept was answered with ${describeAnswer(answer)}`)
    }
    if ('refusal' in answer) {
      if (answer.refusal !== expected.refusal) fail(`answered with ${answer.refusal}`)
      return
    }
    if (expected.refusal !== undefined) fail(`answered with ${describeAnswer(answer)}`)
    this.#take(operation, expected, answer.value, span, fail)
  }

  #take(
    operation: Operation,
    expected: Expectation,
    value: unknown,
    span: TimeSpan,
    fail: (why: string) => never,
  ): void {
    switch (operation.kind) {
      case 'draw':
        this.#takeDraw(operation, expected.draws!, readReceipt(operation, value, fail), span, fail)
        return
      case 'put':
        this.#takePut(operation, expected, value as PutResult, fail)
        return
      case 'read':
        compare(plainState(value as PoolState), this.pools.get(operation.pool)!.describe(), fail)
        return
      case 'delete':
        this.pools.delete(operation.pool)
        return
      case 'status':
        this.pools.get(operation.pool)!.status = operation.status
        return
      case 'update': {
        const pool = this.pools.get(operation.pool)!
        pool.update(operation.item, operation.update)
        if ((value as PoolSummary).version !== pool.version) fail(`answered with ${JSON.stringify(value)}`)
      }
    }
  }

  #takePut(
    { manifest }: Extract<Operation, { kind: 'put' }>,
    { silent = false }: Expectation,
    value: PutResult,
    fail: (why: string) => never,
  ): void {
    const pool = this.pools.get(manifest.id)
    if (pool === undefined) this.pools.set(manifest.id, new ModelPool(this.#nextPool++, manifest))
    else if (!silent) pool.put(manifest)
    const { id } = manifest
    const { version } = this.pools.get(id)!
    compare(value, { id, version, created: pool === undefined, changed: !silent }, fail)
  }

  #takeDraw(
    operation: DrawOperation,
    draws: number,
    receipt: Receipt,
    span: TimeSpan,
    fail: (why: string) => never,
  ): void {
    const pool = this.pools.get(operation.pool)!
    const { id, items, version, at, replayed } = receipt
    if (replayed) fail('a receipt that is said to be replayed')
    if (id !== this.drawNumber + 1) fail(`draw number ${id}, and the last was ${this.drawNumber}`)
    if (items.length !== draws) fail(`${items.length} items`)
    if (version !== pool.version) fail(`version ${version}, and the pool's is ${pool.version}`)
    if (at < this.#lastTime || at < span.from || at > span.to)
      fail(`made at ${at}, between ${span.from} and ${span.to}, the draw before at ${this.#lastTime}`)
    const extra = pool.addsLastOne(draws - 1)
    for (const [place, item] of items.entries()) {
      const isExtra = extra && place === items.length - 1
      if (!isExtra) this.fairness?.add(pool, item)
      const why = pool.take(item, isExtra)
      if (why !== '') fail(why)
    }
    this.drawNumber += items.length
    this.#lastTime = at
    if (operation.key === '') return
    this.#keyed++
    this.#receipts.set(id, receipt)
    this.#keys.set(`${operation.pool} ${operation.key}`, { operation, receipt, place: this.#keyed })
  }

  /** Holds the pools of an engine against those of the model. */
  comparePools(states: readonly PoolState[]): void {
    const ids = [...this.pools.keys()].sort()
    const fail = (why: string): never => {
      throw new Violation(`after recovery: ${why}`)
    }
    compare(
      states.map(({ id }) => id),
      ids,
      fail,
    )
    for (const state of states) compare(plainState(state), this.pools.get(state.id)!.describe(), fail)
  }
}

function readReceipt({ bulk }: DrawOperation, value: unknown, fail: (why: string) => never): Receipt {
  if (!bulk || !('itemIds' in (value as object))) return value as Receipt
  const { id, pool, items, itemIds, counts, version, at, replayed } = value as DrawManyReceipt
  const names = Array.from(items, index => itemIds[index] ?? fail(`no item ${index}`))
  for (const [index, count] of counts.entries())
    if (names.filter(name => name === itemIds[index]).length !== count)
      fail('counts that are not those of the items')
  return { id, pool, items: names, version, at, replayed }
}

function plainState({ id, version, mode, status, drawn, fallback, lastOne, items }: PoolState): unknown {
  const shown = items.map(item => ({
    id: item.id,
    weight: item.weight ?? 0,
    stock: item.stock,
    remaining: item.remaining,
    drawn: item.drawn,
  }))
  return { id, version, mode, status, drawn, fallback: fallback ?? '', lastOne: lastOne ?? '', items: shown }
}

function compare(found: unknown, expected: unknown, fail: (why: string) => never): void {
  try {
    deepStrictEqual(found, expected)
  } catch {
    fail(`${JSON.stringify(found)}, expected ${JSON.stringify(expected)}`)
  }
}

export function describeAnswer(answer: Answer): string {
  return 'refusal' in answer ? answer.refusal : shorten(JSON.stringify(answer.value))
}

function describeExpectation({ kept, refusal, draws, silent }: Expectation): string {
  const words: string[] = []
  if (kept !== undefined) {
    const { id } = kept.receipt
    words.push(kept.same ? `the receipt of draw ${id} again` : `a conflict with draw ${id}`)
    if (!kept.certain) words.push('or')
  }
  if (kept === undefined || !kept.certain) {
    if (refusal !== undefined) words.push(refusal)
    else if (draws !== undefined) words.push(`${draws} items`)
    else words.push(silent === true ? 'no change' : 'a change')
  }
  return `expected ${words.join(' ')}`
}
