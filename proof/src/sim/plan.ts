import { Chance } from '../chance.ts'
import { UsageError } from '../command/command.ts'
import type { KeyRules } from './model/model-keys.ts'

/** What can go wrong in a run. Each seed has some of them. */
const faultNames = [
  'kill',
  'power',
  'recovery',
  'close',
  'errors',
  'lapse',
  'short',
  'full',
  'slow',
  'clock',
  'damage',
] as const

export type FaultName = (typeof faultNames)[number]

/** What a seed makes of a run. All times in milliseconds. */
export interface Plan {
  readonly seed: number
  readonly operations: number
  readonly clients: number
  /** Pause of a client between two operations, on average. */
  readonly think: number
  /** Some clients rest for as long as this now and then, so that keys expire. */
  readonly rest: number
  readonly durability: 'sync' | 'os'
  readonly segmentBytes: number
  readonly retention: 'archive' | 'remove'
  /** Whether clients keep to what the checker of histories knows: no pool is deleted, no item changed in two ways. */
  readonly plain: boolean
  readonly sectorBytes: 512 | 4096
  readonly nameOrder: 'journal' | 'any'
  /** The rules for keys that starts ask for, in whole, in part or not at all: the first, then one of them. */
  readonly keys: readonly Partial<KeyRules>[]
  readonly faults: ReadonlySet<FaultName>
  /** Between two kills, cuts of power or orderly ends, on average. */
  readonly uptime: number
  /** Between two episodes of a kind (a slow disk, a full one, …), and how long one is, on average. */
  readonly episodes: { readonly pause: number; readonly length: number }
  /** Probability that a call of the disk fails. */
  readonly errorRate: number
  /** A call of the disk takes as long as this, on average. */
  readonly latency: number
  /** Probability that the process dies soon after a file has got a new name, where it may die at all. */
  readonly deathAfterRename: number
}

/** What a run has less of than its seed says: how a counter-example is made smaller. */
export interface PlanLimits {
  readonly operations: number
  /** Faults to leave out. */
  readonly without: readonly FaultName[]
  /** Clients at the most. */
  readonly clients: number
}

const usualOperations = 2000

export const wholePlan: PlanLimits = {
  operations: usualOperations,
  without: [],
  clients: Number.POSITIVE_INFINITY,
}

/** Throws where a name is none of a fault. */
export function parseFaults(names: string): FaultName[] {
  return names.split(',').map(name => {
    const found = faultNames.find(fault => fault === name)
    if (found === undefined) throw new UsageError(`"${name}": expected some of ${faultNames.join()}`)
    return found
  })
}

/** How often a fault is among those of a seed. */
const shares: Record<FaultName, number> = {
  kill: 0.7,
  power: 0.6,
  recovery: 0.5,
  close: 0.4,
  errors: 0.25,
  lapse: 0.3,
  short: 0.3,
  full: 0.25,
  slow: 0.25,
  clock: 0.25,
  damage: 0.25,
}

function makeKeyRules(chance: Chance): Partial<KeyRules> {
  const retentionMs = chance.pick([60_000, 300_000, 86_400_000])
  const most = chance.pick([3, 20, 200, 1_000_000])
  return chance.pick([{ retentionMs, most }, { retentionMs, most }, { retentionMs }, { most }, {}])
}

export function makePlan(seed: number, { operations, without, clients: most }: PlanLimits): Plan {
  const chance = new Chance(seed, 'plan')
  // Alone, a fault has all the time there is: what others cut short can run its course.
  const drawn = chance.happens(0.15)
    ? [chance.pick(faultNames)]
    : faultNames.filter(name => chance.happens(shares[name]))
  // What the device has done to its bytes shows when the page cache is gone.
  if (drawn.includes('damage') && !drawn.includes('power')) drawn.push('power')
  const durability = chance.happens(0.8) ? 'sync' : 'os'
  const clients = chance.pick([1, 2, 3, 5, 8, 20, 60])
  const think = chance.spread(0.5, 2_000)
  const latency = chance.spread(0.02, 3)
  // Faults come as often as the run is long, whatever its pace.
  const length = usualOperations * Math.max(think / clients, latency / 2)
  // What `os` promises ends where the power does.
  const possible = drawn.filter(name => durability === 'sync' || (name !== 'power' && name !== 'damage'))
  return {
    seed,
    operations,
    clients: Math.min(clients, most),
    think,
    rest: chance.spread(1_000, 900_000),
    durability,
    segmentBytes: chance.pick([4096, 4096, 8192, 16_384, 65_536]),
    retention: chance.pick(['archive', 'remove']),
    sectorBytes: chance.pick([512, 4096]),
    nameOrder: chance.pick(['journal', 'any']),
    keys: Array.from({ length: chance.pick([1, 2, 4]) }, () => makeKeyRules(chance)),
    faults: new Set(possible.filter(name => !without.includes(name))),
    uptime: length / chance.spread(1, 60),
    episodes: { pause: length / chance.spread(3, 20), length: length / chance.spread(3, 60) },
    errorRate: chance.spread(0.001, 0.2),
    latency,
    plain: chance.happens(0.5),
    deathAfterRename: chance.pick([0, 0.05]),
  }
}
