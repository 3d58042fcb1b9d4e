import { KujiError } from '@kuji/engine'
import type { Disk, DiskEntry, DiskFile, DiskLock } from '../../../../packages/engine/src/disk/disk.ts'
import type { Chance } from '../../chance.ts'
import type { Device } from './device.ts'
import { splitPath, systemError } from './device.ts'
import type { Inode } from './inode.ts'
import type { SimulatedProcess } from './simulated-process.ts'
import type { Trace } from './trace.ts'
import type { VirtualTime } from './virtual-time.ts'

/** What goes wrong with a call. */
export type Misfortune =
  | {
      readonly kind: 'error'
      readonly code: string
      /** Of a write: whether a sector reaches the device all the same. By default none does. */
      readonly lands?: () => boolean
    }
  /** A write takes only so many of its bytes. */
  | { readonly kind: 'short'; readonly bytes: number }

export interface DiskCall {
  readonly name: string
  readonly path: string
  /** Bytes of a write. */
  readonly bytes: number
}

/** What a machine does to calls of its disk. */
export interface DiskWeather {
  /** Milliseconds that the call takes. */
  latency(call: DiskCall): number
  misfortune(call: DiskCall): Misfortune | null
}

/** A call that has been made and has not returned. */
interface CallUnderWay {
  readonly owner: SimulatedProcess
  /** What is left of it where its process is killed, or the power goes, at some moment of it. */
  readonly interrupt: (chance: Chance) => void
  /** Does to a clone of the device what the call does, nothing of it synced. */
  readonly begin: (device: Device) => void
}

export interface MachineParts {
  readonly time: VirtualTime
  readonly device: Device
  readonly weather: DiskWeather
  readonly trace: Trace
  /** Told of each call before it is made; the process may be dead afterwards. */
  readonly onCall: (call: DiskCall) => void
  /** Told of what has gone wrong with a call. */
  readonly onMisfortune?: (what: string) => void
  /** Told of each call that is under way from now on. */
  readonly onBegin?: (call: DiskCall) => void
  /** Told of each call that has done what it does, before its caller is. */
  readonly onReturn?: (call: DiskCall) => void
}

/** The system calls of one machine: its device as processes reach it. */
export class DiskSystem {
  readonly parts: MachineParts
  readonly locks = new Map<string, SimulatedProcess>()
  readonly #underWay = new Set<CallUnderWay>()
  /** Calls that were made. */
  calls = 0

  constructor(parts: MachineParts) {
    this.parts = parts
  }

  /** Whether a call is under way. */
  get isBusy(): boolean {
    return this.#underWay.size > 0
  }

  #tellShort(bytes: number): void {
    this.parts.onMisfortune?.(bytes === 0 ? 'write of nothing' : 'short write')
  }

  #tellError({ name }: DiskCall, { code = '' }: NodeJS.ErrnoException): void {
    // What is asked for and is not there is no fault of the machine.
    if (code !== 'ENOENT' && code !== 'LOCKED') this.parts.onMisfortune?.(`${code} from ${kindOf({ name })}`)
  }

  /** The calls of a process that has just died stop in the middle. */
  interrupt(owner: SimulatedProcess, chance: Chance): void {
    for (const call of this.#underWay) {
      if (call.owner !== owner) continue
      this.#underWay.delete(call)
      call.interrupt(chance)
    }
    for (const [directory, holder] of this.locks) if (holder === owner) this.locks.delete(directory)
  }

  /** A clone of the device as it is in the middle of all calls under way: what they change waits for a sync. */
  deviceInTheMiddle(): Device {
    const device = this.parts.device.clone()
    for (const { begin } of this.#underWay) {
      try {
        begin(device)
      } catch {
        // It would have failed.
      }
    }
    return device
  }

  /**
   * Makes a call: `effect` happens when it returns. A process that is dead by then never hears of it.
   * @param partly what a call that is interrupted may leave; by default it happens or it does not
   * @param begin what it changes on a clone of the device, unsynced; by default nothing
   */
  call<T>(
    owner: SimulatedProcess,
    call: DiskCall,
    effect: (misfortune: Misfortune | null) => T,
    partly: (chance: Chance) => void = chance => void (chance.happens(0.5) && effect(null)),
    begin: (device: Device) => void = () => undefined,
  ): Promise<T> {
    const { time, weather, trace, onCall } = this.parts
    this.calls++
    onCall(call)
    if (!owner.alive) return new Promise(() => undefined)
    return new Promise((resolve, reject) => {
      const underWay: CallUnderWay = {
        owner,
        interrupt(chance) {
          try {
            partly(chance)
          } catch {
            // It would have failed, and nobody is there to be told.
          }
        },
        begin,
      }
      this.#underWay.add(underWay)
      this.parts.onBegin?.(call)
      time.after(weather.latency(call), () => {
        if (!this.#underWay.delete(underWay)) return
        const misfortune = weather.misfortune(call)
        try {
          const result = effect(misfortune)
          this.parts.onReturn?.(call)
          if (trace.on)
            trace.add(time.now, `${owner.id} ${call.name} ${call.path}${tellBytes(call, misfortune)}`)
          if (misfortune?.kind === 'short') this.#tellShort(misfortune.bytes)
          resolve(result)
        } catch (error) {
          trace.add(time.now, `${owner.id} ${call.name} ${call.path}: ${(error as Error).message}`)
          this.#tellError(call, error as NodeJS.ErrnoException)
          reject(error)
        }
      })
    })
  }
}

/** The name of a call without where in a file it is. */
export function kindOf({ name }: Pick<DiskCall, 'name'>): string {
  const end = name.indexOf(' ')
  return end < 0 ? name : name.slice(0, end)
}

function tellBytes({ bytes }: DiskCall, misfortune: Misfortune | null): string {
  if (bytes === 0) return ''
  return misfortune?.kind === 'short' ? ` ${misfortune.bytes} of ${bytes}` : ` ${bytes}`
}

/** The disk of one process: the seam where the engine has its real one. */
export class SimulatedDisk implements Disk {
  readonly #system: DiskSystem
  readonly #owner: SimulatedProcess

  constructor(system: DiskSystem, owner: SimulatedProcess) {
    this.#system = system
    this.#owner = owner
  }

  #call<T>(name: string, path: string, effect: () => T): Promise<T> {
    return this.#system.call(this.#owner, { name, path, bytes: 0 }, misfortune => {
      if (misfortune?.kind === 'error') throw systemError(misfortune.code, path)
      return effect()
    })
  }

  /** A call that changes names. */
  #change<T>(name: string, path: string, effect: (device: Device) => T): Promise<T> {
    const call = { name, path, bytes: 0 }
    const run = (misfortune: Misfortune | null): T => {
      if (misfortune?.kind === 'error') throw systemError(misfortune.code, path)
      return effect(this.#device)
    }
    return this.#system.call(this.#owner, call, run, undefined, effect)
  }

  makeDirectory(path: string): Promise<void> {
    return this.#change('makeDirectory', path, device => device.makeDirectory(path))
  }

  get #device(): Device {
    return this.#system.parts.device
  }

  list(path: string): Promise<DiskEntry[]> {
    return this.#call('list', path, () =>
      [...this.#device.entries(path)].map(([name, { size }]) => ({ name, bytes: size })).reverse(),
    )
  }

  read(path: string): Promise<Uint8Array> {
    return this.#call('read', path, () => this.#device.find(path).read())
  }

  readStart(path: string, bytes: number): Promise<Uint8Array> {
    return this.#call('readStart', path, () => this.#device.find(path).read(bytes))
  }

  create(path: string, { dataSync }: { dataSync: boolean }): Promise<DiskFile> {
    return this.#change(
      'create',
      path,
      device => new SimulatedFile(this.#system, this.#owner, path, device.create(path), dataSync),
    )
  }

  open(path: string, { dataSync }: { dataSync: boolean }): Promise<DiskFile> {
    return this.#call(
      'open',
      path,
      () => new SimulatedFile(this.#system, this.#owner, path, this.#device.find(path), dataSync),
    )
  }

  rename(from: string, to: string): Promise<void> {
    return this.#change('rename', `${from} to ${splitPath(to)[1]}`, device => device.rename(from, to))
  }

  remove(path: string): Promise<void> {
    return this.#change('remove', path, device => device.remove(path))
  }

  syncDirectory(path: string): Promise<void> {
    return this.#call('syncDirectory', path, () => this.#device.syncDirectory(path))
  }

  lock(path: string): Promise<DiskLock> {
    const { locks } = this.#system
    return this.#call('lock', path, () => {
      const holder = locks.get(path)
      if (holder !== undefined)
        throw new KujiError('LOCKED', `${path} is open in process ${holder.id}`, { directory: path })
      locks.set(path, this.#owner)
      return { release: async () => void locks.delete(path) }
    })
  }

  async openToOthers(): Promise<boolean> {
    return false
  }
}

/** An open file of one process. */
export class SimulatedFile implements DiskFile {
  readonly #system: DiskSystem
  readonly #owner: SimulatedProcess
  readonly #path: string
  readonly #inode: Inode
  readonly #dataSync: boolean

  constructor(system: DiskSystem, owner: SimulatedProcess, path: string, inode: Inode, dataSync: boolean) {
    this.#system = system
    this.#owner = owner
    this.#path = path
    this.#inode = inode
    this.#dataSync = dataSync
  }

  get path(): string {
    return this.#path
  }

  write(bytes: Uint8Array, position: number): Promise<number> {
    const { device } = this.#system.parts
    const inode = this.#inode
    const call = {
      name: `write${this.#dataSync ? 'Sync' : ''} @${position}`,
      path: this.#path,
      bytes: bytes.length,
    }
    const effect = (misfortune: Misfortune | null): number => {
      let written = bytes
      if (misfortune?.kind === 'short') written = bytes.subarray(0, misfortune.bytes)
      if (written.length === 0) return 0
      const missing = Math.max(0, position + written.length - inode.size) - device.room
      if (missing >= written.length) throw systemError('ENOSPC', this.#path)
      // What there is room for is written, as write(2) does it; the next one fails.
      if (missing > 0) written = written.subarray(0, written.length - missing)
      inode.write(written, position)
      if (misfortune?.kind === 'error') {
        // The cache has it, the device does not, and the kernel will not try again.
        inode.forget(position, bytes.length, misfortune.lands)
        throw systemError(misfortune.code, this.#path)
      }
      if (this.#dataSync) inode.flushRange(position, written.length)
      return written.length
    }
    const partly = (chance: Chance): void => {
      // The kernel is somewhere in it: some bytes are in the cache, and what of these is on the device is open.
      const part = chance.pick([0, bytes.length, chance.below(bytes.length)])
      if (part > 0) inode.write(bytes.subarray(0, part), position)
    }
    const begin = (clone: Device): void => clone.inode(inode.id)?.write(bytes, position)
    return this.#system.call(this.#owner, call, effect, partly, begin)
  }

  sync(): Promise<void> {
    const inode = this.#inode
    const call = { name: 'sync', path: this.#path, bytes: 0 }
    return this.#system.call(
      this.#owner,
      call,
      misfortune => {
        if (misfortune?.kind === 'error') {
          inode.forget(0, inode.size)
          throw systemError(misfortune.code, this.#path)
        }
        inode.flush()
      },
      () => undefined,
    )
  }

  close(): Promise<void> {
    return this.#system.call(this.#owner, { name: 'close', path: this.#path, bytes: 0 }, () => undefined)
  }
}
