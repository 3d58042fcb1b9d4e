import { workerData } from 'node:worker_threads'
import { serveTasks } from '../command/threads.ts'
import { describeFailure, kindOf } from './failure.ts'
import type { PlanLimits } from './plan.ts'
import { makePlan } from './plan.ts'
import { simulate } from './simulation.ts'

/** A thread that runs the seeds that it is sent, one after the other, and tells what came of each. */

export interface SeedReport {
  readonly seed: number
  /** What was wrong, or ''. */
  readonly violation: string
  /** In what way, by a name that other seeds have too. */
  readonly kind: string
  readonly end: string
  readonly operations: number
  readonly simulatedMs: number
  readonly counts: Readonly<Record<string, number>>
}

serveTasks<number, SeedReport>(async seed => {
  const report = await simulate(makePlan(seed, workerData as PlanLimits), { keepTrace: false })
  const { violation, end, operations, simulatedMs, counts } = report
  const failure =
    violation === null
      ? { violation: '', kind: '' }
      : { violation: describeFailure(violation), kind: kindOf(violation) }
  return { seed, ...failure, end, operations, simulatedMs, counts }
})
