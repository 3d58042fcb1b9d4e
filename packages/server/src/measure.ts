import { type Kuji, open } from '@kuji/engine'
import type { Durability } from '@kuji/engine/contract'
import { KujiError } from '@kuji/engine/contract'

export interface Measurement {
  readonly durability: Durability
  readonly way: string
  readonly draws: number
  readonly drawsPerSecond: number
}

const pool = 'bench'
const weights = [1, 4, 15, 80, 300, 600]

/** Draws made in one go, and how many that were. */
type Round = (kuji: Kuji) => Promise<number>

const oneByOne: Round = async kuji => {
  await kuji.draw(pool)
  return 1
}

function inFlight(count: number): Round {
  return async kuji => {
    await Promise.all(Array.from({ length: count }, () => kuji.draw(pool)))
    return count
  }
}

function inBulk(count: number): Round {
  return async kuji => (await kuji.drawMany(pool, count)).items.length
}

const ways: readonly (readonly [string, Round])[] = [
  ['draw, one at a time', oneByOne],
  ['draw, 4,096 in flight', inFlight(4096)],
  ['drawMany of 10,000', inBulk(10_000)],
]

/** Draws each way for about `seconds`, after a warm-up, on a fresh directory. */
export async function measure(dir: string, durability: Durability, seconds: number): Promise<Measurement[]> {
  const kuji = await open(durability === 'none' ? { durability } : { dir, durability })
  try {
    await kuji.putPool({
      id: pool,
      items: weights.map((weight, index) => ({ id: `item-${index}`, weight, stock: 'unlimited' })),
    })
    const rows: Measurement[] = []
    let made = 0
    for (const [way, round] of ways) {
      made += (await repeat(kuji, round, seconds / 5)).draws
      const { draws, drawsPerSecond } = await repeat(kuji, round, seconds)
      made += draws
      rows.push({ durability, way, draws, drawsPerSecond })
    }
    // A fast wrong answer must show: what the engine counts is what was asked of it.
    const { drawn } = await kuji.pool(pool)
    if (drawn !== made)
      throw new KujiError('INTERNAL', `${made} draws were answered, and the pool counts ${drawn}`)
    return rows
  } finally {
    await kuji.close()
  }
}

async function repeat(
  kuji: Kuji,
  round: Round,
  seconds: number,
): Promise<{ draws: number; drawsPerSecond: number }> {
  const start = performance.now()
  let draws = 0
  let elapsed = 0
  do {
    draws += await round(kuji)
    elapsed = (performance.now() - start) / 1000
  } while (elapsed < seconds)
  return { draws, drawsPerSecond: draws / elapsed }
}
