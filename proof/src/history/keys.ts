import type { Attempt, KeyedAttempts } from './draws.ts'
import { isSameRequest } from './draws.ts'
import type { Drawn, Finding, Rule } from './history.ts'
import { compare } from './intervals.ts'
import type { KeyMemory } from './key-memory.ts'

/** Refusals that are decided on the pool, so that a key that is kept comes before them. */
const decided = new Set(['POOL_NOT_FOUND', 'POOL_CLOSED', 'POOL_PAUSED', 'POOL_EMPTY', 'INSUFFICIENT_STOCK'])

/** Exactly once: one key, one request, one receipt. */
export function checkKeys(keyed: Iterable<KeyedAttempts>, memory: KeyMemory): Finding[] {
  const findings: Finding[] = []
  for (const group of keyed) {
    if (group.attempts.length === 1 && group.attempts[0]!.outcome.kind === 'unknown') continue
    const report = (rule: Rule, what: string, operations: readonly Attempt[]): void => {
      const message = `key ${group.key} of ${group.pool}: ${what}`
      findings.push({ rule, message, operations })
    }
    const answered = group.attempts.filter(({ outcome }) => outcome.kind === 'drawn')
    checkReceipts(answered, memory, report)
    checkConflicts(group.attempts, report)
    // When a refusal was decided is not known, so neither whether the key was there.
    if (!memory.forgets) checkRefusals(group.attempts, answered, report)
    checkReplays(group.attempts, answered, report)
  }
  return findings
}

type Report = (rule: Rule, what: string, operations: readonly Attempt[]) => void

const receiptOf = (attempt: Attempt): Drawn => attempt.outcome as Drawn

function checkReceipts(answered: readonly Attempt[], memory: KeyMemory, report: Report): void {
  const firsts = new Map<number, Attempt>()
  for (const attempt of answered) {
    const { id } = receiptOf(attempt)
    const first = firsts.get(id)
    if (first === undefined) firsts.set(id, attempt)
    else if (!isSameRequest(attempt.request, first.request))
      report('key-conflict', 'two requests were answered', [first, attempt])
    else if (!isSameReceipt(receiptOf(attempt), receiptOf(first)))
      report('key-receipt', `two receipts of draw ${id}`, [first, attempt])
  }
  const draws = [...firsts.values()].sort((a, b) => compare(receiptOf(a).id, receiptOf(b).id))
  for (const [index, later] of draws.entries()) {
    const earlier = draws[index - 1]
    if (earlier === undefined || memory.mayForget(receiptOf(earlier), receiptOf(later))) continue
    const ids = `${receiptOf(earlier).id} and ${receiptOf(later).id}`
    if (isSameRequest(earlier.request, later.request))
      report('key-receipt', `two receipts, of draws ${ids}`, [earlier, later])
    else report('key-conflict', `two requests were answered, by draws ${ids}`, [earlier, later])
  }
}

/** Where both tell it, it is the same. */
function isSameReceipt(a: Drawn, b: Drawn): boolean {
  const same = (one: number | undefined, two: number | undefined): boolean =>
    one === undefined || two === undefined || one === two
  return (
    a.id === b.id &&
    same(a.version, b.version) &&
    same(a.at, b.at) &&
    a.items.length === b.items.length &&
    a.items.every((item, k) => item === b.items[k])
  )
}

function checkConflicts(attempts: readonly Attempt[], report: Report): void {
  const firsts = firstOfRequests(attempts)
  for (const attempt of attempts) {
    const { outcome } = attempt
    if (outcome.kind !== 'refused' || outcome.code !== 'KEY_CONFLICT') continue
    const other = firsts.find(({ request }) => !isSameRequest(request, attempt.request))
    if (other === undefined || other.invoked > attempt.completed)
      report('key-conflict', 'refused, and no other request had it', [attempt])
  }
}

/**
 * Of each request that may have been answered the attempt that was asked first, for the two that were first of all: one
 * of them is another request than any given one.
 */
function firstOfRequests(attempts: readonly Attempt[]): Attempt[] {
  const firsts: Attempt[] = []
  for (const attempt of attempts.toSorted((a, b) => compare(a.invoked, b.invoked))) {
    if (attempt.outcome.kind === 'refused') continue
    if (firsts.length > 0 && isSameRequest(firsts[0]!.request, attempt.request)) continue
    firsts.push(attempt)
    if (firsts.length === 2) break
  }
  return firsts
}

function checkRefusals(attempts: readonly Attempt[], answered: readonly Attempt[], report: Report): void {
  if (answered.length === 0) return
  const first = answered.reduce((a, b) => (b.completed < a.completed ? b : a))
  for (const attempt of attempts) {
    const { outcome, invoked } = attempt
    if (outcome.kind !== 'refused' || invoked <= first.completed || !decided.has(outcome.code)) continue
    report('key-forgotten', `answered as draw ${receiptOf(first).id}, then ${outcome.code}`, [first, attempt])
  }
}

function checkReplays(attempts: readonly Attempt[], answered: readonly Attempt[], report: Report): void {
  const made = answered.filter(attempt => receiptOf(attempt).replayed === false)
  if (made.length > 1) {
    // Two draws are another rule's.
    const [one, two] = made as [Attempt, Attempt]
    if (receiptOf(one).id === receiptOf(two).id) report('key-replayed', 'two made the same draw', [one, two])
  }
  let firstMaker = Number.POSITIVE_INFINITY
  for (const { invoked, outcome } of attempts)
    if (outcome.kind === 'unknown' || (outcome.kind === 'drawn' && outcome.replayed !== true))
      firstMaker = Math.min(firstMaker, invoked)
  for (const attempt of answered)
    if (receiptOf(attempt).replayed === true && firstMaker > attempt.completed)
      report('key-replayed', 'replayed, and nobody can have made the draw', [attempt])
}
