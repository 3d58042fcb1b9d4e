import { Chance } from '../../chance.ts'
import type { Plan } from '../plan.ts'
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
      onCall: call => this.onCall(call),
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
    this.device.cutPower()
  }

  tell(what: string): void {
    this.#trace.add(this.time.now, what)
  }
}
