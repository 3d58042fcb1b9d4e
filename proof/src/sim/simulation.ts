import { Violation } from './model/model.ts'
import { compareOnPaper } from './model/on-paper.ts'
import { OperationMaker } from './operations.ts'
import type { Plan } from './plan.ts'
import { directory, type EarlyEnd, Supervisor } from './supervisor.ts'
import { Chance } from './world/chance.ts'
import { Machine } from './world/machine.ts'
import { Trace } from './world/trace.ts'

/** What came of a run. */
export interface RunReport {
  readonly plan: Plan
  readonly violation: Error | null
  readonly end: EarlyEnd | 'end'
  readonly operations: number
  readonly simulatedMs: number
  /** Hash of the trace. */
  readonly hash: string
  readonly trace: readonly string[] | null
  readonly counts: Readonly<Record<string, number>>
}

/** A draw is answered within this time once nothing goes wrong any more. */
const livenessMs = 60_000

/** Runs the engine through the life that a plan has for it. */
export async function simulate(plan: Plan, options: { readonly keepTrace: boolean }): Promise<RunReport> {
  const trace = new Trace(options.keepTrace)
  const machine = new Machine(plan, trace)
  const supervisor = new Supervisor(plan, machine)
  let operations = 0
  let violation: Error | null = null
  let end: EarlyEnd | 'end' = 'end'
  const life = async (): Promise<'end'> => {
    machine.device.makeDirectory('')
    supervisor.start()
    const maker = new OperationMaker(new Chance(plan.seed, 'operations'))
    for (const operation of maker.first()) await supervisor.submit(operation)
    const clients = Array.from({ length: plan.clients }, (_, client) =>
      live(new Chance(plan.seed, `client ${client}`), maker, plan, machine, supervisor, () => ++operations),
    )
    await Promise.all(clients)
    await finish(machine, supervisor)
    // An archive is part of the log; where old segments are removed, or damaged, there is no whole log to read.
    if (plan.retention === 'archive' && !supervisor.damaged)
      compareOnPaper(machine.device.filesBelow(directory), supervisor.model)
    return 'end'
  }
  try {
    end = await machine.time.run(Promise.race([life(), supervisor.ended]))
  } catch (error) {
    violation = error as Error
    machine.tell(`VIOLATION ${violation.message}`)
  }
  const { lines } = trace
  return {
    plan,
    violation,
    end,
    operations,
    simulatedMs: machine.time.now,
    hash: trace.end(),
    trace: lines,
    counts: supervisor.counts,
  }
}

/** A client: asks, waits for the answer, and asks again where it knows of none and has a key. */
async function live(
  chance: Chance,
  maker: OperationMaker,
  { operations, think, rest }: Plan,
  machine: Machine,
  supervisor: Supervisor,
  begin: () => number,
): Promise<void> {
  while (begin() <= operations) {
    await machine.time.wait(chance.happens(0.002) ? rest : chance.wait(think))
    const operation = maker.next()
    if (operation.kind !== 'draw' || operation.key === '') {
      await supervisor.submit(operation)
      continue
    }
    // Now and then it is asked twice at the same time, as by a caller who lost patience.
    if (chance.happens(0.05)) void supervisor.submit(operation)
    while ((await supervisor.submit(operation)) === 'unknown') await machine.time.wait(chance.wait(10))
  }
}

/** Faults stop. Then a draw must be possible within a bounded time, and everything must be as it was. */
async function finish(machine: Machine, supervisor: Supervisor): Promise<void> {
  supervisor.calm()
  const began = machine.time.now
  const manifest = { id: 'last', items: [{ id: 'it', weight: 1, stock: 5 }] }
  const draw = { kind: 'draw', pool: 'last', count: 1, partial: false, bulk: false, recipient: '' } as const
  const keyed = { ...draw, key: 'last' }
  for (const operation of [{ kind: 'put', manifest } as const, { ...draw, key: '' }, keyed, keyed]) {
    let outcome = await supervisor.submit(operation)
    // What waited when the faults stopped may still be refused.
    while (outcome === 'unknown' || 'refusal' in outcome) {
      if (machine.time.now - began > livenessMs)
        throw new Violation(`nothing is drawn for ${livenessMs} ms without a fault`)
      await machine.time.wait(50)
      outcome = await supervisor.submit(operation)
    }
  }
  for (let start = 0; start < 2; start++) {
    await supervisor.close()
    supervisor.start()
    await supervisor.submit({ kind: 'read', pool: 'last' })
  }
  await supervisor.close()
}
