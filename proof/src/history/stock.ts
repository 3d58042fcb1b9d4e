import type { Draw, OpenDraw } from './draws.ts'
import { isDraw } from './draws.ts'
import type { Finding, Operation, Shown } from './history.ts'
import type { Interval } from './intervals.ts'
import { compare, UnitsByTime } from './intervals.ts'
import { tell } from './numbers.ts'
import type { Stocks } from './stocks.ts'

/** All of a history that is of one pool. */
export interface PoolHistory {
  readonly pool: string
  readonly operations: readonly Operation[]
  /** In the order of their numbers. */
  readonly draws: readonly Draw[]
  readonly open: readonly OpenDraw[]
  readonly stocks: Stocks
}

/** Never more drawn than there is, and a refusal or a reader that says otherwise has a reason. */
export function checkStock(history: PoolHistory): Finding[] {
  const drawn = new DrawnUnits(history)
  return [...checkDraws(history), ...checkRefusals(history, drawn), ...checkReads(history, drawn)]
}

function checkDraws({ draws, stocks }: PoolHistory): Finding[] {
  const findings: Finding[] = []
  const drawn = new Map<string, number>()
  for (const draw of draws) {
    for (const [item, units] of countItems(draw.items)) {
      const sum = (drawn.get(item) ?? 0) + units
      drawn.set(item, sum)
      const most = stocks.most(item, draw)
      if (sum <= most) continue
      const { operations } = draw
      if (most < 0) {
        const message = `${tell(draw)} gave ${item}, which the pool cannot have had`
        findings.push({ rule: 'item-unknown', message, operations })
      } else {
        const message = `up to ${tell(draw)}, ${sum} of ${item} were drawn, and there were ${most} at most`
        findings.push({ rule: 'stock-exceeded', message, operations })
      }
    }
  }
  return findings
}

function countItems(items: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const item of items) counts.set(item, (counts.get(item) ?? 0) + 1)
  return counts
}

/** How many units were drawn by then: at least, at most. */
class DrawnUnits {
  readonly #least: UnitsByTime
  readonly #most: UnitsByTime
  readonly #leastOf = new Map<string, UnitsByTime>()
  readonly #mostOf = new Map<string, UnitsByTime>()
  readonly #open: UnitsByTime

  constructor({ draws, open, stocks }: PoolHistory) {
    const byItem = new Map<string, [Draw, number][]>()
    for (const draw of draws) {
      for (const [item, units] of countItems(draw.items)) {
        const list = byItem.get(item)
        if (list === undefined) byItem.set(item, [[draw, units]])
        else list.push([draw, units])
      }
    }
    const extra = stocks.lastOnes.size > 0 ? 1 : 0
    this.#open = new UnitsByTime(open.map(({ from, attempt }) => [from, attempt.request.count + extra]))
    this.#least = new UnitsByTime(draws.map(({ to, items }) => [to, items.length]))
    this.#most = new UnitsByTime(draws.map(({ from, items }) => [from, items.length]))
    for (const [item, list] of byItem) {
      this.#leastOf.set(item, new UnitsByTime(list.map(([{ to }, units]) => [to, units])))
      this.#mostOf.set(item, new UnitsByTime(list.map(([{ from }, units]) => [from, units])))
    }
  }

  least({ from }: Interval, item?: string): number {
    return (item === undefined ? this.#least : this.#leastOf.get(item))?.before(from) ?? 0
  }

  most({ to }: Interval, item?: string): number {
    const answered = (item === undefined ? this.#most : this.#mostOf.get(item))?.upTo(to) ?? 0
    return answered + this.#open.upTo(to)
  }
}

function checkRefusals({ pool, operations, stocks }: PoolHistory, drawn: DrawnUnits): Finding[] {
  const findings: Finding[] = []
  for (const operation of operations) {
    const { outcome, invoked: from, completed: to } = operation
    if (outcome.kind !== 'refused') continue
    const { request } = operation
    if (request.kind === 'put' && outcome.code === 'INVALID') {
      if (
        request.items.some(({ id, stock }) => stock !== 'unlimited' && stock < drawn.most({ from, to }, id))
      )
        continue
      const message = `INVALID for a put of ${pool}, of which no item can have been drawn more often than it has stock`
      findings.push({ rule: 'refusal-implausible', message, operations: [operation] })
    }
    if (!isDraw(operation)) continue
    const needed =
      outcome.code === 'POOL_EMPTY' ? 1 : outcome.code === 'INSUFFICIENT_STOCK' ? operation.request.count : 0
    if (needed === 0) continue
    const left = stocks.leastInAll({ from, to }) - drawn.most({ from, to })
    if (left < needed) continue
    const message = `${outcome.code} for ${operation.request.count} of ${pool}, which had ${left} at least`
    findings.push({ rule: 'refusal-implausible', message, operations: [operation] })
  }
  return findings
}

function checkReads({ pool, operations, stocks }: PoolHistory, drawn: DrawnUnits): Finding[] {
  const findings: Finding[] = []
  const reads: (Interval & { shown: Shown; operation: Operation })[] = []
  for (const operation of operations) {
    const { outcome: shown, invoked: from, completed: to } = operation
    if (shown.kind === 'shown') reads.push({ shown, from, to, operation })
  }
  for (const { shown, from, to, operation } of reads) {
    const during = { from, to }
    const report = (rule: Finding['rule'], message: string) =>
      findings.push({ rule, message: `${pool}: ${message}`, operations: [operation] })
    for (const { item, units } of [
      { item: undefined, units: shown.drawn },
      ...shown.items.map(({ id, drawn: units }) => ({ item: id, units })),
    ]) {
      const name = item === undefined ? 'in all' : `of ${item}`
      const [least, most] = [drawn.least(during, item), drawn.most(during, item)]
      if (units < least) report('read-stale', `${units} drawn ${name}, and there were ${least} at least`)
      if (units > most) report('read-ahead', `${units} drawn ${name}, and there were ${most} at most`)
    }
    for (const { id, stock } of shown.items)
      if (!stocks.allows(id, stock, during)) report('stock-shown', `a stock of ${stock} of ${id}`)
    const wrong = findWrongSum(shown)
    if (wrong !== undefined) report('read-sums', wrong)
  }
  return [...findings, ...checkReadOrder(pool, reads)]
}

function findWrongSum({ drawn, items }: Shown): string | undefined {
  let sum = 0
  for (const item of items) {
    sum += item.drawn
    const { stock, remaining, held } = item
    const fits =
      stock === 'unlimited' || remaining === 'unlimited'
        ? stock === remaining
        : remaining >= 0 && stock === remaining + held + item.drawn
    if (!fits) return `${item.id} does not add up: ${JSON.stringify(item)}`
  }
  // Items that a later put has left out count as drawn, and are not shown.
  return sum > drawn ? `${drawn} drawn in all, and ${sum} by item` : undefined
}

/** A reader who comes after another sees no less. */
function checkReadOrder(
  pool: string,
  reads: readonly (Interval & { shown: Shown; operation: Operation })[],
): Finding[] {
  const findings: Finding[] = []
  const ended = reads.toSorted((a, b) => compare(a.to, b.to))
  let most: (typeof ended)[number] | undefined
  let next = 0
  for (const read of reads.toSorted((a, b) => compare(a.from, b.from))) {
    for (; ended[next] !== undefined && ended[next]!.to < read.from; next++)
      if (most === undefined || ended[next]!.shown.drawn > most.shown.drawn) most = ended[next]!
    if (most === undefined || read.shown.drawn >= most.shown.drawn) continue
    const message = `${pool}: ${read.shown.drawn} drawn, seen after ${most.shown.drawn}`
    findings.push({ rule: 'read-stale', message, operations: [most.operation, read.operation] })
  }
  return findings
}
