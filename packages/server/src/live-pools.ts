import type { Kuji } from '@kuji/engine'
import { KujiError, type PoolManifest, type PoolState } from '@kuji/engine/contract'
import type { Logger } from './logger.ts'
import { type Difference, findDifferences } from './pool-differences.ts'

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
    const differences = findDifferences(manifest, live).map(nameDifference)
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

/** What the log says of a difference. */
function nameDifference({ what, field, live }: Difference): string {
  if (what === 'rule') return field
  return `${field} (${live === undefined ? 'not in the live pool' : 'only in the live pool'})`
}
