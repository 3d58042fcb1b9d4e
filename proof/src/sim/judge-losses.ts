import type { RepairReport } from '@kuji/engine'
import type { LogRecord } from './log-record.ts'
import { Violation } from './model/violation.ts'

/**
 * Holds what a repair says of its losses against what was written: they begin right behind the place that the log is
 * brought to, they add up, and what is named of them was drawn there. Throws a Violation.
 */
export function judgeLosses(
  { firstLsn, firstDraw, draws, readableDraws, pools }: RepairReport['lost'],
  lsn: number,
  drawNumber: number,
  record: LogRecord,
): void {
  const fail = (what: string): never => {
    throw new Violation(
      'repair: losses',
      `the repair to LSN ${lsn}, draw ${drawNumber}, tells of losses ${what}`,
    )
  }
  if (firstLsn !== null && firstLsn !== lsn + 1) fail(`from LSN ${firstLsn} on`)
  if (firstDraw !== null && firstDraw !== drawNumber + 1) fail(`from draw ${firstDraw} on`)
  if (draws > 0 && firstDraw === null) fail(`of ${draws} draws, and not from where on`)
  const sum = pools.reduce((all, pool) => all + pool.draws, 0)
  if (sum !== readableDraws || readableDraws > draws)
    fail(`of ${readableDraws} of ${draws} draws, ${sum} by pools`)
  const drawn = countBehind(lsn, record)
  for (const pool of pools) {
    const items = pool.items.reduce((all, item) => all + item.draws, 0)
    if (items !== pool.draws) fail(`of ${pool.draws} draws of pool ${pool.number}, ${items} by items`)
    for (const { index, draws: lost } of pool.items) {
      const most = drawn.get(`${pool.number} ${index}`) ?? 0
      if (lost > most) fail(`of ${lost} of item ${index} of pool ${pool.number}, and it were ${most}`)
    }
  }
}

/** What was drawn behind an LSN, by the numbers of pool and item. */
function countBehind(from: number, { batches }: LogRecord): Map<string, number> {
  const drawn = new Map<string, number>()
  for (const { lsn, content } of batches.values()) {
    if (lsn <= from) continue
    for (const record of content.records) {
      if (record.kind !== 'draws') continue
      for (const index of record.outcomes) {
        const name = `${record.pool} ${index}`
        drawn.set(name, (drawn.get(name) ?? 0) + 1)
      }
    }
  }
  return drawn
}
