import type { EngineEvent, Kuji } from '@kuji/engine'
import { LocalKeeper } from '../../../packages/engine/src/helper/local-keeper.ts'
import { openIn } from '../../../packages/engine/src/open.ts'
import { deterministicRandom } from '../../../packages/engine/src/random/deterministic.ts'
import { Chance } from '../../src/chance.ts'
import { Device } from '../../src/sim/world/device.ts'
import {
  type DiskCall,
  DiskSystem,
  type Misfortune,
  SimulatedDisk,
} from '../../src/sim/world/simulated-disk.ts'
import { SimulatedProcess } from '../../src/sim/world/simulated-process.ts'
import { Trace } from '../../src/sim/world/trace.ts'
import { VirtualTime } from '../../src/sim/world/virtual-time.ts'

export const directory = '/data'

/** The simulated machine with a script in the place of chance: a call of the disk takes a tenth of a millisecond. */
export class ScriptedMachine {
  readonly time = new VirtualTime()
  readonly device: Device
  readonly events: EngineEvent[] = []
  /** What goes wrong with a call. */
  misfortune: (call: DiskCall, bytes?: Uint8Array) => Misfortune | null = () => null
  /** Milliseconds that a call takes. */
  latency: (call: DiskCall) => number = () => 0.1
  readonly #disks: DiskSystem
  readonly #wall = { ahead: 0, highest: 0 }
  readonly #chance: Chance
  #process: SimulatedProcess | null = null
  #processes = 0

  constructor(seed = 1) {
    this.#chance = new Chance(seed, 'test')
    this.device = new Device({ sectorBytes: 512, nameOrder: 'any', chance: this.#chance })
    this.device.makeDirectory('')
    this.#disks = new DiskSystem({
      time: this.time,
      device: this.device,
      weather: { latency: call => this.latency(call), misfortune: call => this.misfortune(call) },
      trace: new Trace(false),
      onCall: () => undefined,
    })
  }

  /** A disk as a new process sees it. */
  disk(): SimulatedDisk {
    this.#process = new SimulatedProcess(++this.#processes, this.time, this.#wall)
    return new SimulatedDisk(this.#disks, this.#process)
  }

  /** Starts the engine in a new process. */
  open(): Promise<Kuji> {
    const disk = this.disk()
    const { clock } = this.#process!
    const onEvent = (event: EngineEvent): void => void this.events.push(event)
    return openIn(
      { dir: directory, segmentBytes: 4096, onEvent },
      {
        disk,
        clock,
        random: deterministicRandom(this.#processes),
        keeper: (start, tell) => new LocalKeeper(start, disk, clock, tell),
      },
    )
  }

  kill(): void {
    this.#process!.alive = false
    this.#disks.interrupt(this.#process!, this.#chance)
  }

  cutPower(): void {
    this.kill()
    this.device.cutPower()
  }

  /** Runs a script on the machine's time. */
  run<T>(script: () => Promise<T>): Promise<T> {
    return this.time.run(script())
  }
}
