import type { Kuji, KujiError } from '@kuji/engine'
import { Violation } from './model/violation.ts'
import type { Machine } from './world/machine.ts'
import type { SimulatedProcess } from './world/simulated-process.ts'

interface IntruderOptions {
  readonly machine: Machine
  readonly open: (process: SimulatedProcess) => Promise<Kuji>
  readonly fail: (error: Error) => void
}

/** A second process that tries to have the directory while another one has it. */
export class Intruder {
  readonly #options: IntruderOptions
  #process: SimulatedProcess | null = null

  constructor(options: IntruderOptions) {
    this.#options = options
  }

  /** Tries, once, and has to be told that the directory is locked. */
  come(): void {
    const { machine, open, fail } = this.#options
    if (this.#process !== null) return
    this.#process = machine.spawn()
    const refused = (error: KujiError): void => {
      if (error.code !== 'LOCKED') fail(error)
      machine.counts.add('fault: second process')
      this.end()
    }
    const opened = (): void =>
      fail(new Violation('lock: two have it', 'two processes have the directory open'))
    open(this.#process).then(opened, refused)
  }

  /** It goes: the other one is about to leave the directory, or is gone. */
  end(): void {
    if (this.#process !== null) this.#options.machine.kill(this.#process)
    this.#process = null
  }
}
