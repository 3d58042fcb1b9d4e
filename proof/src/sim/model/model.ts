import { isDeepStrictEqual } from 'node:util'
import type { Code, DrawManyReceipt, PoolState, PoolSummary, PutResult, Receipt } from '@kuji/engine/contract'
import type { Fairness } from './fairness.ts'
import { type Kept, type KeyRules, ModelKeys, type TimeSpan } from './model-keys.ts'
import { ModelPool } from './model-pool.ts'
import type { Answer, DrawOperation, Operation } from './operation.ts'
import { describeOperation, shorten } from './operation.ts'
import { differences, Violation } from './violation.ts'

/** What rounding may do to odds. */
const oddsApart = 1e-9

/** Throws what is wrong, and which look at it has told. */
type Fail = (check: string, why: string) => never

/** What has to come of an operation: where a key may have been forgotten or not, one of two things. */
export interface Expectation {
  readonly kept?: Kept
  /** What else has to come: a refusal, or a change (for draws, how many items, the extra one included). */
  readonly refusal?: Code
  readonly draws?: number
  /** Nothing changes, so that nothing is written. */
  readonly silent?: boolean
}

type Step = { readonly lsn: number } & (
  | { readonly kind: 'rules'; readonly rules: KeyRules }
  | { readonly kind: 'open'; readonly asked: Partial<KeyRules>; readonly logged: KeyRules | null }
  | {
      readonly kind: 'answer'
      readonly operation: Operation
      readonly answer: Answer
      readonly span: TimeSpan
    }
)

/**
 * The oracle: kuji as its documents describe it, in Maps and loops. It does not choose. It is told what was answered,
 * in the order of the requests, and says whether that could have been.
 */
export class Model {
  readonly pools = new Map<string, ModelPool>()
  readonly keys: ModelKeys
  /** Null where nobody asks. */
  readonly fairness: Fairness | null
  /** Whether the disk may have been full, so that a request was refused that never learnt of it. */
  readonly mayLackRoom: boolean
  /** Pool and item of each draw, by its number less one, and its time. */
  readonly drawn: { readonly item: string; readonly at: number }[] = []
  drawNumber = 0
  /** Of the batch that what is applied next stands in, or rests on. */
  lsn = 0
  readonly #applied: Step[] = []
  #nextPool = 0
  /** The time of the last draw, which no later one is before. */
  #lastTime = 0

  constructor(fairness: Fairness | null = null, mayLackRoom = false) {
    this.fairness = fairness
    this.mayLackRoom = mayLackRoom
    this.keys = new ModelKeys(mayLackRoom)
  }

  /** A start with these rules for keys, over a log that has those. Throws a Violation where it cannot have them. */
  open(asked: Partial<KeyRules>, logged: KeyRules | null): void {
    const why = this.keys.open(asked, logged)
    if (why !== '') throw new Violation('rules for keys: at a start', why)
    this.#applied.push({ kind: 'open', lsn: this.lsn, asked, logged })
  }

  /** Rules for keys that stand in the log behind all that was applied. Throws a Violation for others than due. */
  takeRules(rules: KeyRules): void {
    const why = this.keys.log(rules)
    if (why !== '') throw new Violation('rules for keys: in the log', why)
    this.#applied.push({ kind: 'rules', lsn: this.lsn, rules })
  }

  /** The log has these rules by now. Where there was no room it is not certain before. */
  learnRules(logged: () => KeyRules | null): void {
    const rules = this.keys.isDue ? logged() : null
    if (rules !== null && this.keys.isDueTo(rules)) this.takeRules(rules)
  }

  /** What has to come of an operation that is decided now, at some time of this span. */
  expect(operation: Operation, span: TimeSpan): Expectation {
    if (operation.kind === 'draw') return this.#expectDraw(operation, span)
    if (operation.kind === 'put') return this.#expectPut(operation)
    if (operation.kind === 'receipt')
      return this.keys.holding(operation.draw) === undefined
        ? { refusal: 'DRAW_NOT_FOUND' }
        : { silent: true }
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
    const kept = this.keys.find(operation, span)
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

  /** The model as it was behind an LSN. */
  behind(lsn: number): Model {
    const model = new Model(this.fairness?.forgetful(), this.mayLackRoom)
    for (const step of this.#applied) {
      if (step.lsn > lsn) break
      model.lsn = step.lsn
      if (step.kind === 'open') model.open(step.asked, step.logged)
      else if (step.kind === 'rules') model.takeRules(step.rules)
      else model.apply(step.operation, step.answer, step.span)
    }
    return model
  }

  /** Takes in what was answered. Throws a Violation where that cannot have been. */
  apply(operation: Operation, answer: Answer, span: TimeSpan): void {
    this.#judge(operation, answer, span)
    this.#applied.push({ kind: 'answer', lsn: this.lsn, operation, answer, span })
  }

  #judge(operation: Operation, answer: Answer, span: TimeSpan): void {
    const expected = this.expect(operation, span)
    const fail: Fail = (check, why) => {
      const told = `${describeOperation(operation)}: ${why}; ${describeExpectation(expected)}`
      throw new Violation(`answer to ${operation.kind}: ${check}`, told)
    }
    const { kept } = expected
    const isKeyed = operation.kind === 'draw' && operation.key !== ''
    if (kept !== undefined) {
      const comesAgain = kept.same
        ? 'value' in answer && (answer.value as Receipt).replayed
        : 'refusal' in answer && answer.refusal === 'KEY_CONFLICT'
      if (comesAgain) {
        if ('value' in answer)
          compare('a receipt again', answer.value, { ...kept.receipt, replayed: true }, fail)
        this.keys.answered(true)
        return
      }
      if (kept.certain) fail('kept key', `a key that is kept was answered with ${describeAnswer(answer)}`)
    }
    if ('refusal' in answer) {
      if (answer.refusal !== expected.refusal) fail('refusal', `answered with ${answer.refusal}`)
      if (isKeyed) this.keys.answered(false)
      return
    }
    if (expected.refusal !== undefined) fail('no refusal', `answered with ${describeAnswer(answer)}`)
    this.#take(operation, expected, answer.value, span, fail)
  }

  #take(operation: Operation, expected: Expectation, value: unknown, span: TimeSpan, fail: Fail): void {
    switch (operation.kind) {
      case 'draw':
        this.#takeDraw(operation, expected.draws!, readReceipt(operation, value, fail), span, fail)
        return
      case 'put':
        this.#takePut(operation, expected, value as PutResult, fail)
        return
      case 'read':
        comparePool(value as PoolState, this.pools.get(operation.pool)!, fail)
        return
      case 'receipt':
        compare('a receipt', value, { ...this.keys.holding(operation.draw)!, replayed: true }, fail)
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
        const { version } = value as PoolSummary
        if (version !== pool.version) fail('version', `version ${version}, expected ${pool.version}`)
      }
    }
  }

  #takePut(
    { manifest }: Extract<Operation, { kind: 'put' }>,
    { silent = false }: Expectation,
    value: PutResult,
    fail: Fail,
  ): void {
    const pool = this.pools.get(manifest.id)
    if (pool === undefined) this.pools.set(manifest.id, new ModelPool(this.#nextPool++, manifest))
    else if (!silent) pool.put(manifest)
    const { id } = manifest
    const { version } = this.pools.get(id)!
    compare('a put', value, { id, version, created: pool === undefined, changed: !silent }, fail)
  }

  #takeDraw(operation: DrawOperation, draws: number, receipt: Receipt, span: TimeSpan, fail: Fail): void {
    const pool = this.pools.get(operation.pool)!
    const { id, items, version, at, replayed } = receipt
    if (replayed) fail('replayed', 'a receipt that is said to be replayed')
    if (id !== this.drawNumber + 1)
      fail('draw number', `draw number ${id}, and the last was ${this.drawNumber}`)
    if (items.length !== draws) fail('number of items', `${items.length} items`)
    if (version !== pool.version) fail('version', `version ${version}, and the pool's is ${pool.version}`)
    if (at < this.#lastTime || at < span.from || at > span.to)
      fail('time', `made at ${at}, between ${span.from} and ${span.to}, the draw before at ${this.#lastTime}`)
    const extra = pool.addsLastOne(draws - 1)
    for (const [place, item] of items.entries()) {
      const isExtra = extra && place === items.length - 1
      if (!isExtra) this.fairness?.add(pool, item)
      const why = pool.take(item, isExtra)
      if (why !== '') fail('item', why)
      this.drawn.push({ item: `${pool.id} ${item}`, at })
    }
    this.drawNumber += items.length
    this.#lastTime = at
    if (operation.key !== '') this.keys.add(operation, receipt)
  }

  /** Holds the pools of an engine against those of the model. */
  comparePools(states: readonly PoolState[]): void {
    const ids = [...this.pools.keys()].sort()
    const fail: Fail = (check, why) => {
      throw new Violation(`after recovery: ${check}`, `after recovery: ${why}`)
    }
    compare(
      'pools',
      states.map(({ id }) => id),
      ids,
      fail,
    )
    for (const state of states) comparePool(state, this.pools.get(state.id)!, fail)
  }
}

function readReceipt({ bulk }: DrawOperation, value: unknown, fail: Fail): Receipt {
  if (!bulk || !('itemIds' in (value as object))) return value as Receipt
  const { id, pool, items, itemIds, counts, version, at, replayed } = value as DrawManyReceipt
  const names = Array.from(items, index => itemIds[index] ?? fail('item', `no item ${index}`))
  for (const [index, count] of counts.entries())
    if (names.filter(name => name === itemIds[index]).length !== count)
      fail('counts', 'counts that are not those of the items')
  return { id, pool, items: names, version, at, replayed }
}

function comparePool(state: PoolState, pool: ModelPool, fail: Fail): void {
  const failPool: Fail = (check, why) => fail(check, `${pool.id}: ${why}`)
  compare('a pool', plainState(state), pool.describe(), failPool)
  const chances = new Map<string, number>()
  pool.eachChance((id, chance) => chances.set(id, chance))
  const all = [...chances.values()].reduce((sum, chance) => sum + chance, 0)
  for (const { id, odds } of state.items) {
    const right = all === 0 ? 0 : (chances.get(id) ?? 0) / all
    if (!(Math.abs(odds - right) < oddsApart))
      fail('odds', `"${id}" of ${pool.id} has odds ${odds}, expected ${right}`)
  }
}

function plainState({ id, version, mode, status, drawn, fallback, lastOne, items }: PoolState): unknown {
  const shown = items.map(item => ({
    id: item.id,
    weight: item.weight ?? 0,
    stock: item.stock,
    remaining: item.remaining,
    held: item.held,
    drawn: item.drawn,
  }))
  return { id, version, mode, status, drawn, fallback: fallback ?? '', lastOne: lastOne ?? '', items: shown }
}

function compare(check: string, found: unknown, expected: unknown, fail: Fail): void {
  if (!isDeepStrictEqual(found, expected)) fail(check, differences(found, expected))
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
