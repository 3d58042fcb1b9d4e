import { Chance } from '../chance.ts'
import { ClientHistory } from './client-history.ts'
import type { KeyRules } from './model/model-keys.ts'
import { compareOnPaper } from './model/on-paper.ts'
import type { Answer, Operation } from './model/operation.ts'
import { Violation } from './model/violation.ts'
import { OperationMaker } from './operations.ts'
import type { Plan } from './plan.ts'
import { directory, type EarlyEnd, Supervisor } from './supervisor.ts'
import { UncaughtErrors } from './uncaught-errors.ts'
import { Machine } from './world/machine.ts'
import { Trace } from './world/trace.ts'
import type { VirtualTime } from './world/virtual-time.ts'

/** What came of a run. */
export interface RunReport {
  readonly plan: Plan
  readonly violation: Error | null
  readonly end: EarlyEnd | 'end'
  readonly operations: number
  readonly simulatedMs: number
  readonly trace: Trace
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
    const history = new ClientHistory()
    const ask: Ask = async operation => {
      const began = machine.time.now
      const answer = await supervisor.submit(operation)
      if (plan.plain) history.add(operation, began, machine.time.now, answer)
      return answer
    }
    const maker = new OperationMaker(new Chance(plan.seed, 'operations'), plan.plain)
    for (const operation of maker.first()) await ask(operation)
    const next = (): Operation | null => (operations++ < plan.operations ? maker.next() : null)
    const clients = Array.from({ length: plan.clients }, (_, client) =>
      live(new Chance(plan.seed, `client ${client}`), plan, machine.time, ask, next),
    )
    await Promise.all(clients)
    await finish(machine.time, supervisor, ask)
    const bias = supervisor.model.fairness?.findBias() ?? ''
    if (bias !== '') throw new Violation('fairness', bias)
    // Damage takes away what was answered.
    if (supervisor.damaged) return 'end'
    const files = machine.device.filesBelow(directory)
    const whole = plan.retention === 'archive' ? files : machine.removed.before(files)
    compareOnPaper(whole, supervisor.model, history.addLogged)
    if (plan.plain) history.check(leastOf(plan.keys))
    return 'end'
  }
  const uncaught = new UncaughtErrors()
  try {
    end = await machine.time.run(Promise.race([life(), supervisor.ended, uncaught.first]))
    await uncaught.none()
  } catch (error) {
    violation = error as Error
    // What else comes of it is not for the thread to die of.
    await uncaught.none().catch(() => undefined)
    machine.tell(() => `VIOLATION ${(error as Error).message}`)
  } finally {
    uncaught.stop()
  }
  machine.counts.add(`run: sectors of ${plan.sectorBytes} bytes`)
  machine.counts.add(`run: durability ${plan.durability}`)
  machine.counts.add(`run: ended, ${violation === null ? end : 'violation'}`)
  return {
    plan,
    violation,
    end,
    operations,
    simulatedMs: machine.time.now,
    trace,
    counts: machine.counts.all,
  }
}

/** The shortest time and the least number that any start may ask for. */
function leastOf(rules: readonly Partial<KeyRules>[]): KeyRules {
  return {
    retentionMs: Math.min(
      ...rules.map(({ retentionMs = Number.POSITIVE_INFINITY }) => retentionMs),
      86_400_000,
    ),
    most: Math.min(...rules.map(({ most = Number.POSITIVE_INFINITY }) => most), 1_000_000),
  }
}

type Ask = (operation: Operation) => Promise<Answer | 'unknown'>

/** A client: asks, waits for the answer, and asks again where it knows of none and has a key. */
async function live(
  chance: Chance,
  { think, rest }: Plan,
  time: VirtualTime,
  ask: Ask,
  next: () => Operation | null,
): Promise<void> {
  for (;;) {
    await time.wait(chance.happens(0.002) ? rest : chance.wait(think))
    const operation = next()
    if (operation === null) return
    if (operation.kind !== 'draw' || operation.key === '') {
      await ask(operation)
      continue
    }
    // Now and then it is asked twice at the same time, as by a caller who lost patience.
    const twice = chance.happens(0.05) ? ask(operation) : null
    while ((await ask(operation)) === 'unknown') await time.wait(chance.wait(10))
    await twice
  }
}

/** Faults stop. Then a draw must be possible within a bounded time, and everything must be as it was. */
async function finish(time: VirtualTime, supervisor: Supervisor, ask: Ask): Promise<void> {
  supervisor.calm()
  const began = time.now
  const manifest = { id: 'last', items: [{ id: 'it', weight: 1, stock: 5 }] }
  const draw = { kind: 'draw', pool: 'last', count: 1, partial: false, bulk: false, recipient: '' } as const
  const keyed = { ...draw, key: 'last' }
  for (const operation of [{ kind: 'put', manifest } as const, { ...draw, key: '' }, keyed, keyed]) {
    let outcome = await ask(operation)
    // What waited when the faults stopped may still be refused.
    while (outcome === 'unknown' || 'refusal' in outcome) {
      if (time.now - began > livenessMs)
        throw new Violation('liveness: no draw', `nothing is drawn for ${livenessMs} ms without a fault`)
      await time.wait(50)
      outcome = await ask(operation)
    }
  }
  for (let start = 0; start < 2; start++) {
    await supervisor.close()
    supervisor.start()
    await ask({ kind: 'read', pool: 'last' })
  }
  await supervisor.close()
}
