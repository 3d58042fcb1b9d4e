import type { Kuji, PoolState } from '@kuji/engine'

/** A pool in one line that a person can check by eye: `v2 open: a 3 of 5, b 7 of unlimited`. */
export function render(pool: PoolState): string {
  const items = pool.items.map(item => `${item.id} ${item.drawn} of ${item.stock}`)
  return `v${pool.version} ${pool.status}: ${items.join(', ')}`
}

/** All that an engine shows of itself: every pool in full, the LSN and the last draw number. */
export async function renderEverything(kuji: Kuji): Promise<object> {
  const { lsn, drawNumber } = kuji.status()
  return { pools: await allPools(kuji), lsn, drawNumber }
}

/** Every pool in full: what has to be the same before and after a restart. */
export async function allPools(kuji: Kuji): Promise<PoolState[]> {
  const pools: PoolState[] = []
  for (const { id } of await kuji.pools()) pools.push(await kuji.pool(id))
  return pools
}
