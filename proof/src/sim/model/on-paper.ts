import {
  type DecodedLog,
  decodeLog,
  type LogFiles,
  type OnDraws,
} from '../../../../test/support/log-decoder.ts'
import { decodeSnapshot } from '../../../../test/support/snapshot-decoder.ts'
import type { Model } from './model.ts'
import { differences, Violation } from './violation.ts'

/**
 * Holds a whole log, archive included, against the model, read by a decoder that shares no code with the engine and
 * checks every rule of the format on its way: numbers without a gap, the chain of hashes, the state hash of each seal.
 * Each snapshot has to be what the log up to it comes to.
 * @param onDraws told of the draws that the log has
 */
export function compareOnPaper(files: LogFiles, model: Model, onDraws: OnDraws = () => undefined): void {
  const log = decode(files, (first, pool, items, request, time) => {
    onDraws(first, pool, items, request, time)
    for (const [place, index] of items.entries()) {
      const drawn = model.drawn[first + place - 1]
      const item = `${pool.id} ${pool.items[index]!.id}`
      if (drawn?.item !== item || drawn.at !== time)
        fail(
          'a draw',
          `draw ${first + place} gave ${item} at ${time}, expected ${drawn?.item} at ${drawn?.at}`,
        )
    }
  })
  if (log.drawNumber !== model.drawNumber)
    fail('number of draws', `${log.drawNumber} draws, expected ${model.drawNumber}`)
  comparePools(log, model)
  const { policy, draws } = log.keys
  if (!model.keys.mayEndWith(policy)) fail('rules for keys', `keys are kept by ${JSON.stringify(policy)}`)
  const kept = draws.map(({ firstDraw, pool, version, time: at, outcomes, items }) => {
    const names = outcomes.map(index => items[index])
    return { id: firstDraw, pool, items: names, version, at, replayed: false }
  })
  const { receipts } = model.keys
  if (kept.length !== receipts.length)
    fail('number of keys', `${kept.length} keys are kept, expected ${receipts.length}`)
  for (const [place, receipt] of kept.entries())
    if (JSON.stringify(receipt) !== JSON.stringify(receipts[place]))
      fail('a receipt', `the receipt of key ${place}: ${differences(receipt, receipts[place])}`)
}

function comparePools(log: DecodedLog, model: Model): void {
  const pools = new Map([...log.pools.values()].map(pool => [pool.id, pool]))
  if (pools.size !== model.pools.size)
    fail('number of pools', `${pools.size} pools, expected ${model.pools.size}`)
  for (const [id, { version, status, number, items, retired }] of model.pools) {
    const pool = pools.get(id) ?? fail('pools', `pool ${id} is missing`)
    const found = { version: pool.version, status: pool.status, number: pool.number }
    const wrong = differences(found, { version, status, number })
    if (wrong !== '') fail('a pool', `${id}: ${wrong}`)
    const drawn = new Map([...retired, ...items.map(item => [item.id, item.drawn] as const)])
    for (const item of [...pool.items, ...[...pool.retired].map(([id, drawn]) => ({ id, drawn }))])
      if (item.drawn !== (drawn.get(item.id) ?? 0))
        fail('an item', `${item.drawn} of ${id}'s ${item.id}, expected ${drawn.get(item.id)}`)
  }
}

/** Reads the log, and each snapshot where the log has come to it. */
function decode(files: LogFiles, onDraws: OnDraws): DecodedLog {
  const snapshots = new Map<number, string>()
  for (const name of files.keys()) {
    const segment = Number(/^snapshot-(\d+)\.snap$/.exec(name)?.[1] ?? 0)
    if (segment > 0) snapshots.set(segment, name)
  }
  const onSegment = (number: number, log: DecodedLog): void => {
    const name = snapshots.get(number)
    if (name === undefined) return
    snapshots.delete(number)
    const snapshot = decodeSnapshot(Buffer.from(files.get(name)!))
    const [found, expected] = [snapshot, log].map(({ drawNumber, stateHash, position }) =>
      JSON.stringify([drawNumber, stateHash, position]),
    )
    if (found !== expected) fail('a snapshot', `${name} says ${found}, and the log behind it ${expected}`)
  }
  let log: DecodedLog
  try {
    log = decodeLog(files, { onDraws, onSegment })
  } catch (error) {
    if (error instanceof Violation) throw error
    return fail('the format', (error as Error).message)
  }
  for (const name of snapshots.values())
    fail('a snapshot of nothing', `${name} is a snapshot of what is not in the log`)
  return log
}

function fail(check: string, why: string): never {
  throw new Violation(`the log on paper: ${check}`, `the log on paper: ${why}`)
}
