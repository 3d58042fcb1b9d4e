import { Chance } from '../chance.ts'
import { serveTasks } from '../command/threads.ts'
import { type Counts, describePoint, Exploration, type Failure } from './explore.ts'
import { record } from './recording.ts'

/** A thread that plays the scripts that it is sent, and looks at what a crash leaves in each of their moments. */

/** A defect shows in more and more states: with so many failures a script is not gone on with. */
const failuresEnough = 20

export interface Task {
  readonly script: string
  readonly seed: number
  readonly sectorBytes: 512 | 4096
  /** Crashes during a recovery that are to be looked at, at most. */
  readonly second: number
}

export interface TaskReport {
  readonly task: Task
  readonly first: Counts
  readonly second: Counts
  readonly failures: readonly (Failure & { readonly where: string })[]
}

async function run(task: Task): Promise<TaskReport> {
  const { script, seed, sectorBytes } = task
  const recording = await record(script, { seed, sectorBytes })
  const exploration = new Exploration(recording)
  const { first, second, failures, distinct } = exploration
  for (const place of recording.points.keys()) {
    await exploration.explore(place)
    if (failures.length >= failuresEnough) break
  }
  for (const crash of new Chance(seed, 'second').shuffle([...distinct])) {
    if (second.states >= task.second || failures.length >= failuresEnough) break
    await exploration.exploreRecovery(crash, task.second - second.states)
  }
  const where = ({ crash }: Failure): string => describePoint(recording.points[crash.point]!)
  return { task, first, second, failures: failures.map(failure => ({ ...failure, where: where(failure) })) }
}

serveTasks(run)
