import type { Draw } from './draws.ts'
import type { Finding, LoggedDraws, SharedClock } from './history.ts'
import { compare, countBelow } from './intervals.ts'
import { tell } from './numbers.ts'

/**
 * Holds the time of draws against that of the clients. A batch is of the time at which it was begun, which may be long
 * before a draw comes into it, where the write before it takes long; but it is begun after that write, and so after all
 * that was answered before the draw was asked for had been asked. Draws whose times are narrowed.
 */
export function checkTimes(
  draws: readonly Draw[],
  log: readonly LoggedDraws[],
  { zero, toleranceMs }: SharedClock,
): Finding[] {
  const findings: Finding[] = []
  const starts = Float64Array.from(log, ({ id }) => id)
  const ended = draws.toSorted((a, b) => compare(a.to, b.to))
  let youngest: Draw | undefined
  let next = 0
  for (const draw of draws.toSorted((a, b) => compare(a.from, b.from))) {
    for (; ended[next] !== undefined && ended[next]!.to < draw.from; next++)
      if (youngest === undefined || ended[next]!.from > youngest.from) youngest = ended[next]!
    const at = draw.at ?? log[countBelow(starts, draw.id, true) - 1]?.at
    if (at === undefined) continue
    const time = at - zero
    if (time > draw.to + toleranceMs) {
      const message = `${tell(draw)} is of ${at}, and was answered ${Math.round(time - draw.to)} ms before`
      findings.push({ rule: 'time-off', message, operations: draw.operations })
    } else if (youngest !== undefined && time < youngest.from - toleranceMs) {
      const late = Math.round(youngest.from - time)
      const message = `${tell(draw)} is of ${at}, ${late} ms before ${tell(youngest)} was asked for, which came first`
      findings.push({
        rule: 'time-off',
        message,
        operations: [...youngest.operations, ...draw.operations],
      })
    }
  }
  return findings
}
