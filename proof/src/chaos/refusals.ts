import type { Request } from '../history/index.ts'
import { episodes } from './episodes/index.ts'
import type { ChaosFinding } from './finding.ts'
import type { EpisodeLine } from './recorder.ts'
import type { Judged } from './verify.ts'

/**
 * Refusals that what the clients ask can meet at any time. Whether there was a reason for one is a question for the
 * checker of histories, which knows the reasons of all of these.
 */
const ofRequests: Record<Request['kind'], readonly string[]> = {
  draw: [
    ...['POOL_EMPTY', 'INSUFFICIENT_STOCK', 'POOL_PAUSED', 'POOL_CLOSED', 'POOL_NOT_FOUND'],
    ...['KEY_CONFLICT'],
  ],
  put: ['POOL_CLOSED', 'INVALID'],
  restock: [],
  reweigh: [],
  status: ['POOL_CLOSED', 'POOL_NOT_FOUND'],
  read: [],
}

/** Refusals for which there is no reason in what was asked for, nor in a mishap at that time. */
export function findUnexpected(all: readonly Judged[], played: readonly EpisodeLine[]): ChaosFinding[] {
  return all.flatMap(judged => {
    const { attempt, operation } = judged
    const code = codeOf(judged)
    if (code === undefined || ofRequests[attempt.request.kind].includes(code)) return []
    const { invoked, completed } = operation
    const brought = played.some(({ name, from, to }) => {
      const brings = episodes.find(episode => episode.name === name)?.brings ?? []
      return from <= completed && invoked <= to && brings.some(each => each === code)
    })
    const message = `a ${attempt.request.kind} was answered with ${code}, which nothing there brings about`
    return brought ? [] : [{ rule: 'refusal-unexpected', message, operations: [operation] }]
  })
}

/** What the server said; what `verify` makes of a lost connection it did not say. */
function codeOf({ attempt: { answer } }: Judged): string | undefined {
  if (answer?.lost === 'told') return 'OUTCOME_UNKNOWN'
  return answer?.outcome.kind === 'refused' ? answer.outcome.code : undefined
}
