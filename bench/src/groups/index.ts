import type { Group } from '../group.ts'
import { batchSizes } from './batch-sizes.ts'
import { bulkDraws } from './bulk-draws.ts'
import { device } from './device.ts'
import { keys } from './keys.ts'
import { largePool } from './large-pool.ts'
import { urnSizes, weightedSizes } from './pool-sizes.ts'
import { recovery } from './recovery.ts'
import { rotation } from './rotation.ts'
import { singleDraws } from './single-draws.ts'
import { snapshots } from './snapshots.ts'

/** All groups, in the order of the report. A new scenario is a file beside this one and a line here. */
export const groups: readonly Group[] = [
  singleDraws,
  keys,
  bulkDraws,
  weightedSizes,
  urnSizes,
  device,
  batchSizes,
  rotation,
  snapshots,
  recovery,
  largePool,
]
