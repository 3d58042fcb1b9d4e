import type { Kuji } from '@kuji/engine'
import { hashOf } from '../fixtures/check.ts'
import { openEngine } from '../fixtures/engine.ts'
import { benchPool, poolId } from '../fixtures/pools.ts'
import type { Contestant, Group, Pass, Sample } from '../group.ts'
import { newKey } from '../load.ts'
import { loadedEngine } from '../loaded-engine.ts'
import { timed } from '../measure/garbage.ts'
import { Pauses } from '../measure/pauses.ts'

/** Few enough that one turn of draws is short beside the pause that is looked for. */
const inFlight = 64
const warmUpKeys = 10_000

async function drawKeyed(kuji: Kuji, draws: number, pauses: Pauses): Promise<void> {
  let left = draws
  const lane = async (): Promise<void> => {
    while (left-- > 0) {
      await kuji.draw(poolId, { key: newKey() })
      pauses.note()
    }
  }
  await Promise.all(Array.from({ length: inFlight }, lane))
}

/** From an empty table to ten million keys. */
async function runGrowth(pass: Pass): Promise<Sample> {
  const draws = pass.draws(10_000_000, 2000)
  const pool = benchPool('weighted', 6)
  const mostKeys = draws + warmUpKeys
  const kuji = await openEngine({ directory: pass.directory, durability: 'none', pool, mostKeys })
  try {
    await drawKeyed(kuji, warmUpKeys, new Pauses())
    const pauses = new Pauses()
    const measured = await timed(() => drawKeyed(kuji, draws, pauses))
    // What the tables have allocated, outcomes included; the process's own memory says less, and varies.
    const { keys: kept, keyBytes } = kuji.status()
    const { drawn } = await kuji.pool(poolId)
    if (drawn !== warmUpKeys + draws) throw new Error(`${drawn} draws for ${warmUpKeys + draws} keys`)
    const notes = {
      bytes_a_key: keyBytes / kept,
      longest_pause_ms: pauses.longestMs,
      longest_collection_ms: measured.gcLongestMs,
    }
    return { draws, ...measured, hash: hashOf({ draws }), notes }
  } finally {
    await kuji.close()
  }
}

const growth: Contestant = {
  rows: ['keys/10M-keys'],
  level: 'target',
  run: async pass => [await runGrowth(pass)],
}

export const keys: Group = {
  name: 'keys',
  about: 'draw() with a new key each, 6 items; and a table that grows to 10,000,000 keys',
  contestants: [
    ...(['none', 'sync'] as const).map(durability =>
      loadedEngine({
        name: `draw-keyed/6-items/${durability}/4096-in-flight`,
        level: durability === 'sync' ? 'target' : 'default',
        durability,
        items: 6,
        load: { many: 0, inFlight: 4096, keyed: true },
        draws: 1_000_000,
      }),
    ),
    growth,
  ],
}
