import type { Durability } from '@kuji/engine'
import type { Contestant, Group, Level } from '../group.ts'
import { loadedEngine } from '../loaded-engine.ts'
import { bareBulkWrites } from './bare-device.ts'
import { bareSampler } from './bare-sampler.ts'

const durabilities: readonly Durability[] = ['none', 'os', 'sync']
/** Draws of one call, calls in flight, draws of a pass. */
const loads: readonly (readonly [many: number, inFlight: number, draws: number])[] = [
  [100, 32, 10_000_000],
  [1_000, 32, 20_000_000],
  [10_000, 32, 50_000_000],
  [100_000, 8, 50_000_000],
  [100, 1, 2_000_000],
  [1_000, 1, 10_000_000],
  [10_000, 1, 40_000_000],
  [100_000, 1, 40_000_000],
]

function levelOf(many: number, inFlight: number, durability: Durability): Level {
  const target = many === 10_000 && inFlight === 32 && durability !== 'os'
  const logBytes = many === 1_000 && inFlight === 1 && durability === 'sync'
  return target || logBytes ? 'target' : 'default'
}

const contestants: readonly Contestant[] = loads.flatMap(([many, inFlight, draws]) =>
  durabilities.map(durability =>
    loadedEngine({
      name: `drawMany-${many}/6-items/${durability}/${inFlight}-in-flight`,
      level: levelOf(many, inFlight, durability),
      durability,
      items: 6,
      load: { many, inFlight },
      // A write a call: the device sets the pace.
      draws: inFlight === 1 && durability === 'sync' ? draws / 5 : draws,
    }),
  ),
)

export const bulkDraws: Group = {
  name: 'draw-many',
  about: 'drawMany() beside the bare sampler, 6 items',
  contestants: [
    bareSampler({ name: 'bare/sampler/6-items', items: 6, many: 10_000, level: 'target' }),
    bareBulkWrites(160_000),
    ...contestants,
  ],
}
