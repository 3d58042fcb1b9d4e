import type { AskedDraws, Draw, OpenDraw } from './draws.ts'
import { byNumber, gatherDraws, narrowTimes } from './draws.ts'
import type { Finding, History, Operation } from './history.ts'
import { KeyMemory } from './key-memory.ts'
import { checkKeys } from './keys.ts'
import { checkLog } from './log.ts'
import { checkNumbers, checkWhole } from './numbers.ts'
import { checkStatuses } from './statuses.ts'
import type { PoolHistory } from './stock.ts'
import { checkStock } from './stock.ts'
import { Stocks } from './stocks.ts'
import { checkTimes } from './times.ts'
import { checkVersions } from './versions.ts'

/**
 * Holds a history against all that kuji promises its clients, and returns what it breaks, rule by rule; nothing where
 * there is an order of all that happened that explains every answer. Takes n log n for n operations, times the number
 * of those that overlap. A finding is always a fault; what only looks odd, and may have been so, is left.
 */
export function checkHistory({ operations, log, keys, clock }: History): Finding[] {
  for (const operation of operations)
    if (!(operation.invoked <= operation.completed))
      throw new RangeError(`an operation of ${operation.client} is answered before it is asked for`)
  const asked = gatherDraws(operations, keys !== undefined)
  const memory = new KeyMemory(keys, asked, log)
  const stocks = new Map<string, Stocks>()
  const byPool = Map.groupBy(operations, ({ request }) => request.pool)
  for (const [pool, list] of byPool) stocks.set(pool, new Stocks(list))
  const lastOnes = new Set([...stocks].filter(([, { lastOnes }]) => lastOnes.size > 0).map(([pool]) => pool))

  const logged = log === undefined ? { findings: [], draws: [] } : checkLog(log, asked, lastOnes, memory)
  const ordered = byNumber([...asked.draws, ...logged.draws])
  const numbers = checkNumbers(ordered)
  // Times can be narrowed by numbers that are in order.
  const draws = numbers.length > 0 ? ordered : narrowTimes(ordered)
  return [
    ...numbers,
    ...checkWhole(asked.draws, lastOnes),
    ...(clock === undefined ? [] : checkTimes(draws, log ?? [], clock)),
    ...checkKeys(asked.keyed.values(), memory),
    ...checkVersions(operations, draws),
    ...checkPools(byPool, draws, log === undefined ? asked : { ...asked, open: [] }, stocks),
    ...logged.findings,
  ]
}

function checkPools(
  byPool: ReadonlyMap<string, readonly Operation[]>,
  draws: readonly Draw[],
  { open }: AskedDraws,
  stocks: ReadonlyMap<string, Stocks>,
): Finding[] {
  const drawsByPool = Map.groupBy(draws, ({ pool }) => pool)
  const openByPool = Map.groupBy<string, OpenDraw>(open, ({ pool }) => pool)
  return [...byPool].flatMap(([pool, operations]) => {
    const history: PoolHistory = {
      ...{ pool, operations, stocks: stocks.get(pool)! },
      draws: drawsByPool.get(pool) ?? [],
      open: openByPool.get(pool) ?? [],
    }
    return [...checkStock(history), ...checkStatuses(history)]
  })
}
