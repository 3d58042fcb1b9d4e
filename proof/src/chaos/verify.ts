import { join } from 'node:path'
import type { DecodedPool } from '../../../test/support/decoded-pool.ts'
import { type DecodedLog, decodeLog } from '../../../test/support/log-decoder.ts'
import { checkHistory, type Finding, type LoggedDraws, type Operation } from '../history/index.ts'
import { patienceMs } from './client/door.ts'
import { type LifeLine, type RecordedAttempt, readAttempts, readLives } from './recorder.ts'

/** What became of a campaign. */
export interface Verdict {
  readonly operations: number
  readonly answered: number
  readonly unknown: number
  /** Draws in the log. */
  readonly draws: number
  readonly findings: readonly Finding[]
}

/** Refusals that what the clients ask can meet. Any other one is a fault by itself. */
const expected = new Set([
  ...['POOL_EMPTY', 'INSUFFICIENT_STOCK', 'POOL_PAUSED', 'POOL_CLOSED', 'POOL_NOT_FOUND'],
  ...['KEY_CONFLICT', 'OVERLOADED', 'READ_ONLY', 'INVALID', 'CONNECTION_CLOSED'],
])

/** Holds the histories of a directory against each other and against its log, which another decoder reads. */
export function verify(directory: string): Verdict {
  const lives = new Map(readLives(directory).map(line => [line.life, line]))
  const attempts = readAttempts(directory)
  const operations = attempts.map(attempt => toOperation(attempt, lives.get(attempt.life)))
  const { log, decoded } = readLog(directory)
  const findings = [
    ...checkHistory({ operations, log }),
    ...attempts.flatMap((attempt, k) => findUnexpected(operations[k]!, lives.get(attempt.life))),
    ...findLastShown(operations, decoded),
  ]
  const unknown = operations.filter(({ outcome }) => outcome.kind === 'unknown').length
  return {
    operations: operations.length,
    answered: operations.length - unknown,
    unknown,
    draws: decoded.drawNumber,
    findings,
  }
}

/** What was not answered had taken place when its server ended, if it ever did. */
function toOperation(attempt: RecordedAttempt, life: LifeLine | undefined): Operation {
  const { client, asked: invoked, request, answer } = attempt
  const outcome = answer?.outcome ?? { kind: 'unknown' }
  if (outcome.kind !== 'unknown') return { client, invoked, completed: answer!.answered, request, outcome }
  const completed = Math.max(invoked, life?.ended ?? Number.POSITIVE_INFINITY)
  // A server that stops in order answers all that it has taken up, so what was not answered did not take place: unless
  // the client had not waited for it (timers and clocks are not told apart to the millisecond).
  const waited = answer !== undefined && answer.answered - invoked < patienceMs / 2
  return life?.end === 'stopped' && waited
    ? { client, invoked, completed, request, outcome: { kind: 'refused', code: 'CONNECTION_CLOSED' } }
    : { client, invoked, completed, request, outcome }
}

function readLog(directory: string): { log: LoggedDraws[]; decoded: DecodedLog } {
  const log: LoggedDraws[] = []
  const decoded = decodeLog(join(directory, 'data', 'log'), {
    onDraws: (id, pool, indexes, request) => {
      const items = indexes.map(index => pool.items[index]!.id)
      if (request === undefined) log.push({ id, pool: pool.id, items })
      else {
        const { asked: count, partial, key, recipient } = request
        const named = { ...(key === '' ? {} : { key }), ...(recipient === '' ? {} : { recipient }) }
        log.push({ id, pool: pool.id, items, request: { count, partial, ...named } })
      }
    },
  })
  return { log, decoded }
}

function findUnexpected(operation: Operation, life: LifeLine | undefined): Finding[] {
  const { outcome, request } = operation
  if (outcome.kind !== 'refused' || expected.has(outcome.code)) return []
  // A writer that has failed says of all that came after the failed write that it did not take place.
  if (outcome.code === 'INTERNAL' && life?.end === 'failed') return []
  const message = `a ${request.kind} was refused with ${outcome.code}`
  return [{ rule: 'refusal-implausible', message, operations: [operation] }]
}

/** The pools as they were shown last, when nobody asked for more, are those of the log. */
function findLastShown(operations: readonly Operation[], { pools }: DecodedLog): Finding[] {
  const last = new Map<string, Operation>()
  for (const operation of operations) {
    if (operation.client !== 'operator' || operation.outcome.kind !== 'shown') continue
    last.set(operation.request.pool, operation)
  }
  return [...pools.values()].flatMap((pool): Finding[] => {
    const operation = last.get(pool.id)
    if (operation === undefined || isAsShown(pool, operation)) return []
    const message = `${pool.id} is not shown as the log has it: ${JSON.stringify(pool.items)}`
    return [{ rule: 'read-stale', message, operations: [operation] }]
  })
}

function isAsShown(pool: DecodedPool, { outcome }: Operation): boolean {
  if (outcome.kind !== 'shown') return false
  const same =
    outcome.version === pool.version &&
    outcome.status === pool.status &&
    outcome.items.length === pool.items.length
  return (
    same &&
    pool.items.every(({ id, stock, drawn }, index) => {
      const shown = outcome.items[index]!
      return shown.id === id && shown.stock === stock && shown.drawn === drawn
    })
  )
}
