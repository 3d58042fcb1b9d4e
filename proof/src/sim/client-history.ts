import type { DrawManyReceipt, PoolState, PoolSummary, PutResult, Receipt } from '@kuji/engine/contract'
import type { OnDraws } from '../../../test/support/log-decoder.ts'
import {
  checkHistory,
  type LoggedDraws,
  type Outcome,
  type Request,
  type Operation as Told,
} from '../history/index.ts'
import type { KeyRules } from './model/model-keys.ts'
import type { Answer, Operation } from './model/operation.ts'
import { Violation } from './model/violation.ts'

/**
 * What clients asked and were answered, for the checker of histories: it knows neither the engine nor the model, and so
 * is a second opinion on the same run.
 */
export class ClientHistory {
  readonly #operations: Told[] = []
  readonly #log: LoggedDraws[] = []

  /** Enters an attempt. The checker knows of no receipts but those of draws, and of no pools that are deleted. */
  add(operation: Operation, invoked: number, completed: number, answer: Answer | 'unknown'): void {
    if (operation.kind === 'receipt') return
    const request = requestOf(operation)
    if (request === null) throw new Error(`an operation that is no part of a history: ${operation.kind}`)
    const client = operation.kind === 'draw' ? operation.recipient : 'owner'
    this.#operations.push({ client, invoked, completed, request, outcome: outcomeOf(operation, answer) })
  }

  /** Enters what the log has. */
  readonly addLogged: OnDraws = (id, pool, items, request, at) => {
    const names = items.map(index => pool.items[index]!.id)
    const asked = request === undefined ? {} : { request: readRequest(request) }
    this.#log.push({ id, pool: pool.id, items: names, at, ...asked })
  }

  /**
   * Holds one against the other.
   * @param keys the least that any start has asked for
   */
  check(keys: KeyRules): void {
    const [first] = checkHistory({ operations: this.#operations, keys, log: this.#log })
    if (first === undefined) return
    throw new Violation(
      `history: ${first.rule}`,
      `the history of the clients breaks ${first.rule}: ${first.message}`,
    )
  }
}

function readRequest(request: { asked: number; partial: boolean; key: string; recipient: string }) {
  const { asked: count, partial, key, recipient } = request
  return { count, partial, ...(key === '' ? {} : { key }), ...(recipient === '' ? {} : { recipient }) }
}

function requestOf(operation: Operation): Request | null {
  switch (operation.kind) {
    case 'draw': {
      const { pool, count, partial, key, recipient } = operation
      const named = { ...(key === '' ? {} : { key }), ...(recipient === '' ? {} : { recipient }) }
      return { kind: 'draw', pool, count, partial, ...named }
    }
    case 'put': {
      const { id: pool, items, lastOne } = operation.manifest
      const stocks = items.map(({ id, stock }) => ({ id, stock }))
      return { kind: 'put', pool, items: stocks, ...(lastOne === undefined ? {} : { lastOne }) }
    }
    case 'update': {
      const { pool, item, update } = operation
      if (update.weight === undefined) return { kind: 'restock', pool, item, units: update.restock! }
      return update.restock === undefined ? { kind: 'reweigh', pool, item, weight: update.weight } : null
    }
    case 'status':
    case 'read':
      return operation
    case 'delete':
    case 'receipt':
      return null
  }
}

function outcomeOf(operation: Operation, answer: Answer | 'unknown'): Outcome {
  if (answer === 'unknown') return { kind: 'unknown' }
  if ('refusal' in answer) return { kind: 'refused', code: answer.refusal }
  switch (operation.kind) {
    case 'draw': {
      const { id, items, version, at, replayed } = answer.value as Receipt | DrawManyReceipt
      const names = operation.bulk
        ? Array.from(items as Uint8Array, index => (answer.value as DrawManyReceipt).itemIds[index]!)
        : (items as readonly string[])
      return { kind: 'drawn', id, items: names, version, at, replayed }
    }
    case 'put': {
      const { version, changed } = answer.value as PutResult
      return { kind: 'changed', version, changed }
    }
    case 'update':
      return { kind: 'changed', version: (answer.value as PoolSummary).version }
    case 'read': {
      const { version, status, drawn, items } = answer.value as PoolState
      return { kind: 'shown', version, status, drawn, items }
    }
    default:
      return { kind: 'changed' }
  }
}
