import { workerData } from 'node:worker_threads'
import { serveTasks } from '../command/threads.ts'
import type { PlanLimits } from './plan.ts'
import { makePlan } from './plan.ts'
import { simulate } from './simulation.ts'

/** A thread that runs the seeds that it is sent, one after the other, and tells what came of each. */

export interface SeedReport {
  readonly seed: number
  readonly violation: string
  readonly end: string
  readonly operations: number
  readonly simulatedMs: number
  readonly counts: Readonly<Record<string, number>>
}

serveTasks<number, SeedReport>(async seed => {
  const report = await simulate(makePlan(seed, workerData as PlanLimits), { keepTrace: false })
  const { violation, end, operations, simulatedMs, counts } = report
  return { seed, violation: violation?.message ?? '', end, operations, simulatedMs, counts }
})
