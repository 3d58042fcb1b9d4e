import { open } from '@kuji/engine'
import type { PoolManifest } from '@kuji/engine/contract'
import { KujiError } from '@kuji/engine/contract'
import type { Fault } from '../schema/faults.ts'

/**
 * What the engine would refuse of these pools, found by putting each into an engine without a log: the rules
 * that span fields stand in one place only, and nothing is created before all pools are known to be good.
 */
export async function findPoolFaults(pools: readonly PoolManifest[]): Promise<Fault[]> {
  if (pools.length === 0) return []
  const faults: Fault[] = []
  const seen = new Map<string, number>()
  const trial = await open({ durability: 'none' })
  try {
    for (const [index, pool] of pools.entries()) {
      const first = seen.get(pool.id)
      if (first !== undefined) {
        const message = `the pool "${pool.id}" stands twice; it is also pools[${first}]`
        faults.push({ path: ['pools', index, 'id'], onKey: false, message })
        continue
      }
      seen.set(pool.id, index)
      const fault = await tryPool(pool, name => trial.putPool(name))
      if (fault) faults.push({ ...fault, path: ['pools', index, ...fault.path] })
    }
  } finally {
    await trial.close()
  }
  return faults
}

async function tryPool(
  pool: PoolManifest,
  put: (pool: PoolManifest) => Promise<unknown>,
): Promise<Fault | undefined> {
  try {
    await put(pool)
    return undefined
  } catch (error) {
    if (!(error instanceof KujiError)) throw error
    const field = typeof error.fields.field === 'string' ? error.fields.field : ''
    const message = error.message.startsWith(`${field}: `)
      ? error.message.slice(field.length + 2)
      : error.message
    return { path: pathOfField(field), onKey: false, message }
  }
}

/** The path that the engine wrote as `items[0].weight`. */
function pathOfField(field: string): (string | number)[] {
  return [...field.matchAll(/\[(\d+)\]|[^.[\]]+/g)].map(([name, index]) =>
    index === undefined ? name : Number(index),
  )
}
