import type { Receipt } from '@kuji/engine'
import type { Cells, Design } from './design.ts'
import type { Pools } from './pools.ts'

/** One question to the engine, whose answer is a chance. */
export interface Check {
  readonly name: string
  /** What is counted. */
  readonly counts: string
  /** Whose bias the check is sized by. */
  readonly of: string
  /** The smallest bias that it has to exclude. */
  readonly bias: number
  readonly design: Design
  readonly drawsPerTrial: number
  /** Makes so many trials, and counts. */
  observe(pools: Pools, trials: number): Promise<Float64Array>
}

/** Draws of one `drawMany`: large enough to be fast, small enough to stay in the cache. */
const bulk = 250_000
/** Calls under way at once: several for each trial, and fewer than the queue takes. */
const wave = 2_000

/** Cells against chances in proportion to the given ones, by Pearson. */
export function cells(
  shares: ArrayLike<number>,
  target: readonly number[],
  { statistic = 'Pearson', strata = 1 }: Partial<Pick<Cells, 'statistic' | 'strata'>> = {},
): Cells {
  const all = Array.from(shares)
  const sum = all.reduce((total, share) => total + share, 0)
  return { kind: 'cells', statistic, strata, target, chances: all.map(share => share / sum) }
}

/** Items called 0, 1, 2 … so that a receipt can be counted without a look-up. */
export function itemsOf(
  weights: readonly number[],
  stock: (item: number) => number | 'unlimited' = () => 'unlimited',
): { id: string; weight: number; stock: number | 'unlimited' }[] {
  return weights.map((weight, item) => ({ id: String(item), weight, stock: stock(item) }))
}

/** Draws in bulk, and hands the item indexes on, in order. */
export async function drawInBulk(
  pools: Pools,
  pool: string,
  draws: number,
  take: (items: ArrayLike<number>) => void,
): Promise<void> {
  for (let left = draws; left > 0; left -= bulk) {
    const { items } = await pools.drawMany(pool, Math.min(bulk, left))
    take(items)
  }
}

/**
 * Makes the trials in waves. `ask` issues all calls of one trial at once, in order, and returns the draw that counts;
 * `see` gets its receipt, in the order of the trials.
 */
export async function inWaves(
  trials: number,
  ask: (trial: number) => Promise<Receipt>,
  see: (receipt: Receipt, trial: number) => void,
): Promise<void> {
  for (let first = 0; first < trials; first += wave) {
    const asked = Array.from({ length: Math.min(wave, trials - first) }, (_, k) => ask(first + k))
    const receipts = await Promise.all(asked)
    for (let k = 0; k < receipts.length; k++) see(receipts[k]!, first + k)
  }
}

/** Number of ways to choose k of n. */
function choose(n: number, k: number): number {
  let ways = 1
  for (let i = 1; i <= k; i++) ways = (ways * (n - k + i)) / i
  return ways
}

/** The chance of k among n, each with a chance of p. */
export function binomial(k: number, n: number, p: number): number {
  return choose(n, k) * p ** k * (1 - p) ** (n - k)
}

/** The chance of k marked ones among n that are taken out of `all`, of which `marked` are marked. */
export function hypergeometric(k: number, n: number, marked: number, all: number): number {
  return (choose(marked, k) * choose(all - marked, n - k)) / choose(all, n)
}
