import type { Operation, PutRequest, Stock } from './history.ts'
import type { Interval, Write } from './intervals.ts'
import { PossibleValues, UnitsByTime } from './intervals.ts'

/** Units put on top of a stock, by when that was asked for and by when it had taken place if it ever did. */
class Restocks {
  readonly #asked: UnitsByTime
  readonly #ended: UnitsByTime
  readonly #answeredAsked: UnitsByTime
  readonly #answeredEnded: UnitsByTime

  constructor(restocks: readonly Restock[]) {
    const answered = restocks.filter(({ certain }) => certain)
    this.#asked = new UnitsByTime(restocks.map(({ from, units }) => [from, units]))
    this.#ended = new UnitsByTime(restocks.map(({ to, units }) => [to, units]))
    this.#answeredAsked = new UnitsByTime(answered.map(({ from, units }) => [from, units]))
    this.#answeredEnded = new UnitsByTime(answered.map(({ to, units }) => [to, units]))
  }

  /** On top of a stock that was put then, at the end of the interval. */
  most(put: Interval, { to }: Interval): number {
    return this.#asked.upTo(to) - this.#ended.before(put.from)
  }

  /** The same at its beginning. A restock that may have come before the put does not count. */
  least(put: Interval, { from }: Interval): number {
    return Math.max(0, this.#answeredEnded.before(from) - this.#answeredAsked.upTo(put.to))
  }
}

interface Restock extends Interval {
  readonly item: string
  readonly units: number
  readonly certain: boolean
}

type Put = Write<ReadonlyMap<string, number>>

/**
 * The stock that one pool may have had: that of a put which may have been the last one, and what was added since. A
 * bound that is not exact errs on the side of the history.
 */
export class Stocks {
  /** Items that come on top of the others. */
  readonly lastOnes: ReadonlySet<string>
  readonly #puts: PossibleValues<ReadonlyMap<string, number>>
  readonly #restocks: ReadonlyMap<string, Restocks>
  /** Of all items but those. */
  readonly #all: Restocks

  constructor(operations: readonly Operation[]) {
    const asked = operations.filter(({ outcome }) => outcome.kind !== 'refused')
    const restocks: Restock[] = []
    const puts: Put[] = []
    const lastOnes = new Set<string>()
    for (const { request, outcome, invoked: from, completed: to } of asked) {
      const certain = outcome.kind === 'changed'
      if (request.kind === 'restock') {
        restocks.push({ item: request.item, units: request.units, from, to, certain })
      } else if (request.kind === 'put') {
        puts.push({ value: stocksOf(request), from, to, certain })
        if (request.lastOne !== undefined) lastOnes.add(request.lastOne)
      }
    }
    this.lastOnes = lastOnes
    this.#puts = new PossibleValues(puts)
    const byItem = Map.groupBy(restocks, ({ item }) => item)
    this.#restocks = new Map([...byItem].map(([item, list]) => [item, new Restocks(list)]))
    this.#all = new Restocks(restocks.filter(({ item }) => !lastOnes.has(item)))
  }

  /** The most units of an item that there may have been, drawn ones included; -1 where no put has it. */
  most(item: string, during: Interval): number {
    let most = -1
    for (const put of this.#puts.during(during)) {
      const units = put.value.get(item)
      if (units === undefined) continue
      most = Math.max(most, units + (this.#restocks.get(item)?.most(put, during) ?? 0))
    }
    return most
  }

  /** The least that the items a draw can come from may have had together, drawn units included. */
  leastInAll(during: Interval): number {
    let least = Number.POSITIVE_INFINITY
    for (const put of this.#puts.during(during)) {
      let units = this.#all.least(put, during)
      for (const [item, stock] of put.value) if (!this.lastOnes.has(item)) units += stock
      least = Math.min(least, units)
    }
    return least
  }

  /** Whether an item may have had this stock. */
  allows(item: string, stock: Stock, during: Interval): boolean {
    const shown = unitsOf(stock)
    const restocks = this.#restocks.get(item)
    return this.#puts.during(during).some(put => {
      const units = put.value.get(item)
      if (units === undefined) return false
      const least = units + (restocks?.least(put, during) ?? 0)
      return shown >= least && shown <= units + (restocks?.most(put, during) ?? 0)
    })
  }
}

function stocksOf({ items }: PutRequest): Map<string, number> {
  return new Map(items.map(({ id, stock }) => [id, unitsOf(stock)]))
}

function unitsOf(stock: Stock): number {
  return stock === 'unlimited' ? Number.POSITIVE_INFINITY : stock
}
