import type { Attempt, KeyedAttempts } from './draws.ts'
import { isSameRequest } from './draws.ts'
import type { Drawn, Finding, Rule } from './history.ts'

/** Refusals that are decided on the pool, so that a key that is kept comes before them. */
const decided = new Set(['POOL_NOT_FOUND', 'POOL_CLOSED', 'POOL_PAUSED', 'POOL_EMPTY', 'INSUFFICIENT_STOCK'])

/** Exactly once: one key, one request, one receipt. */
export function checkKeys(keyed: Iterable<KeyedAttempts>): Finding[] {
  const findings: Finding[] = []
  for (const group of keyed) {
    if (group.attempts.length === 1 && group.attempts[0]!.outcome.kind === 'unknown') continue
    const report = (rule: Rule, what: string, operations: readonly Attempt[]): void => {
      const message = `key ${group.key} of ${group.pool}: ${what}`
      findings.push({ rule, message, operations })
    }
    const answered = group.attempts.filter(({ outcome }) => outcome.kind === 'drawn')
    checkReceipts(answered, report)
    checkConflicts(group.attempts, report)
    checkRefusals(group.attempts, answered, report)
    checkReplays(group.attempts, answered, report)
  }
  return findings
}

type Report = (rule: Rule, what: string, operations: readonly Attempt[]) => void

const receiptOf = (attempt: Attempt): Drawn => attempt.outcome as Drawn

function checkReceipts(answered: readonly Attempt[], report: Report): void {
  const first = answered[0]
  if (first === undefined) return
  const other = answered.find(attempt => !isSameRequest(attempt.request, first.request))
  if (other !== undefined) {
    report('key-conflict', 'two requests were answered', [first, other])
    return
  }
  const different = answered.find(attempt => !isSameReceipt(receiptOf(attempt), receiptOf(first)))
  if (different === undefined) return
  const ids = `${receiptOf(first).id} and ${receiptOf(different).id}`
  report('key-receipt', `two receipts, of draws ${ids}`, [first, different])
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
  for (const attempt of attempts) {
    const { outcome } = attempt
    if (outcome.kind !== 'refused' || outcome.code !== 'KEY_CONFLICT') continue
    const another = attempts.some(
      other =>
        other.outcome.kind !== 'refused' &&
        other.invoked <= attempt.completed &&
        !isSameRequest(other.request, attempt.request),
    )
    if (!another) report('key-conflict', 'refused, and no other request had it', [attempt])
  }
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
  for (const attempt of answered) {
    if (receiptOf(attempt).replayed !== true) continue
    const maker = attempts.some(
      other =>
        other !== attempt &&
        other.invoked <= attempt.completed &&
        (other.outcome.kind === 'unknown' ||
          (other.outcome.kind === 'drawn' && other.outcome.replayed !== true)),
    )
    if (!maker) report('key-replayed', 'replayed, and nobody can have made the draw', [attempt])
  }
}
