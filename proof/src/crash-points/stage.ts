import type { Kuji, OpenOptions } from '@kuji/engine'
import type { Chance } from '../chance.ts'
import { ask } from '../sim/ask.ts'
import { LogRecord } from '../sim/log-record.ts'
import type { TimeSpan } from '../sim/model/model-keys.ts'
import type { Answer, Operation } from '../sim/model/operation.ts'
import { describeOperation } from '../sim/model/operation.ts'
import { RecordedAppender } from '../sim/recorded-appender.ts'
import { RemovedSegments } from '../sim/removed-segments.ts'
import { Device, type FilesOnDevice } from '../sim/world/device.ts'
import { QuietMachine, type QuietOptions } from '../sim/world/quiet-machine.ts'
import type { DiskCall } from '../sim/world/simulated-disk.ts'
import type { Trace } from '../sim/world/trace.ts'
import { DiskStates } from './disk-states.ts'
import type { Answered } from './oracle.ts'
import { PointRecorder } from './points.ts'

export type EngineOptions = Pick<OpenOptions, 'retention' | 'durability'> & { readonly segmentBytes: number }

/** A part of a script that is played on one machine. */
export type Act = (stage: Stage) => Promise<unknown>

/** Bytes of a batch that is a seal alone, with the terminator behind it. */
const sealBytes = 88

interface Asked {
  readonly operation: Operation
  answer: Answer | null
  span: TimeSpan | null
}

export interface StageOptions {
  readonly engine: EngineOptions
  readonly sectorBytes: 512 | 4096
  readonly chance: Chance
  readonly trace: Trace
  /** Puts another disk in the place of the machine's own. */
  readonly disk?: QuietOptions['disk']
}

/** Where a script plays: the engine on a machine on which nothing goes wrong, every moment of its disk noted. */
export class Stage {
  readonly record = new LogRecord()
  readonly #asked: Asked[] = []
  /** Operations that are answered: answers come in the order of the questions. */
  #answers = 0
  readonly moments: PointRecorder
  readonly removed = new RemovedSegments()
  readonly #options: StageOptions
  #machine: QuietMachine
  #kuji: Kuji | null = null
  /** Told of each call that has begun. */
  #onBegin: (call: DiskCall) => void = () => undefined

  constructor(options: StageOptions) {
    this.#options = options
    const { sectorBytes, chance } = options
    const device = new Device({ sectorBytes, nameOrder: 'any', chance })
    device.makeDirectory('')
    this.moments = new PointRecorder(() => this.#answers)
    this.#machine = this.#assemble(device, 0)
  }

  #assemble(device: Device, ahead: number): QuietMachine {
    const { chance, trace, disk } = this.#options
    const machine: QuietMachine = new QuietMachine({
      ...{ device, trace, ahead },
      latency: () => chance.wait(0.2),
      onCall: call => this.removed.look(call, device),
      onBegin: call => {
        this.moments.during(call, machine)
        this.#onBegin(call)
      },
      onReturn: call => this.moments.after(call, machine),
      appender: lastHash => new RecordedAppender(lastHash, this.record),
      ...(disk === undefined ? {} : { disk }),
    })
    return machine
  }

  /** Plays an act from its beginning to its end. */
  play(act: Act): Promise<unknown> {
    return this.#machine.time.run(act(this))
  }

  async open(): Promise<void> {
    this.record.cutBehind(this.record.durable)
    this.#kuji = await this.#machine.open(this.#options.engine)
  }

  async close(): Promise<void> {
    await this.#kuji!.close()
  }

  /** Asks, and waits for the answer. No operation of a script is refused. */
  async ask(operation: Operation): Promise<void> {
    this.#machine.tell(`ask ${describeOperation(operation)}`)
    const asked: Asked = { operation, answer: null, span: null }
    const place = this.#asked.push(asked)
    const from = this.#machine.wall.highest
    asked.answer = { value: await ask(this.#kuji!, operation) }
    asked.span = { from, to: this.#machine.wall.highest }
    this.#answers = Math.max(this.#answers, place)
  }

  /** What was asked, and answered, in the order of asking. */
  get answered(): readonly Answered[] {
    return this.#asked.map(({ operation, answer, span }) => ({ operation, answer: answer!, span: span! }))
  }

  wait(milliseconds: number): Promise<void> {
    return this.#machine.time.wait(milliseconds)
  }

  /** Asks, and stops in the middle of the write that would have answered it, which is torn then. */
  async askInVain(operation: Operation): Promise<FilesOnDevice> {
    const left = new Promise<FilesOnDevice>(resolve => {
      this.#onBegin = ({ path, name, bytes }) => {
        if (!name.startsWith('write') || !path.endsWith('.log') || bytes <= sealBytes) return
        this.#onBegin = () => undefined
        const states = new DiskStates(this.#machine.disks.deviceInTheMiddle())
        resolve(states.state(states.torn).files)
      }
    })
    void ask(this.#kuji!, operation)
    return left
  }

  /** Goes on with another machine, from what a crash has left. The moments up to here are forgotten. */
  moveTo(files: FilesOnDevice): void {
    const { sectorBytes, chance } = this.#options
    const { time, wall } = this.#machine
    this.moments.forget()
    const device = Device.holding(files, { sectorBytes, nameOrder: 'any', chance })
    this.#machine = this.#assemble(device, wall.ahead + time.now)
  }
}
