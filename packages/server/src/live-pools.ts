import { isDeepStrictEqual } from 'node:util'
import type { Kuji } from '@kuji/engine'
import { KujiError, type PoolManifest, type PoolState } from '@kuji/engine/contract'
import type { Logger } from './logger.ts'

/**
 * Creates the pools of a configuration that are not there yet. A live pool is left as it is, since its stock
 * and odds may have been changed on purpose; where it differs, one line says so.
 */
export async function createMissingPools(
  kuji: Kuji,
  pools: readonly PoolManifest[],
  log: Logger,
): Promise<void> {
  for (const manifest of pools) {
    const live = await findPool(kuji, manifest.id)
    if (!live) {
      const { version } = await kuji.putPool(manifest)
      log.info('pool created', { pool: manifest.id, version })
      continue
    }
    const differences = findDifferences(manifest, live)
    if (differences.length === 0) continue
    log.warn('a live pool differs from the configuration and stays as it is', {
      pool: manifest.id,
      version: live.version,
      differs: differences.slice(0, 5).join(', ') + (differences.length > 5 ? ', …' : ''),
    })
  }
}

async function findPool(kuji: Kuji, id: string): Promise<PoolState | undefined> {
  try {
    return await kuji.pool(id)
  } catch (error) {
    if (error instanceof KujiError && error.code === 'POOL_NOT_FOUND') return undefined
    throw error
  }
}

/** The rules in which a live pool and a manifest differ, each by its name. */
function findDifferences(manifest: PoolManifest, live: PoolState): string[] {
  const differences: string[] = []
  const compare = (name: string, wanted: unknown, present: unknown) => {
    if (!isDeepStrictEqual(wanted, present)) differences.push(name)
  }
  compare('mode', manifest.mode ?? 'weighted', live.mode)
  compare('fallback', manifest.fallback, live.fallback)
  compare('lastOne', manifest.lastOne, live.lastOne)
  compare('metadata', manifest.metadata, live.metadata)
  const present = new Map(live.items.map(item => [item.id, item]))
  for (const item of manifest.items) {
    const other = present.get(item.id)
    present.delete(item.id)
    if (!other) {
      differences.push(`items.${item.id} (not in the live pool)`)
      continue
    }
    if (live.mode === 'weighted') compare(`items.${item.id}.weight`, item.weight, other.weight)
    compare(`items.${item.id}.stock`, item.stock, other.stock)
    compare(`items.${item.id}.metadata`, item.metadata, other.metadata)
  }
  for (const id of present.keys()) differences.push(`items.${id} (only in the live pool)`)
  return differences
}
