import type { Outcome, Request } from '../history/index.ts'
import type { ChaosFinding } from './finding.ts'
import type { Judged } from './verify.ts'

/** How many requests of a kind may be lost or refused by chance, one and all. */
const fewRequests = 20

/** What a request of each kind is answered with, unless it is refused. */
const answers: Record<Request['kind'], Outcome['kind']> = {
  draw: 'drawn',
  put: 'changed',
  restock: 'changed',
  reweigh: 'changed',
  status: 'changed',
  read: 'shown',
}

/** What is no answer is a fault of the server, and not an answer that was lost. */
export function findMalformed(all: readonly Judged[]): ChaosFinding[] {
  return all.flatMap(({ attempt: { answer, client, request }, operation }): ChaosFinding[] => {
    if (answer?.lost !== 'malformed') return []
    const message = `a ${request.kind} by ${client} was answered with what is no answer: ${answer.fault}`
    return [{ rule: 'answer-malformed', message, operations: [operation] }]
  })
}

/** A client that never hears of some kind of request checks nothing of it. */
export function findNeverAnswered(all: readonly Judged[]): ChaosFinding[] {
  const byKind = Map.groupBy(all, ({ attempt: { client, request } }) => `${client}: ${request.kind}`)
  return [...byKind].flatMap(([name, list]): ChaosFinding[] => {
    const { operation, attempt } = list[0]!
    const isAnswered = list.some(each => each.operation.outcome.kind === answers[attempt.request.kind])
    if (isAnswered || list.length <= fewRequests) return []
    const message = `${name}: none of ${list.length} was answered`
    return [{ rule: 'never-answered', message, operations: [operation] }]
  })
}
