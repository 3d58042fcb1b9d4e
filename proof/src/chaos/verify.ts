import { join } from 'node:path'
import type { DecodedPool } from '../../../test/support/decoded-pool.ts'
import { type DecodedLog, decodeLog } from '../../../test/support/log-decoder.ts'
import { checkHistory, type History, type LoggedDraws, type Operation } from '../history/index.ts'
import { findMalformed, findNeverAnswered } from './answers.ts'
import type { ChaosFinding } from './finding.ts'
import { findUntriedPatience } from './patience.ts'
import { type LifeLine, type RecordedAttempt, readAttempts, readEpisodes, readLives } from './recorder.ts'
import { findUnexpected } from './refusals.ts'

/** What became of a campaign. */
export interface Verdict {
  readonly operations: number
  readonly answered: number
  readonly unknown: number
  /** Of those, attempts that were not waited for any longer. */
  readonly late: number
  /** Draws in the log. */
  readonly draws: number
  readonly findings: readonly ChaosFinding[]
}

/** An attempt as its client wrote it down, and what it is in the history. */
export interface Judged {
  readonly attempt: RecordedAttempt
  readonly operation: Operation
}

/**
 * Client and server read the same clock of one machine, in whole milliseconds. What is more is what its time of day was
 * set by in between.
 */
const toleranceMs = 5

/** Holds the histories of a directory against each other and against its log, which another decoder reads. */
export function verify(directory: string): Verdict {
  const lives = readLives(directory)
  const byNumber = new Map(lives.map(line => [line.life, line]))
  const episodes = readEpisodes(directory)
  const all = readAttempts(directory).map(
    (attempt): Judged => ({ attempt, operation: toOperation(attempt, byNumber.get(attempt.life)) }),
  )
  const operations = all.map(({ operation }) => operation)
  const { log, decoded } = readLog(directory)
  const unknown = operations.filter(({ outcome }) => outcome.kind === 'unknown').length
  return {
    operations: operations.length,
    answered: operations.length - unknown,
    unknown,
    late: all.filter(({ attempt }) => attempt.answer?.lost === 'timeout').length,
    draws: decoded.drawNumber,
    findings: [
      ...findMalformed(all),
      ...checkHistory({ operations, log, ...sharedClock(lives) }),
      ...findUnexpected(all, episodes),
      ...findNeverAnswered(all),
      ...findUntriedPatience(all, episodes, log),
      ...findLastShown(operations, decoded),
    ],
  }
}

/** None before the first server has ended. */
function sharedClock(lives: readonly LifeLine[]): Pick<History, 'clock'> {
  if (lives.length === 0) return {}
  const zeros = lives.map(({ zero }) => zero)
  const zero = Math.min(...zeros)
  return { clock: { zero, toleranceMs: toleranceMs + Math.max(...zeros) - zero } }
}

/** What was not answered had taken place when its server ended, if it ever did. */
function toOperation(attempt: RecordedAttempt, life: LifeLine | undefined): Operation {
  const { client, asked: invoked, request, answer } = attempt
  const outcome = answer?.outcome ?? { kind: 'unknown' }
  if (outcome.kind !== 'unknown') return { client, invoked, completed: answer!.answered, request, outcome }
  const completed = Math.max(invoked, life?.ended ?? Number.POSITIVE_INFINITY)
  // A server that stops in order answers all that it has taken up, so what was not answered did not take place, unless
  // the client had not waited for it.
  return life?.end === 'stopped' && answer?.lost === 'connection'
    ? { client, invoked, completed, request, outcome: { kind: 'refused', code: 'CONNECTION_CLOSED' } }
    : { client, invoked, completed, request, outcome }
}

function readLog(directory: string): { log: LoggedDraws[]; decoded: DecodedLog } {
  const log: LoggedDraws[] = []
  const decoded = decodeLog(join(directory, 'data', 'log'), {
    onDraws: (id, pool, indexes, request, at) => {
      const items = indexes.map(index => pool.items[index]!.id)
      if (request === undefined) log.push({ id, pool: pool.id, items, at })
      else {
        const { asked: count, partial, key, recipient } = request
        const named = { ...(key === '' ? {} : { key }), ...(recipient === '' ? {} : { recipient }) }
        log.push({ id, pool: pool.id, items, at, request: { count, partial, ...named } })
      }
    },
  })
  return { log, decoded }
}

/** The pools as they were shown last, when nobody asked for more, are those of the log. */
function findLastShown(operations: readonly Operation[], { pools }: DecodedLog): ChaosFinding[] {
  const last = new Map<string, Operation>()
  for (const operation of operations) {
    if (operation.client !== 'operator' || operation.outcome.kind !== 'shown') continue
    last.set(operation.request.pool, operation)
  }
  return [...pools.values()].flatMap((pool): ChaosFinding[] => {
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
