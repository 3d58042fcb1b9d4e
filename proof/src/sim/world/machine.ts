import { Chance } from '../../chance.ts'
import type { Plan } from '../plan.ts'
import { RemovedSegments } from '../removed-segments.ts'
import { Counts } from './counts.ts'
import { Device } from './device.ts'
import { type DiskCall, DiskSystem } from './simulated-disk.ts'
import { SimulatedProcess, type WallClock } from './simulated-process.ts'
import type { Trace } from './trace.ts'
import { VirtualTime } from './virtual-time.ts'
import { Weather } from './weather.ts'

/** A machine with a clock, a disk and processes, on which things go wrong as the plan has it. */
export class Machine {
  readonly time = new VirtualTime()
  readonly wall: WallClock = { ahead: 0, highest: 0 }
  readonly device: Device
  readonly weather: Weather
  readonly disks: DiskSystem
  readonly counts = new Counts()
  /** Calls of the disk that have failed. */
  failures = 0
  readonly removed = new RemovedSegments()
  readonly #trace: Trace
  readonly #crashes: Chance
  #processes = 0
  /** Told of each call of a disk before it is made. */
  onCall: (call: DiskCall) => void = () => undefined

  constructor(plan: Plan, trace: Trace) {
    const chances = (stream: string): Chance => new Chance(plan.seed, stream)
    const { sectorBytes, nameOrder } = plan
    this.#trace = trace
    this.#crashes = chances('crashes')
    this.device = new Device({ sectorBytes, nameOrder, chance: chances('power') })
    this.weather = new Weather(plan, chances, this)
    this.disks = new DiskSystem({
      time: this.time,
      device: this.device,
      weather: this.weather,
      trace,
      onCall: call => {
        this.removed.look(call, this.device)
        this.onCall(call)
      },
      onMisfortune: what => {
        this.counts.add(`fault: ${what}`)
        if (!what.startsWith('short')) this.failures++
      },
    })
  }

  spawn(): SimulatedProcess {
    return new SimulatedProcess(++this.#processes, this.time, this.wall)
  }

  /** `kill -9`: what the kernel has stays. */
  kill(process: SimulatedProcess): void {
    process.alive = false
    this.disks.interrupt(process, this.#crashes)
  }

  /** The power goes, and with it every process and what only the kernel had. */
  cutPower(process: SimulatedProcess): void {
    this.kill(process)
    const { landed, lost, overtaken, names } = this.device.cutPower()
    this.counts.add('fault: sector lost with the power', lost)
    this.counts.add('fault: sector landed unsynced', landed)
    this.counts.add('fault: sectors landed out of order', overtaken)
    this.counts.add('fault: name lost with the power', names)
  }

  /** @param what makes the line, where it is wanted */
  tell(what: () => string): void {
    if (this.#trace.on) this.#trace.add(this.time.now, what())
  }
}
