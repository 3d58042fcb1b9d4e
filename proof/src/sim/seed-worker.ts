import { parentPort, workerData } from 'node:worker_threads'
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

parentPort!.on('message', (seed: number) => {
  void simulate(makePlan(seed, workerData as PlanLimits), { keepTrace: false }).then(report => {
    const { violation, end, operations, simulatedMs, counts } = report
    const told: SeedReport = {
      seed,
      violation: violation?.message ?? '',
      end,
      operations,
      simulatedMs,
      counts,
    }
    parentPort!.postMessage(told)
  })
})
