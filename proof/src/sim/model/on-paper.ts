import { type DecodedLog, decodeLog, type LogFiles } from '../../../../test/support/log-decoder.ts'
import { type Model, Violation } from './model.ts'

/**
 * Holds a whole log, archive included, against the model, read by a decoder that shares no code with the engine and
 * checks every rule of the format on its way: numbers without a gap, the chain of hashes, the state hash of each seal.
 */
export function compareOnPaper(files: LogFiles, model: Model): void {
  const fail = (why: string): never => {
    throw new Violation(`the log on paper: ${why}`)
  }
  const log = decode(files, fail)
  if (log.drawNumber !== model.drawNumber) fail(`${log.drawNumber} draws, expected ${model.drawNumber}`)
  const pools = new Map([...log.pools.values()].map(pool => [pool.id, pool]))
  if (pools.size !== model.pools.size) fail(`${pools.size} pools, expected ${model.pools.size}`)
  for (const [id, { version, status, number, items, retired }] of model.pools) {
    const pool = pools.get(id) ?? fail(`pool ${id} is missing`)
    if (pool.version !== version || pool.status !== status || pool.number !== number)
      fail(`${id} has version ${pool.version}, status ${pool.status}, number ${pool.number}`)
    const drawn = new Map([...retired, ...items.map(item => [item.id, item.drawn] as const)])
    for (const item of [...pool.items, ...[...pool.retired].map(([id, drawn]) => ({ id, drawn }))])
      if (item.drawn !== (drawn.get(item.id) ?? 0))
        fail(`${item.drawn} of ${id}'s ${item.id}, expected ${drawn.get(item.id)}`)
  }
  for (const { firstDraw, pool, outcomes, items } of log.keys.draws) {
    const receipt = model.receiptOf(firstDraw) ?? fail(`draw ${firstDraw} has a key, and nobody gave it one`)
    const names = outcomes.map(index => items[index])
    if (receipt.pool !== pool || names.join() !== receipt.items.join())
      fail(`the kept receipt of draw ${firstDraw}`)
  }
}

function decode(files: LogFiles, fail: (why: string) => never): DecodedLog {
  try {
    return decodeLog(files)
  } catch (error) {
    return fail((error as Error).message)
  }
}
