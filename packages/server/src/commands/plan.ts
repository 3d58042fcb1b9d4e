import { KujiError, type PoolManifest, type PoolState, type PutResult } from '@kuji/engine/contract'
import { type Difference, findDifferences } from '../pool-differences.ts'
import type { PoolSource } from './source.ts'

/** What applying a manifest would do to the pool as it is. */
export interface Plan {
  readonly manifest: PoolManifest
  readonly live: PoolState | undefined
  /** None for a pool that does not exist. */
  readonly differences: readonly Difference[]
}

/** What came of a plan: nothing to do, the new version, or the pool's refusal. */
export interface Outcome {
  readonly plan: Plan
  readonly result?: PutResult
  readonly refusal?: KujiError
}

export async function makePlan(source: PoolSource, manifest: PoolManifest): Promise<Plan> {
  const live = await source.pool(manifest.id).catch((error: unknown) => {
    if (error instanceof KujiError && error.code === 'POOL_NOT_FOUND') return undefined
    throw error
  })
  return { manifest, live, differences: live === undefined ? [] : findDifferences(manifest, live) }
}

export function changesSomething({ live, differences }: Plan): boolean {
  return live === undefined || differences.length > 0
}

/** Refusals that are about one pool: the others can still be applied. */
const ofOnePool = new Set(['INVALID', 'TOO_LARGE', 'POOL_CLOSED', 'VERSION_CONFLICT'])

/** Puts the manifest for the version that was looked at: whatever has been changed since is not put over. */
export async function carryOut(source: PoolSource, plan: Plan): Promise<Outcome> {
  try {
    const ifVersion = plan.live?.version ?? 0
    return { plan, result: await source.putPool(plan.manifest, { ifVersion }) }
  } catch (error) {
    if (!(error instanceof KujiError)) throw error
    if (ofOnePool.has(error.code)) return { plan, refusal: error }
    if (error.code !== 'OUTCOME_UNKNOWN') throw error
    const message = `${plan.manifest.id}: ${error.message}; run this again to see`
    throw new KujiError(error.code, message, error.fields, { cause: error })
  }
}
