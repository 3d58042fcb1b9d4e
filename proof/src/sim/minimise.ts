import { kindOf } from './failure.ts'
import type { FaultName, PlanLimits } from './plan.ts'
import { makePlan } from './plan.ts'
import type { RunReport } from './simulation.ts'
import { simulate } from './simulation.ts'

/** The smallest run found that still fails, with its trace. */
export interface Minimised {
  readonly limits: PlanLimits
  readonly report: RunReport
  readonly tries: number
}

/**
 * Makes a failing run smaller: fewer operations by halves and then one by one, then without each fault in turn, then
 * with fewer clients, and again until nothing of it helps, for as long as it fails in the same way: another failure
 * that it comes upon says nothing of the one that was found.
 * @param kind in what way it fails
 * @param run what runs a plan
 */
export async function minimise(
  seed: number,
  limits: PlanLimits,
  kind: string,
  run: typeof simulate = simulate,
): Promise<Minimised> {
  let smallest = limits
  let tries = 0
  const fails = async (less: Partial<PlanLimits>): Promise<boolean> => {
    tries++
    const tried = { ...smallest, ...less }
    const { violation } = await run(makePlan(seed, tried), { keepTrace: false })
    const isSame = violation !== null && kindOf(violation) === kind
    if (isSame) smallest = tried
    return isSame
  }
  const shorten = async (): Promise<void> => {
    for (let step = Math.ceil(smallest.operations / 2); ; step = Math.ceil(step / 2)) {
      while (smallest.operations > step && (await fails({ operations: smallest.operations - step }))) {}
      if (step === 1) return
    }
  }
  let before: PlanLimits
  do {
    before = smallest
    await shorten()
    const { faults, clients: most } = makePlan(seed, smallest)
    for (const fault of faults) await fails({ without: [...smallest.without, fault] satisfies FaultName[] })
    for (const clients of [1, 2, 3]) if (clients < most && (await fails({ clients }))) break
  } while (smallest !== before)
  return { limits: smallest, report: await run(makePlan(seed, smallest), { keepTrace: true }), tries }
}
