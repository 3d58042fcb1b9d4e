import type { Finding, Rule, Status } from './history.ts'
import type { Interval, Write } from './intervals.ts'
import { compare, countBelow, PossibleValues } from './intervals.ts'
import { tell } from './numbers.ts'
import type { PoolHistory } from './stock.ts'

const statusOf: Readonly<Record<string, Status>> = { POOL_PAUSED: 'paused', POOL_CLOSED: 'closed' }

/** Open, paused, closed: what was drawn, refused and seen fits what the pool may have been. */
export function checkStatuses({ pool, operations, draws }: PoolHistory): Finding[] {
  const findings: Finding[] = []
  const writes: Write<Status>[] = [
    { value: 'open', from: Number.NEGATIVE_INFINITY, to: Number.NEGATIVE_INFINITY, certain: true },
  ]
  const created: number[] = []
  for (const { request, outcome, invoked: from, completed: to } of operations) {
    if (request.kind === 'put' && outcome.kind === 'changed') created.push(to)
    if (request.kind !== 'status' || outcome.kind === 'refused') continue
    writes.push({ value: request.status, from, to, certain: outcome.kind === 'changed' })
  }
  created.sort(compare)
  const statuses = new PossibleValues(writes)
  const isPossible = (status: Status, during: Interval): boolean =>
    statuses.during(during).some(({ value }) => value === status)
  for (const draw of draws) {
    if (isPossible('open', draw)) continue
    const message = `${tell(draw)} was made while the pool was shut`
    findings.push({ rule: 'drawn-while-shut', message, operations: draw.operations })
  }
  for (const operation of operations) {
    const { outcome, invoked: from, completed: to } = operation
    const report = (rule: Rule, message: string) =>
      findings.push({ rule, message: `${pool}: ${message}`, operations: [operation] })
    if (outcome.kind === 'shown' && !isPossible(outcome.status, { from, to }))
      report('status-shown', `seen ${outcome.status}, which it cannot have been`)
    if (outcome.kind !== 'refused') continue
    const status = statusOf[outcome.code]
    const absent = outcome.code === 'POOL_NOT_FOUND' && countBelow(created, from) > 0
    if (absent || (status !== undefined && !isPossible(status, { from, to })))
      report('refusal-implausible', `refused with ${outcome.code}, for which there was no reason`)
  }
  return findings
}
