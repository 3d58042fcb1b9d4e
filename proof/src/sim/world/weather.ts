import type { Chance } from '../../chance.ts'
import type { Plan } from '../plan.ts'
import type { Counts } from './counts.ts'
import type { Device } from './device.ts'
import { type DiskCall, type DiskWeather, kindOf, type Misfortune } from './simulated-disk.ts'
import type { WallClock } from './simulated-process.ts'
import type { VirtualTime } from './virtual-time.ts'

const yearMs = 365 * 86_400_000

/** Calls that can fail like this, and how the machine words it. */
const errorsOf: readonly (readonly [RegExp, readonly string[]])[] = [
  [/^write|^sync/, ['EIO', 'EIO', 'EDQUOT', 'EROFS']],
  [/^read/, ['EIO']],
  [/^create/, ['EMFILE', 'EACCES', 'EROFS', 'EIO', 'EDQUOT']],
  [/^open/, ['EMFILE', 'EACCES', 'EROFS', 'EIO']],
  [/^rename/, ['EIO', 'EROFS', 'EDQUOT']],
  [/^remove/, ['EIO', 'EROFS']],
  [/^makeDirectory/, ['EIO', 'EROFS', 'EACCES', 'EDQUOT']],
  [/^list/, ['EIO', 'EACCES']],
]

/** Calls that give something a name, for which a directory may need another block. */
const naming = /^create|^rename|^makeDirectory/
/** How often there is none for it while the device is full. */
const fullForNames = 0.1

/** Calls that fail once, and then work as if nothing had been: syncs are what that does most harm to. */
const lapses = [
  ...['sync', 'sync', 'sync', 'syncDirectory', 'writeSync', 'writeSync', 'write', 'create', 'open'],
  ...['rename', 'remove'],
]
/** Calls that some machines are slow at, whatever the others take, and how many times as long they take there. */
const slowCalls = ['syncDirectory', 'syncDirectory', 'syncDirectory', 'sync', 'writeSync', 'rename', 'read']
const slowTimes = [100, 3000] as const

/** How the machine behaves: slow, failing and full, in episodes, as the plan has it. */
export class Weather implements DiskWeather {
  readonly #plan: Plan
  readonly #time: VirtualTime
  readonly #device: Device
  readonly #wall: WallClock
  readonly #latency: Chance
  readonly #errors: Chance
  readonly #episodes: Chance
  readonly #chances: (stream: string) => Chance
  readonly #counts: Counts
  readonly #paces = new Map<string, number>()
  #slowness = 1
  #failing = false
  /** The kind of call whose next one fails, alone; or ''. */
  #lapse = ''
  #slowCall = ''
  #slowCallTimes = 1
  #calm = false

  constructor(
    plan: Plan,
    chances: (stream: string) => Chance,
    machine: { time: VirtualTime; device: Device; wall: WallClock; counts: Counts },
  ) {
    this.#counts = machine.counts
    this.#plan = plan
    this.#time = machine.time
    this.#device = machine.device
    this.#wall = machine.wall
    this.#chances = chances
    this.#latency = chances('latency')
    this.#errors = chances('errors')
    this.#episodes = chances('episodes')
    const { faults } = plan
    if (faults.has('slow') && this.#episodes.happens(0.7)) {
      this.#slowCall = this.#episodes.pick(slowCalls)
      this.#slowCallTimes = this.#episodes.spread(...slowTimes)
      this.#counts.add(`fault: slow ${this.#slowCall}`)
    }
    if (faults.has('lapse'))
      this.#repeat(
        () => (this.#lapse = this.#episodes.pick(lapses)),
        () => undefined,
      )
    if (faults.has('slow'))
      this.#repeat(
        () => this.#slow(),
        () => (this.#slowness = 1),
      )
    if (faults.has('errors'))
      this.#repeat(
        () => (this.#failing = true),
        () => (this.#failing = false),
      )
    if (faults.has('full'))
      this.#repeat(
        () => this.#fill(),
        () => this.#empty(),
      )
    if (faults.has('clock'))
      this.#repeat(
        () => this.#setClock(),
        () => this.#setClock(),
      )
  }

  /** Nothing goes wrong any more. */
  calm(): void {
    this.#calm = true
    this.#slowness = 1
    this.#failing = false
    this.#empty()
  }

  /** One episode after the other. */
  #repeat(begin: () => void, end: () => void): void {
    const { pause, length } = this.#plan.episodes
    this.#time.after(this.#episodes.wait(pause), () => {
      if (this.#calm) return
      begin()
      this.#time.after(this.#episodes.wait(length), () => {
        if (this.#calm) return
        end()
        this.#repeat(begin, end)
      })
    })
  }

  #slow(): void {
    this.#counts.add('fault: slow disk for a while')
    this.#slowness = this.#episodes.spread(10, 20_000)
  }

  #fill(): void {
    this.#counts.add('fault: full device for a while')
    this.#device.capacity = this.#device.used + this.#episodes.below(2 * this.#plan.segmentBytes)
  }

  #empty(): void {
    this.#device.capacity = Number.POSITIVE_INFINITY
  }

  #setClock(): void {
    this.#counts.add('fault: clock set')
    this.#wall.ahead =
      this.#episodes.pick([0, -1, 1, 60, -3600, 90_000_000, -yearMs / 1000, yearMs / 100]) * 1000
  }

  latency({ name, bytes }: DiskCall): number {
    const { latency } = this.#plan
    const isSlow = kindOf({ name }) === this.#slowCall && !this.#calm
    const times = isSlow ? Math.max(this.#slowness, this.#slowCallTimes) : this.#slowness
    return (this.#latency.wait(latency) * this.#paceOf(name) + bytes * 1e-6) * times
  }

  /** Machines differ in which calls are slow: what overtakes what depends on it. */
  #paceOf(name: string): number {
    const kind = kindOf({ name })
    let pace = this.#paces.get(kind)
    if (pace === undefined) {
      pace = this.#chances(`pace of ${kind}`).spread(0.1, 10)
      this.#paces.set(kind, pace)
    }
    return pace
  }

  misfortune({ name, path, bytes }: DiskCall): Misfortune | null {
    const { faults, errorRate } = this.#plan
    if (this.#calm || (name === 'makeDirectory' && this.#device.hasDirectory(path))) return null
    const isFull = this.#device.capacity < Number.POSITIVE_INFINITY
    if (isFull && naming.test(name) && this.#errors.happens(fullForNames))
      return { kind: 'error', code: 'ENOSPC' }
    if (this.#lapse !== '' && kindOf({ name }) === this.#lapse) return this.#lapseNow()
    if (this.#failing && this.#errors.happens(errorRate)) {
      const codes = errorsOf.find(([pattern]) => pattern.test(name))?.[1]
      if (codes !== undefined) {
        const part = this.#errors.pick([0, 0, 0.5, 1])
        return { kind: 'error', code: this.#errors.pick(codes), lands: () => this.#errors.happens(part) }
      }
    }
    if (bytes > 1 && faults.has('short') && this.#errors.happens(0.05))
      return { kind: 'short', bytes: this.#errors.happens(0.01) ? 0 : this.#errors.between(1, bytes - 1) }
    return null
  }

  /** What was not synced is lost by it, and the next call says that all is well (ATC'20, "fsync failures"). */
  #lapseNow(): Misfortune {
    this.#counts.add(`fault: ${this.#lapse} fails once`)
    this.#lapse = ''
    const part = this.#errors.pick([0, 0, 0.5, 1])
    return { kind: 'error', code: 'EIO', lands: () => this.#errors.happens(part) }
  }
}
