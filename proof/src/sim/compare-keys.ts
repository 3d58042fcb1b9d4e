import type { Kuji, KujiError } from '@kuji/engine'
import type { Chance } from '../chance.ts'
import type { Model } from './model/model.ts'
import { differences, Violation } from './model/violation.ts'

/** Bytes that a key takes at the least: its entry, and its part of the index. */
const leastKeyBytes = 53

/**
 * Holds what an engine says of its keys against the model: how many are kept, how many went before their time, how old
 * the oldest is.
 * @param now what the clock shows to the engine
 */
export function compareKeys(kuji: Kuji, { keys, drawNumber }: Model, now: number): void {
  const status = kuji.status()
  const oldest = keys.oldestTime
  const expected = {
    keys: keys.size,
    keysForgottenEarly: keys.forgottenEarly,
    oldestKeyMs: oldest === undefined ? undefined : Math.max(0, now - oldest),
    drawNumber,
  }
  for (const [name, value] of Object.entries(expected)) {
    const found = status[name as keyof typeof expected]
    if (found !== value)
      throw new Violation(`status: ${name}`, `the status has ${name} ${found}, expected ${value}`)
  }
  if (status.keyBytes < leastKeyBytes * keys.size)
    throw new Violation('status: keyBytes', `the status has ${status.keyBytes} bytes for ${keys.size} keys`)
}

/** Asks for the receipts of some draws: the oldest and the newest that are kept, and others that may be. */
export async function compareReceipts(
  kuji: Kuji,
  { keys, drawNumber }: Model,
  chance: Chance,
): Promise<void> {
  const { receipts } = keys
  const ends = [receipts[0], receipts.at(-1)].flatMap(receipt => (receipt === undefined ? [] : [receipt.id]))
  const others = drawNumber === 0 ? [] : [1, 2, 3].map(() => chance.between(1, drawNumber))
  for (const draw of [...ends, ...others]) {
    const kept = keys.holding(draw)
    const expected = kept === undefined ? 'DRAW_NOT_FOUND' : { ...kept, replayed: true }
    const found = await kuji.receipt(draw).catch((error: KujiError) => error.code)
    if (JSON.stringify(found) !== JSON.stringify(expected))
      throw new Violation(
        'after recovery: a receipt',
        `after recovery the receipt of draw ${draw}: ${differences(found, expected)}`,
      )
  }
}
