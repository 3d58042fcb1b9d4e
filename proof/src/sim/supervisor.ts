import type { EngineEvent, Kuji } from '@kuji/engine'
import { KujiError } from '@kuji/engine'
import { LocalKeeper } from '../../../packages/engine/src/helper/local-keeper.ts'
import type { World } from '../../../packages/engine/src/open.ts'
import { openIn } from '../../../packages/engine/src/open.ts'
import { deterministicRandom } from '../../../packages/engine/src/random/deterministic.ts'
import { Chance } from '../chance.ts'
import { allPools } from './ask.ts'
import { compareKeys, compareReceipts } from './compare-keys.ts'
import { damage } from './damage.ts'
import { Intruder } from './intruder.ts'
import { LogRecord } from './log-record.ts'
import { Fairness } from './model/fairness.ts'
import { Model } from './model/model.ts'
import type { KeyRules } from './model/model-keys.ts'
import type { Answer, Operation } from './model/operation.ts'
import { Violation } from './model/violation.ts'
import type { Plan } from './plan.ts'
import { RecordedAppender } from './recorded-appender.ts'
import { RecoveryOracle } from './recovery-oracle.ts'
import { Requests } from './requests.ts'
import { tryRepair } from './try-repair.ts'
import { type Due, watch } from './watchdog.ts'
import { watchLog } from './watcher.ts'
import type { Machine } from './world/machine.ts'
import { SimulatedDisk } from './world/simulated-disk.ts'
import type { SimulatedProcess } from './world/simulated-process.ts'
import { startWrongly } from './wrong-start.ts'

export const directory = '/data'

/** How a run may end before its time: the device has destroyed what no repair can do without. */
export type EarlyEnd = 'destroyed'

/** Starts the engine, kills it, starts it again, and holds what it says and comes back with against the model. */
export class Supervisor {
  /** Rejects with the first violation; resolves where the run ends before its time. */
  readonly ended: Promise<EarlyEnd>
  readonly #plan: Plan
  readonly #machine: Machine
  readonly #record = new LogRecord()
  readonly #oracle: RecoveryOracle
  readonly #requests: Requests
  readonly #intruder: Intruder
  readonly #chance: Chance
  /** Of its own, so that who watches changes nothing else in a run. */
  readonly #watches: Chance
  #end!: (how: EarlyEnd) => void
  #fail!: (error: unknown) => void
  #process: SimulatedProcess | null = null
  #kuji: Kuji | null = null
  #whenUp: (() => void)[] = []
  /** What the starts ask for. */
  #keys: Partial<KeyRules>
  /** Calls of the disk until the process is killed. */
  #callsToDoom = Number.POSITIVE_INFINITY
  #calm = false
  /** Whether an orderly end is under way. */
  #closing = false
  /** Starts that were refused, one after the other. */
  #refused = 0

  constructor(plan: Plan, machine: Machine) {
    this.#plan = plan
    this.#machine = machine
    this.#chance = new Chance(plan.seed, 'supervisor')
    this.#watches = new Chance(plan.seed, 'watcher')
    this.#keys = plan.keys[0]!
    this.ended = new Promise((resolve, reject) => {
      this.#end = resolve
      this.#fail = reject
    })
    this.#requests = new Requests({
      machine,
      record: this.#record,
      model: () => this.model,
      steady: !plan.faults.has('clock'),
      onRest: operation => this.#atRest(operation),
      fail: error => this.#fail(error),
    })
    this.#intruder = new Intruder({ machine, open: process => this.#open(process, {}), fail: this.#fail })
    const { faults } = plan
    const mayLackRoom = (['full', 'errors', 'lapse', 'short'] as const).some(fault => faults.has(fault))
    const model = new Model(new Fairness(new Chance(plan.seed, 'fairness')), mayLackRoom)
    this.#oracle = new RecoveryOracle(model, this.#record, this.#requests, machine.counts)
    watch(machine.time, () => this.#due, this.#fail)
    const names = new Chance(plan.seed, 'names')
    machine.onCall = ({ name }) => {
      // Between two changes of names there are moments at which a power cut leaves the one, and not the other.
      if (name === 'rename' && this.#mayDie && names.happens(plan.deathAfterRename))
        this.#callsToDoom = Math.min(this.#callsToDoom, names.between(1, 12))
      if (--this.#callsToDoom > 0) return
      this.#callsToDoom = Number.POSITIVE_INFINITY
      // Before the call, or in the middle of it.
      if (this.#chance.happens(0.3)) this.crash()
      else machine.time.soon(() => this.crash())
    }
  }

  /** Whether a process may be killed, or the power go, at any time. */
  get #mayDie(): boolean {
    const { faults } = this.#plan
    return !this.#calm && (faults.has('kill') || faults.has('power'))
  }

  /** What a process owes that does not wait for the disk: to come up, to end, or to answer. */
  get #due(): Due | null {
    const { first } = this.#requests
    const owes = this.#process?.alive === true && (this.#kuji === null || first !== null)
    return owes && !this.#machine.disks.isBusy ? { by: this.#process, first } : null
  }

  get model(): Model {
    return this.#oracle.model
  }

  get damaged(): boolean {
    return this.#oracle.damaged
  }

  /** Asks the engine, once it is up. `unknown`: it died before it answered. */
  async submit(operation: Operation): Promise<Answer | 'unknown'> {
    const kuji = await this.#up()
    return this.#requests.submit(kuji, operation, this.#process!.clock.now())
  }

  async #up(): Promise<Kuji> {
    while (this.#kuji === null) await new Promise<void>(resolve => this.#whenUp.push(resolve))
    return this.#kuji
  }

  /** Everything that was asked is answered: what the engine says of itself is what the model says. */
  #atRest({ kind }: Operation): void {
    const kuji = this.#kuji
    if (kind !== 'read' || kuji === null || kuji.status().state === 'failed') return
    compareKeys(kuji, this.model, this.#process!.clock.now())
  }

  /** Starts the engine in a new process. */
  start(): void {
    const { faults, keys } = this.#plan
    const process = this.#machine.spawn()
    this.#process = process
    this.#requests.begin()
    if (this.#chance.happens(0.3)) this.#keys = this.#chance.pick(keys)
    if (faults.has('recovery') && !this.#calm && this.#chance.happens(0.5))
      this.#callsToDoom = this.#chance.between(1, 60)
    this.#recover(process).catch(error => this.#fail(error))
  }

  async #recover(process: SimulatedProcess): Promise<void> {
    const { counts, disks, device } = this.#machine
    this.#oracle.look(device)
    if (this.#chance.happens(0.02))
      await startWrongly(this.#machine, this.#chance, keys => this.#open(process, keys))
    let kuji: Kuji
    try {
      kuji = await this.#open(process, this.#keys)
    } catch (error) {
      await this.#hearRefusedStart(process, error)
      return
    }
    this.#callsToDoom = Number.POSITIVE_INFINITY
    counts.add('life: starts')
    this.#refused = 0
    const { lsn, drawNumber } = kuji.status()
    this.#machine.tell(() => `${process.id} is up at LSN ${lsn}, draw ${drawNumber}`)
    if (process.alive && disks.locks.get(directory) !== process)
      throw new Violation('lock: nobody has it', 'up without the lock of the directory')
    this.#oracle.recoveredTo(lsn, device, directory)
    if (drawNumber !== this.model.drawNumber)
      throw new Violation(
        'after recovery: draw number',
        `recovered to draw ${drawNumber}, and the last was ${this.model.drawNumber}`,
      )
    const logged = this.#record.rulesAt(lsn)
    this.model.open(this.#keys, logged)
    if (this.model.keys.isDue) counts.add('life: starts with other rules for keys')
    compareKeys(kuji, this.model, process.clock.now())
    await compareReceipts(kuji, this.model, this.#chance)
    this.model.comparePools(await allPools(kuji))
    void kuji.failed.then(() => this.#exitSoon(process))
    this.#kuji = kuji
    for (const wake of this.#whenUp.splice(0)) wake()
    this.#planCrash(process)
    this.#planIntruder(process)
    this.#planDamage(process)
    if (this.#watches.happens(0.3))
      void watchLog(kuji, { durable: () => this.#record.durable, fail: this.#fail })
  }

  #open(process: SimulatedProcess, keys: Partial<KeyRules>): Promise<Kuji> {
    const { durability, segmentBytes, retention } = this.#plan
    const onEvent = (event: EngineEvent): void => this.#hearEvent(event)
    return openIn(
      { dir: directory, durability, segmentBytes, retention, keys, onEvent },
      this.#world(process),
    )
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

  /** A second process wants the directory, some time in the life of this one. */
  #planIntruder(process: SimulatedProcess): void {
    if (this.#calm || !this.#chance.happens(0.1)) return
    this.#machine.time.after(this.#chance.wait(this.#plan.uptime / 4), () => {
      if (process.alive && this.#kuji !== null) this.#intruder.come()
    })
  }

  #hearEvent({ type, message }: EngineEvent): void {
    this.#machine.counts.add(`event: ${type}`)
    this.#machine.tell(() => `${type}: ${message}`)
    if (this.damaged) return
    const isProof = type === 'helper-failed' && message.includes('until the next start')
    const isFalse = type === 'snapshot-refused' && !this.#plan.faults.has('errors')
    if (isProof || isFalse) this.#fail(new Violation(`event: ${type}`, `${type}: ${message}`))
  }

  /** A start may fail where the machine does, and is tried again; damage is refused by name. */
  async #hearRefusedStart(process: SimulatedProcess, error: unknown): Promise<void> {
    const { code = '', message } = error as NodeJS.ErrnoException
    this.#machine.tell(() => `the start is refused: ${message}`)
    this.#machine.counts.add(`life: starts refused, ${code === '' ? 'no progress' : code}`)
    this.#refused++
    if (error instanceof KujiError) {
      // Where a snapshot alone is bad, the one before it and a longer replay have to do.
      const [file = '', ...others] = this.#oracle.damagedFiles
      const isBearable = file.endsWith('.snap') && others.length === 0
      if (error.code !== 'CORRUPT' || !this.damaged || isBearable)
        throw new Violation(
          `a start refused: ${error.code}`,
          `the start is refused: ${error.code} ${message}`,
        )
      this.#oracle.meetDamage([])
      await this.#repair(process)
      return
    }
    const { faults } = this.#plan
    const mayFail = code !== '' && (faults.has('errors') || faults.has('lapse') || faults.has('full'))
    const mayStop = message.startsWith('no progress') && faults.has('short')
    if (this.#calm || !(mayFail || mayStop)) throw error
    this.#exitSoon(process)
  }

  /** What an operator does: has the log repaired, and starts again. The report has to be true. */
  async #repair(process: SimulatedProcess): Promise<void> {
    const { counts, disks } = this.#machine
    const disk = new SimulatedDisk(disks, process)
    const report = await tryRepair(
      disk,
      directory,
      process.clock,
      () => this.#machine.failures,
      lsn => {
        this.#oracle.repairedTo = lsn
      },
    )
    if (report === 'destroyed') {
      counts.add('life: repairs impossible')
      this.#end(report)
      return
    }
    // A start that the disk gave no snapshot has read, and met, what others need not.
    const isFine = report?.needed === false && this.#plan.faults.has('errors') && !this.#calm
    if (report === null || isFine) {
      this.#exitSoon(process)
      return
    }
    const { impossible, lsn, drawNumber } = report
    this.#machine.tell(() => `repair: ${impossible === '' ? `LSN ${lsn}, draw ${drawNumber}` : impossible}`)
    counts.add(impossible === '' ? 'life: repairs' : 'life: repairs impossible')
    if (impossible !== '') {
      this.#end('destroyed')
      return
    }
    this.#oracle.repaired(report)
    this.#exitSoon(process)
  }

  #planCrash(process: SimulatedProcess): void {
    const { faults, uptime } = this.#plan
    const mayCrash = this.#mayDie
    if (this.#calm || (!mayCrash && !faults.has('close'))) return
    const asked = this.#requests.asked
    this.#machine.time.after(this.#chance.wait(uptime), () => {
      if (!process.alive || this.#calm) return
      // Where nobody asks for anything, one crash is like the next.
      if (this.#requests.asked === asked && this.#chance.happens(0.9)) {
        this.#planCrash(process)
        return
      }
      const doom = this.#chance.between(1, 20)
      if (faults.has('close') && this.#chance.happens(0.3)) {
        void this.close().then(() => this.#startSoon())
        // Somebody loses patience: an end has few calls.
        if (mayCrash && this.#chance.happens(0.3)) this.#callsToDoom = Math.ceil(doom / 4)
      } else if (this.#chance.happens(0.7)) this.#callsToDoom = doom
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
    const { counts } = this.#machine
    this.#machine.tell(() => (power ? 'the power goes' : `kill ${process.id}`))
    const when = this.#closing ? ' while it closes' : this.#kuji === null ? ', not up' : ''
    counts.add(`fault: ${power ? 'power cut' : 'kill'}${when}`)
    this.#intruder.end()
    if (power) this.#machine.cutPower(process)
    else this.#machine.kill(process)
    if (power && faults.has('damage') && this.#chance.happens(0.5)) this.#damage()
    this.#leave()
    this.#startSoon()
  }

  /** Bytes also rot while the engine is up: the helper reads what it had written. */
  #planDamage(process: SimulatedProcess): void {
    const { faults, uptime } = this.#plan
    if (this.#calm || !faults.has('damage') || !this.#chance.happens(0.1)) return
    this.#machine.time.after(this.#chance.wait(uptime / 2), () => {
      if (process.alive && !this.#calm) this.#damage()
    })
  }

  #damage(): void {
    const { device, counts } = this.#machine
    const done = damage(device, directory, this.#record, this.#chance)
    if (done === null) return
    this.#oracle.meetDamage(done.files)
    counts.add(`fault: ${done.kind}`)
    this.#machine.tell(() => `damage: ${done.what}`)
  }

  /** The engine is gone, and those who wait for an answer learn that there will be none. */
  #leave(): void {
    this.#kuji = null
    this.#closing = false
    // It may have died in the middle of giving the answers of a batch, which are all on their way.
    this.#machine.time.soon(() => this.#requests.abandon())
  }

  #exitSoon(process: SimulatedProcess): void {
    this.#machine.time.after(this.#chance.between(0, 5), () => {
      if (!process.alive) return
      this.#intruder.end()
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
    this.#closing = true
    this.#intruder.end()
    this.#machine.tell(() => `close ${process.id}`)
    await kuji.close()
    this.#callsToDoom = Number.POSITIVE_INFINITY
    this.#machine.counts.add('life: orderly ends')
    this.#machine.kill(process)
    const { state } = kuji.status()
    const waiting = this.#requests.waiting.length
    if (state === 'closed' && waiting > 0)
      this.#fail(new Violation('end: unanswered', `closed, and ${waiting} requests were not answered`))
    this.#leave()
  }

  /** From here on nothing goes wrong. */
  calm(): void {
    this.#calm = true
    this.#callsToDoom = Number.POSITIVE_INFINITY
    this.#machine.weather.calm()
  }
}
