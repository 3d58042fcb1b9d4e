import type { Device } from '../sim/world/device.ts'
import type { QuietMachine } from '../sim/world/quiet-machine.ts'
import type { DiskCall } from '../sim/world/simulated-disk.ts'

/** A moment at which the power may go. */
export interface CrashPoint {
  /** The place of its call among all of the run, from 1. */
  readonly callNumber: number
  readonly call: DiskCall
  /** In the middle of the call, or when it has returned and nobody has learnt of it. */
  readonly moment: 'during' | 'after'
  /** The device at that moment: what waits for a sync, calls under way included, is there or not. */
  readonly device: Device
  /** Operations that have been answered. */
  readonly answered: number
  /** What the wall clock shows, from the beginning of all runs. */
  readonly ahead: number
  /** Lines of the trace up to it. */
  readonly traced: number
}

/** Notes each moment of a machine's disk: twice for each call. */
export class PointRecorder {
  #points: CrashPoint[] = []
  readonly #answered: () => number
  readonly #numbers = new Map<DiskCall, number>()
  #calls = 0

  /** @param answered how many operations have been answered */
  constructor(answered: () => number) {
    this.#answered = answered
  }

  get points(): readonly CrashPoint[] {
    return this.#points
  }

  during(call: DiskCall, machine: QuietMachine): void {
    this.#numbers.set(call, ++this.#calls)
    machine.tell(`call ${this.#calls}: ${call.name} ${call.path}`)
    this.#note(call, 'during', machine)
  }

  after(call: DiskCall, machine: QuietMachine): void {
    this.#note(call, 'after', machine)
  }

  /** Begins anew. */
  forget(): void {
    this.#points = []
    this.#calls = 0
    this.#numbers.clear()
  }

  #note(call: DiskCall, moment: CrashPoint['moment'], { disks, time, wall, trace }: QuietMachine): void {
    this.#points.push({
      callNumber: this.#numbers.get(call)!,
      call,
      moment,
      device: disks.deviceInTheMiddle(),
      answered: this.#answered(),
      ahead: wall.ahead + time.now,
      traced: trace.lines?.length ?? 0,
    })
  }
}
