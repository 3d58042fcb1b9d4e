import { operatingSystemRandom } from '../../../packages/engine/src/random/operating-system.ts'
import { AliasTable } from '../../../packages/engine/src/sampler/alias-table.ts'
import { hashOf } from '../fixtures/check.ts'
import { benchPool } from '../fixtures/pools.ts'
import type { Contestant, Level, Pass, Sample } from '../group.ts'
import { timed } from '../measure/garbage.ts'

export interface BareSampler {
  readonly name: string
  readonly items: number
  /** Picks of one call. */
  readonly many: number
  readonly level: Level
}

/** The sampler alone with the operating system's randomness, into an array that is used again: the ceiling. */
export function bareSampler(row: BareSampler): Contestant {
  return {
    rows: [row.name],
    level: row.level,
    run: async pass => [await runBareSampler(row, pass)],
  }
}

async function runBareSampler(row: BareSampler, pass: Pass): Promise<Sample> {
  const items = pass.smoke ? Math.min(1000, row.items) : row.items
  const { many } = row
  const weights = Float64Array.from(benchPool('weighted', items).items, item => item.weight!)
  const table = new AliasTable(weights)
  const random = operatingSystemRandom()
  const Indexes = items <= 0x100 ? Uint8Array : items <= 0x10000 ? Uint16Array : Uint32Array
  const out = new Indexes(many)
  const calls = Math.ceil(pass.draws(40_000_000) / many)
  for (let call = 0; call < calls / 4; call++) table.pickMany(random, out, 0, many)
  const measured = await timed(async () => {
    for (let call = 0; call < calls; call++) table.pickMany(random, out, 0, many)
  })
  if (out.some(item => item >= items)) throw new Error('the sampler picked an item that does not exist')
  const draws = calls * many
  return { draws, ...measured, hash: hashOf({ items, draws }) }
}
