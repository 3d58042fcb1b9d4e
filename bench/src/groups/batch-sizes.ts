import type { Group } from '../group.ts'
import { loadedEngine } from '../loaded-engine.ts'

/** Draws in flight make the batch: as they grow, so do throughput and the time that each one waits. */
const inFlights = [1, 4, 16, 64, 256, 1024, 4096]

export const batchSizes: Group = {
  name: 'batch-sizes',
  about: 'batch size against latency and throughput, draw() on a sync log',
  contestants: inFlights.map(inFlight =>
    loadedEngine({
      name: `batch/draw/sync/${inFlight}-in-flight`,
      level: 'default',
      durability: 'sync',
      items: 6,
      load: { many: 0, inFlight },
      draws: Math.min(2_000_000, inFlight * 8_000),
    }),
  ),
}
