import type { EngineEvent, Kuji, OpenOptions } from '@kuji/engine'
import type { Disk } from '../../../../packages/engine/src/disk/disk.ts'
import { LocalKeeper } from '../../../../packages/engine/src/helper/local-keeper.ts'
import type { Appender } from '../../../../packages/engine/src/log/appender.ts'
import type { SegmentKeeper } from '../../../../packages/engine/src/log/file-log.ts'
import { openIn } from '../../../../packages/engine/src/open.ts'
import { deterministicRandom } from '../../../../packages/engine/src/random/deterministic.ts'
import type { Device } from './device.ts'
import type { DiskCall, DiskWeather } from './simulated-disk.ts'
import { DiskSystem, SimulatedDisk } from './simulated-disk.ts'
import { SimulatedProcess, type WallClock } from './simulated-process.ts'
import { Trace } from './trace.ts'
import { VirtualTime } from './virtual-time.ts'

export const directory = '/data'

export interface QuietOptions {
  readonly device: Device
  /** Milliseconds that a call of the disk takes. Default a tenth. */
  readonly latency?: DiskWeather['latency']
  /** Told of each call before it is made. */
  readonly onCall?: (call: DiskCall) => void
  /** Told of each call that is under way from now on. */
  readonly onBegin?: (call: DiskCall) => void
  /** Told of each call that has returned, before its caller is. */
  readonly onReturn?: (call: DiskCall) => void
  /** Milliseconds that the wall clock shows at the start, from the beginning of all runs. */
  readonly ahead?: number
  readonly seed?: number
  readonly trace?: Trace
  /** Puts another disk in the place of the machine's own. */
  readonly disk?: (disk: Disk, device: Device) => Disk
  /** Default: the engine's own. */
  readonly appender?: (lastHash: Uint8Array) => Appender
}

const noHelper: SegmentKeeper = { sealed: () => undefined, close: async () => undefined }

/** A machine on which nothing goes wrong by itself: whoever uses it says when it dies. */
export class QuietMachine {
  readonly time = new VirtualTime()
  readonly device: Device
  readonly disks: DiskSystem
  readonly events: EngineEvent[] = []
  readonly wall: WallClock
  readonly trace: Trace
  readonly #options: QuietOptions
  #processes = 0

  constructor(options: QuietOptions) {
    const { device, latency = () => 0.1, onCall = () => undefined, onBegin, onReturn } = options
    this.#options = options
    this.device = device
    this.wall = { ahead: options.ahead ?? 0, highest: 0 }
    this.trace = options.trace ?? new Trace(false)
    this.disks = new DiskSystem({
      time: this.time,
      device,
      weather: { latency, misfortune: () => null },
      trace: this.trace,
      onCall,
      ...(onBegin === undefined ? {} : { onBegin }),
      ...(onReturn === undefined ? {} : { onReturn }),
    })
  }

  tell(what: string): void {
    this.trace.add(this.time.now, what)
  }

  /**
   * Starts the engine in a new process.
   * @param helper whether finished segments are taken care of: snapshots written, old segments archived
   */
  open(options: Omit<OpenOptions, 'dir' | 'onEvent'>, helper = true): Promise<Kuji> {
    const { seed = 1, disk: wrap, appender } = this.#options
    const process = new SimulatedProcess(++this.#processes, this.time, this.wall)
    const own = new SimulatedDisk(this.disks, process)
    const disk = wrap?.(own, this.device) ?? own
    const { clock } = process
    const onEvent = (event: EngineEvent): void => {
      this.events.push(event)
      this.tell(`${event.type}: ${event.message}`)
    }
    return openIn(
      { ...options, dir: directory, onEvent },
      {
        disk,
        clock,
        random: deterministicRandom(seed * 1000 + this.#processes),
        keeper: (start, tell) => (helper ? new LocalKeeper(start, disk, clock, tell) : noHelper),
        ...(appender === undefined ? {} : { appender }),
      },
    )
  }
}
