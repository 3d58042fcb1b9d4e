import type { Kuji } from '@kuji/engine'
import { open } from '@kuji/engine'
import { systemClock } from '../../../packages/engine/src/clock/system-clock.ts'
import { NodeDisk } from '../../../packages/engine/src/disk/node-disk.ts'
import { pooledCalls } from '../../../packages/engine/src/disk/system-calls.ts'
import { openIn, type World } from '../../../packages/engine/src/open.ts'
import { deterministicRandom } from '../../../packages/engine/src/random/deterministic.ts'

/** What the checks ask of kuji. It is less than all of it, so that a test can put something flawed in its place. */
export type Pools = Pick<Kuji, 'putPool' | 'updateItem' | 'draw' | 'drawMany' | 'close'>

/** Few keys are kept, or memory would grow with keyed draws; that the engine warns of it is no news. */
const options = { durability: 'none', keys: { most: 10_000 }, onEvent: () => undefined } as const

/** The whole engine over the operating system's randomness, as everybody has it. */
export function freshPools(): Promise<Pools> {
  return open(options)
}

/** The whole engine over words that are always the same for a seed. */
export function seededPools(seed: number): Promise<Pools> {
  const world: World = {
    disk: new NodeDisk(pooledCalls),
    random: deterministicRandom(seed),
    clock: systemClock,
    keeper: () => {
      throw new Error('pools in memory have no files to be kept')
    },
  }
  return openIn(options, world)
}
