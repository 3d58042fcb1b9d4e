import type { Durability, Mode } from '@kuji/engine'
import type { Contestant, Group, Level } from '../group.ts'
import { loadedEngine } from '../loaded-engine.ts'
import { bareSampler } from './bare-sampler.ts'

const sizes = [1, 6, 1_000, 100_000, 1_000_000]
const counts: readonly (readonly [many: number, inFlight: number])[] = [
  [100, 32],
  [1_000, 32],
  [10_000, 32],
  [100_000, 8],
]
const durabilities: readonly Durability[] = ['none', 'os', 'sync']

/** In a plain run the sizes are compared at 10,000 a call, in memory and on the device; `--full` has the rest. */
function levelOf(mode: Mode, items: number, many: number, durability: Durability): Level {
  if (many !== 10_000 || durability === 'os') return 'full'
  const compared = items === 6 || items === 1_000_000
  return mode === 'weighted' && durability === 'none' && compared ? 'target' : 'default'
}

function bulk(mode: Mode): Contestant[] {
  return sizes.flatMap(items =>
    counts.flatMap(([many, inFlight]) =>
      durabilities.map(durability => {
        const level = levelOf(mode, items, many, durability)
        return loadedEngine({
          name: `drawMany-${many}/${mode}-${items}/${durability}/${inFlight}-in-flight`,
          level,
          durability,
          mode,
          items,
          load: { many, inFlight },
          draws: mode === 'urn' || items > 1_000 ? 6_000_000 : 20_000_000,
        })
      }),
    ),
  )
}

function single(mode: Mode): Contestant[] {
  return sizes.map(items =>
    loadedEngine({
      name: `draw/${mode}-${items}/none/1024-in-flight`,
      level: mode === 'weighted' && (items === 6 || items === 1_000_000) ? 'target' : 'default',
      durability: 'none',
      mode,
      items,
      load: { many: 0, inFlight: 1024 },
      draws: 1_000_000,
    }),
  )
}

export const weightedSizes: Group = {
  name: 'weighted-sizes',
  about: 'weighted pools of 1 to 1,000,000 items',
  contestants: [
    ...bulk('weighted'),
    ...single('weighted'),
    ...sizes.map(items =>
      bareSampler({ name: `bare/sampler/weighted-${items}`, items, many: 10_000, level: 'default' }),
    ),
  ],
}

export const urnSizes: Group = {
  name: 'urn-sizes',
  about: 'urns of 1 to 1,000,000 items',
  contestants: [...bulk('urn'), ...single('urn')],
}
