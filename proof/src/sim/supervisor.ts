import type { EngineEvent, Kuji } from '@kuji/engine'
import { KujiError } from '@kuji/engine'
import { LocalKeeper } from '../../../packages/engine/src/helper/local-keeper.ts'
import type { World } from '../../../packages/engine/src/open.ts'
import { openIn } from '../../../packages/engine/src/open.ts'
import { deterministicRandom } from '../../../packages/engine/src/random/deterministic.ts'
import { Chance } from '../chance.ts'
import { allPools, ask } from './ask.ts'
import { damage, isWhole } from './damage.ts'
import { readBatch } from './model/batch-records.ts'
import { Fairness } from './model/fairness.ts'
import { describeAnswer, Model, Violation } from './model/model.ts'
import type { Answer, Operation } from './model/operation.ts'
import { circumstances, describeOperation } from './model/operation.ts'
import { takeInBatch } from './model/take-in-batch.ts'
import type { Plan } from './plan.ts'
import { LogRecord, RecordedAppender } from './recorded-appender.ts'
import { tryRepair } from './try-repair.ts'
import type { Machine } from './world/machine.ts'
import { SimulatedDisk } from './world/simulated-disk.ts'
import type { SimulatedProcess } from './world/simulated-process.ts'

export const directory = '/data'

/** How a run may end before its time: the device has destroyed what no repair can do without. */
export type EarlyEnd = 'destroyed'

/** Where a client stands with a request. */
interface Request {
  readonly operation: Operation
  answer: Answer | null
  /** Tells the client. */
  readonly settle: (outcome: Answer | 'unknown') => void
}

/** Starts the engine, kills it, starts it again, and holds what it says and comes back with against the model. */
export class Supervisor {
  model: Model
  readonly counts: Record<string, number> = {}
  /** Rejects with the first violation; resolves where the run ends before its time. */
  readonly ended: Promise<EarlyEnd>
  readonly #plan: Plan
  readonly #machine: Machine
  readonly #record = new LogRecord()
  readonly #chance: Chance
  #end!: (how: EarlyEnd) => void
  #fail!: (error: unknown) => void
  #process: SimulatedProcess | null = null
  #kuji: Kuji | null = null
  /** Requests that the engine has, in the order in which it got them. */
  #waiting: Request[] = []
  #whenUp: (() => void)[] = []
  /** Calls of the disk until the process that recovers is killed. */
  #callsToDoom = Number.POSITIVE_INFINITY
  #calm = false
  /** Starts that were refused, one after the other. */
  #refused = 0
  readonly #damagedFiles = new Set<string>()

  constructor(plan: Plan, machine: Machine) {
    this.#plan = plan
    this.#machine = machine
    this.#chance = new Chance(plan.seed, 'supervisor')
    this.model = new Model(plan.keys, new Fairness(new Chance(plan.seed, 'fairness')))
    this.ended = new Promise((resolve, reject) => {
      this.#end = resolve
      this.#fail = reject
    })
    machine.onCall = () => {
      if (--this.#callsToDoom > 0) return
      this.#callsToDoom = Number.POSITIVE_INFINITY
      // Before the call, or in the middle of it.
      if (this.#chance.happens(0.3)) this.crash()
      else machine.time.soon(() => this.crash())
    }
  }

  get damaged(): boolean {
    return this.#damagedFiles.size > 0
  }

  count(what: string, by = 1): void {
    this.counts[what] = (this.counts[what] ?? 0) + by
  }

  /** Asks the engine, once it is up. `unknown`: it died before it answered. */
  async submit(operation: Operation): Promise<Answer | 'unknown'> {
    const kuji = await this.#up()
    return new Promise(settle => {
      const request: Request = { operation, answer: null, settle }
      this.#machine.tell(`ask ${describeOperation(operation)}`)
      this.#waiting.push(request)
      ask(kuji, operation).then(
        value => this.#hear(request, { value }),
        error =>
          this.#hear(request, { refusal: error instanceof KujiError ? error.code : this.#fault(error) }),
      )
    })
  }

  #fault(error: unknown): never {
    this.#fail(error)
    throw error
  }

  async #up(): Promise<Kuji> {
    while (this.#kuji === null) await new Promise<void>(resolve => this.#whenUp.push(resolve))
    return this.#kuji
  }

  #hear(request: Request, answer: Answer): void {
    this.#machine.tell(`${describeOperation(request.operation)}: ${describeAnswer(answer)}`)
    if ('refusal' in answer) this.count(answer.refusal)
    if ('refusal' in answer && answer.refusal === 'OUTCOME_UNKNOWN') {
      request.settle('unknown')
      return
    }
    if ('refusal' in answer && circumstances.has(answer.refusal)) {
      this.#waiting = this.#waiting.filter(other => other !== request)
      request.settle(answer)
      this.#applyAnswered()
      return
    }
    const isDraw = ({ operation: { kind } }: Request): boolean => kind === 'draw'
    // Draws are answered in the order of the requests, for callers too.
    if (isDraw(request) && this.#waiting.find(other => isDraw(other) && other.answer === null) !== request)
      this.#fail(new Violation(`${describeOperation(request.operation)} was answered before an earlier draw`))
    request.answer = answer
    this.#applyAnswered()
  }

  /** The model takes answers in the order of the requests. */
  #applyAnswered(): void {
    try {
      for (
        let first = this.#waiting[0];
        first !== undefined && first.answer !== null;
        first = this.#waiting[0]
      ) {
        this.#waiting.shift()
        const { operation, answer, settle } = first
        this.model.lsn = this.#record.durable
        this.model.apply(operation, answer, { from: 0, to: this.#machine.wall.highest })
        if (operation.kind === 'draw' && 'value' in answer) this.count('draw requests')
        settle(answer)
      }
    } catch (error) {
      this.#fail(error)
    }
  }

  /** Starts the engine in a new process. */
  start(): void {
    const process = this.#machine.spawn()
    this.#process = process
    if (this.#plan.faults.has('recovery') && !this.#calm && this.#chance.happens(0.5))
      this.#callsToDoom = this.#chance.between(1, 60)
    this.#recover(process).catch(error => this.#fail(error))
  }

  async #recover(process: SimulatedProcess): Promise<void> {
    const { durability, segmentBytes, retention, keys } = this.#plan
    const onEvent = (event: EngineEvent): void => this.#hearEvent(event)
    let kuji: Kuji
    try {
      const options = { dir: directory, durability, segmentBytes, retention, keys, onEvent }
      kuji = await openIn(options, this.#world(process))
    } catch (error) {
      await this.#hearRefusedStart(process, error)
      return
    }
    this.#callsToDoom = Number.POSITIVE_INFINITY
    this.count('starts')
    this.#refused = 0
    const { lsn, drawNumber } = kuji.status()
    this.#machine.tell(`${process.id} is up at LSN ${lsn}, draw ${drawNumber}`)
    if (process.alive && this.#machine.disks.locks.get(directory) !== process)
      throw new Violation('up without the lock of the directory')
    this.#takeInRest(lsn)
    if (drawNumber !== this.model.drawNumber)
      throw new Violation(`recovered to draw ${drawNumber}, and the last was ${this.model.drawNumber}`)
    this.model.comparePools(await allPools(kuji))
    void kuji.failed.then(() => this.#exitSoon(process))
    this.#kuji = kuji
    for (const wake of this.#whenUp.splice(0)) wake()
    this.#planCrash(process)
  }

  #world(process: SimulatedProcess): World {
    const disk = new SimulatedDisk(this.#machine.disks, process)
    return {
      disk,
      random: deterministicRandom(this.#plan.seed * 1000 + process.id),
      clock: process.clock,
      keeper: (start, onEvent) => new LocalKeeper(start, disk, process.clock, onEvent),
      appender: lastHash => new RecordedAppender(lastHash, this.#record),
    }
  }

  #hearEvent({ type, level, message }: EngineEvent): void {
    this.count(type)
    this.#machine.tell(`${type}: ${message}`)
    const proof = type === 'helper-failed' && message.includes('until the next start')
    if (proof && !this.damaged) this.#fail(new Violation(`${type}: ${message}`))
    if (level === 'warn' && !this.damaged && type !== 'torn-batch-cut') this.count(`warning ${type}`)
  }

  /** A start may fail where the machine does, and is tried again; damage is refused by name. */
  async #hearRefusedStart(process: SimulatedProcess, error: unknown): Promise<void> {
    const { code = '', message } = error as NodeJS.ErrnoException
    this.#machine.tell(`the start is refused: ${message}`)
    this.count('starts refused')
    this.#refused++
    if (error instanceof KujiError) {
      // Where a snapshot alone is bad, the one before it and a longer replay have to do.
      const [file = '', ...others] = this.#damagedFiles
      const isBearable = file.endsWith('.snap') && others.length === 0
      if (error.code !== 'CORRUPT' || !this.damaged || isBearable)
        throw new Violation(`the start is refused: ${error.code} ${message}`)
      await this.#repair(process)
      return
    }
    const { faults } = this.#plan
    if (code === '' || this.#calm || !(faults.has('errors') || faults.has('full'))) throw error
    this.#exitSoon(process)
  }

  /** What an operator does: has the log repaired, and starts again. The report has to be true. */
  async #repair(process: SimulatedProcess): Promise<void> {
    const disk = new SimulatedDisk(this.#machine.disks, process)
    const report = await tryRepair(disk, directory, lsn => {
      this.#repairedTo = lsn
    })
    if (report === null) {
      this.#exitSoon(process)
      return
    }
    const { impossible, done, lsn, drawNumber, lost } = report
    this.#machine.tell(`repair: ${impossible === '' ? `LSN ${lsn}, draw ${drawNumber}` : impossible}`)
    this.count(impossible === '' ? 'repairs' : 'repairs impossible')
    if (impossible !== '') {
      this.#end('destroyed')
      return
    }
    if (!done)
      throw new Violation(`the start is refused, and the repair finds nothing to do: ${report.before.fault}`)
    const before = this.model.drawNumber
    const wholeUpTo = this.model.behind(Math.max(0, ...this.#wholeBefore)).drawNumber
    const unanswered = this.#unanswered
    this.#rollBack(lsn)
    if (drawNumber !== this.model.drawNumber)
      throw new Violation(
        `repaired to LSN ${lsn}, draw ${drawNumber}, which was draw ${this.model.drawNumber}`,
      )
    // What is lost beyond the last batch that is whole, nobody can know; nor was all that is whole answered.
    const tooFew = lost.complete && lost.draws < wholeUpTo - drawNumber
    if (tooFew || lost.draws > before - drawNumber + unanswered)
      throw new Violation(`the repair tells of ${lost.draws} draws lost, and it were ${before - drawNumber}`)
    this.#exitSoon(process)
  }

  /** Draws that may be in the log, and were never answered. */
  get #unanswered(): number {
    return this.#waiting.reduce(
      (sum, { operation }) => sum + (operation.kind === 'draw' ? operation.count + 1 : 0),
      0,
    )
  }

  #rollBack(lsn: number): void {
    this.#repairedTo = -1
    this.model = this.model.behind(lsn)
    this.#record.cutBehind(lsn)
    this.#waiting = []
    this.count('batches lost to damage')
  }

  /** What recovery has found beyond what was answered. */
  #takeInRest(lsn: number): void {
    const record = this.#record
    if (lsn < record.durable) {
      for (let gone = lsn + 1; gone <= record.durable; gone++)
        if (!this.damaged || (this.#wholeBefore.has(gone) && lsn !== this.#repairedTo))
          throw new Violation(`recovered to LSN ${lsn}, and batch ${gone} had been answered`)
      // Damage to the last batches of a log that was not sealed yet: the window that the documents name.
      this.#rollBack(lsn)
    }
    for (let found = record.durable + 1; found <= lsn; found++) {
      const batch = record.batches.get(found)
      if (batch === undefined) throw new Violation(`recovered to LSN ${lsn}, and nobody wrote batch ${found}`)
      this.count('batches unanswered and found')
      this.model.lsn = found
      const operations = this.#waiting.map(({ operation }) => operation)
      const full = this.#plan.faults.has('full') || this.#plan.faults.has('errors')
      this.#waiting.splice(0, takeInBatch(this.model, readBatch(batch.bytes), operations, full))
    }
    record.cutBehind(lsn)
    this.#waiting = []
  }

  /** Where a repair that was begun brings the log to. */
  #repairedTo = -1
  /** Batches that were whole on the disk after the last damage to it. */
  #wholeBefore = new Set<number>()

  #planCrash(process: SimulatedProcess): void {
    const { faults, uptime } = this.#plan
    if (this.#calm) return
    if (!faults.has('kill') && !faults.has('power') && !faults.has('close')) return
    this.#machine.time.after(this.#chance.wait(uptime), () => {
      if (!process.alive || this.#calm) return
      if (faults.has('close') && this.#chance.happens(0.3)) void this.close().then(() => this.#startSoon())
      else if (this.#chance.happens(0.7)) this.#callsToDoom = this.#chance.between(1, 20)
      else this.crash()
    })
  }

  /** Ends the process, by a kill or with the power. */
  crash(): void {
    const { faults } = this.#plan
    this.#callsToDoom = Number.POSITIVE_INFINITY
    const process = this.#process!
    if (!process.alive) return
    const power = faults.has('power') && (!faults.has('kill') || this.#chance.happens(0.5))
    this.#machine.tell(power ? 'the power goes' : `kill ${process.id}`)
    this.count(power ? 'power cuts' : 'kills')
    if (power) this.#machine.cutPower(process)
    else this.#machine.kill(process)
    if (power && faults.has('damage') && this.#chance.happens(0.5)) this.#damage()
    this.#leave()
    this.#startSoon()
  }

  #damage(): void {
    const { device } = this.#machine
    const done = damage(device, directory, this.#record, this.#chance)
    if (done === null) return
    this.#damagedFiles.add(done.file)
    this.count('damage')
    this.#machine.tell(`damage: ${done.what}`)
    this.#wholeBefore = new Set(
      [...this.#record.batches.values()].filter(batch => isWhole(device, batch)).map(({ lsn }) => lsn),
    )
  }

  /** The engine is gone, and those who wait for an answer learn that there will be none. */
  #leave(): void {
    this.#kuji = null
    for (const { answer, operation, settle } of this.#waiting) {
      if (answer !== null)
        this.#fail(
          new Violation(`${describeOperation(operation)} was answered before a request that came earlier`),
        )
      settle('unknown')
    }
  }

  #exitSoon(process: SimulatedProcess): void {
    this.#machine.time.after(this.#chance.between(0, 5), () => {
      if (!process.alive) return
      this.#machine.kill(process)
      this.#leave()
      this.#startSoon()
    })
  }

  /** As a supervisor of services does it: at once, and later and later where it does not help. */
  #startSoon(): void {
    const { uptime } = this.#plan
    const pause = Math.min(this.#chance.wait(20) * 2 ** this.#refused, uptime / 4 + 20)
    this.#machine.time.after(pause, () => this.start())
  }

  /** An orderly end: all that waits is answered. */
  async close(): Promise<void> {
    const kuji = await this.#up()
    const process = this.#process!
    this.#kuji = null
    this.#machine.tell(`close ${process.id}`)
    await kuji.close()
    this.count('orderly ends')
    this.#machine.kill(process)
    const { state } = kuji.status()
    if (state === 'closed' && this.#waiting.length > 0)
      this.#fail(new Violation(`closed, and ${this.#waiting.length} requests were not answered`))
    this.#leave()
  }

  /** From here on nothing goes wrong. */
  calm(): void {
    this.#calm = true
    this.#callsToDoom = Number.POSITIVE_INFINITY
    this.#machine.weather.calm()
  }
}
