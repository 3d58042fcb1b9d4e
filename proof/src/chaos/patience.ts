import type { LoggedDraws } from '../history/index.ts'
import { episodes } from './episodes/index.ts'
import type { ChaosFinding } from './finding.ts'
import type { EpisodeLine } from './recorder.ts'
import type { Judged } from './verify.ts'

/**
 * Where answers were held up for longer than some clients wait, these have given up, and asked again for what they had
 * a key for; and the answer was a draw that the log has under that key. That no other one is there is a rule of every
 * history.
 */
export function findUntriedPatience(
  all: readonly Judged[],
  played: readonly EpisodeLine[],
  log: readonly LoggedDraws[],
): ChaosFinding[] {
  const logged = new Set(log.map(({ id, pool, request }) => nameOf(pool, request?.key, id)))
  const answered = new Set<string>()
  for (const { operation } of all) {
    const { request, outcome } = operation
    if (request.kind !== 'draw' || outcome.kind !== 'drawn') continue
    if (logged.has(nameOf(request.pool, request.key, outcome.id)))
      answered.add(nameOf(request.pool, request.key))
  }
  return played.flatMap((episode): ChaosFinding[] => {
    if (episodes.find(({ name }) => name === episode.name)?.outlastsPatience !== true) return []
    const late = all.filter(({ attempt }) => gaveUpIn(attempt, episode))
    const again = late.filter(({ attempt: { request } }) => {
      const key = request.kind === 'draw' ? request.key : undefined
      return key !== undefined && answered.has(nameOf(request.pool, key))
    })
    if (again.length > 0) return []
    const message = `${episode.name}: ${late.length} attempts were given up, and none was answered by its key later`
    return [{ rule: 'patience-untried', message, operations: late.map(({ operation }) => operation) }]
  })
}

function gaveUpIn({ answer }: Judged['attempt'], { from, to }: EpisodeLine): boolean {
  return answer?.lost === 'timeout' && answer.answered >= from && answer.answered <= to
}

function nameOf(pool: string, key: string | undefined, id?: number): string {
  return JSON.stringify([pool, key, id])
}
