import type { Draw } from './draws.ts'
import type { Finding, Operation } from './history.ts'

/** Numbers are unique and follow real time, and the log's clock follows them. Draws in the order of their numbers. */
export function checkNumbers(draws: readonly Draw[]): Finding[] {
  const findings: Finding[] = []
  let before: Draw | undefined
  /** The one with the highest last number so far, and the one that was asked for last. */
  let furthest: Draw | undefined
  let youngest: Draw | undefined
  for (const draw of draws) {
    if (furthest !== undefined && lastOf(furthest) >= draw.id) {
      const message = `draw ${draw.id} is in two receipts: ${tell(furthest)} and ${tell(draw)}`
      findings.push({ rule: 'number-reused', message, operations: both(furthest, draw) })
    }
    if (youngest !== undefined && draw.to < youngest.from) {
      const message = `${tell(draw)} was answered before ${tell(youngest)} was asked for`
      findings.push({ rule: 'number-order', message, operations: both(draw, youngest) })
    }
    if (before?.at !== undefined && draw.at !== undefined && draw.at < before.at) {
      const message = `${tell(before)} is of ${before.at}, and ${tell(draw)} of ${draw.at}`
      findings.push({ rule: 'time-runs-back', message, operations: both(before, draw) })
    }
    if (draw.at !== undefined) before = draw
    if (furthest === undefined || lastOf(draw) > lastOf(furthest)) furthest = draw
    if (youngest === undefined || draw.from > youngest.from) youngest = draw
  }
  return findings
}

/** A receipt has all that was asked for. `lastOnes`: the pools that may give one item on top. */
export function checkWhole(draws: readonly Draw[], lastOnes: ReadonlySet<string>): Finding[] {
  const findings: Finding[] = []
  for (const draw of draws) {
    const extra = lastOnes.has(draw.pool) ? 1 : 0
    for (const operation of draw.operations) {
      if (operation.outcome.kind !== 'drawn') continue
      const { count, partial = false } = operation.request
      const given = operation.outcome.items.length
      if (given <= count + extra && given >= (partial ? 1 : count)) continue
      const message = `${count} draws were asked for, and draw ${draw.id} gave ${given}`
      findings.push({ rule: 'not-whole', message, operations: [operation] })
    }
  }
  return findings
}

function lastOf({ id, items }: Draw): number {
  return id + items.length - 1
}

/** A draw for people: its numbers and its pool. */
export function tell(draw: Draw): string {
  const key = draw.key === undefined ? '' : `, key ${draw.key}`
  const numbers = draw.items.length === 1 ? `${draw.id}` : `${draw.id}-${lastOf(draw)}`
  return `draw ${numbers} (${draw.pool}${key})`
}

function both(a: Draw, b: Draw): Operation[] {
  return [...a.operations, ...b.operations]
}
