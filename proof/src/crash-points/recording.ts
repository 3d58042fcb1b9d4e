import type { Kuji } from '@kuji/engine'
import { Chance } from '../chance.ts'
import type { Operation } from '../sim/model/operation.ts'
import type { RemovedSegments } from '../sim/removed-segments.ts'
import type { QuietOptions } from '../sim/world/quiet-machine.ts'
import { Trace } from '../sim/world/trace.ts'
import { Oracle } from './oracle.ts'
import type { CrashPoint } from './points.ts'
import { type Script, scripts } from './scripts.ts'
import { type EngineOptions, Stage } from './stage.ts'

/** A script as it was played: every moment of its disk, and what is right. */
export interface Recording {
  readonly name: string
  readonly engine: EngineOptions
  readonly sectorBytes: 512 | 4096
  readonly points: readonly CrashPoint[]
  readonly operations: readonly Operation[]
  readonly oracle: Oracle
  readonly removed: RemovedSegments
  readonly chance: Chance
  readonly disk: QuietOptions['disk']
  readonly restarted: RecordOptions['restarted']
  readonly trace: Trace
}

export interface RecordOptions {
  /** How long each call of the disk takes, and so what comes between what. */
  readonly seed: number
  readonly sectorBytes: 512 | 4096
  readonly keepTrace?: boolean
  /** Puts another disk in the place of the machine's own, when it is played and when it is recovered. */
  readonly disk?: QuietOptions['disk']
  /** Puts another engine in the place of one that has started on what a crash has left. */
  readonly restarted?: ((kuji: Kuji) => Kuji) | undefined
}

export async function record(name: string, options: RecordOptions): Promise<Recording> {
  const { seed, sectorBytes, keepTrace = false, disk, restarted } = options
  const script: Script | undefined = scripts[name]
  if (script === undefined) throw new Error(`there is no script ${name}`)
  const { engine, before, act } = script
  const chance = new Chance(seed, name)
  const trace = new Trace(keepTrace)
  const stage = new Stage({ engine, sectorBytes, chance, trace, ...(disk === undefined ? {} : { disk }) })
  if (before !== undefined) {
    const left: Awaited<ReturnType<NonNullable<Script['before']>>>[] = []
    await stage.play(async () => left.push(await before(stage)))
    stage.moveTo(left[0]!)
  }
  await stage.play(act)
  return {
    ...{ name, engine, sectorBytes, chance, trace, disk, restarted },
    points: stage.moments.points,
    operations: stage.answered.map(({ operation }) => operation),
    oracle: new Oracle(stage.answered, stage.record),
    removed: stage.removed,
  }
}
