import type { Group } from '../group.ts'
import { loadedEngine } from '../loaded-engine.ts'

const mebibyte = 1024 * 1024
const shapes: readonly (readonly [name: string, segmentBytes: number, retention: 'archive' | 'remove'])[] = [
  ['none', 512 * mebibyte, 'remove'],
  ['64-MiB-archived', 64 * mebibyte, 'archive'],
  ['64-MiB-removed', 64 * mebibyte, 'remove'],
  ['8-MiB-archived', 8 * mebibyte, 'archive'],
]

/** Bulk draws with the helper at work behind them: next files, replay, snapshots, archive. */
export const rotation: Group = {
  name: 'rotation',
  about: 'drawMany(10,000) on a sync log, without rotation and with',
  contestants: shapes.map(([name, segmentBytes, retention]) =>
    loadedEngine({
      name: `rotation/${name}/drawMany-10000/sync/32-in-flight`,
      level: 'default',
      durability: 'sync',
      items: 6,
      load: { many: 10_000, inFlight: 32 },
      draws: 240_000_000,
      segmentBytes,
      retention,
    }),
  ),
}
