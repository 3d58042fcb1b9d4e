import type { Disk, DiskEntry, DiskFile, DiskLock } from '../../src/disk/disk.ts'
import { NodeDisk } from '../../src/disk/node-disk.ts'
import { blockingCalls } from '../../src/disk/system-calls.ts'

/** One operation on the disk, as it is about to happen. */
export interface Call {
  readonly operation: keyof Disk | keyof DiskFile
  /** File name, or directory, without what is before it. */
  readonly name: string
  /** A write's bytes and place. */
  readonly bytes?: Uint8Array
  readonly position?: number
}

/**
 * What becomes of a call: as usual (nothing returned), an error instead of it, or, for a write, only its first `most`
 * bytes, and then success or the error.
 */
export interface Fault {
  readonly error?: Error
  readonly most?: number
}

export type Intercept = (call: Call) => Fault | undefined | Promise<Fault | undefined>

/** An error as the system throws it. */
export function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: as a test would have it`), { code })
}

/** The real disk, with a say in what becomes of every operation. */
export class FaultyDisk implements Disk {
  readonly #disk = new NodeDisk(blockingCalls)
  readonly #intercept: Intercept
  readonly #open = new Set<DiskFile>()
  #lock: DiskLock | null = null
  #dead = false

  constructor(intercept: Intercept) {
    this.#intercept = intercept
  }

  /** Nothing that a dead process was about to do happens, and nothing comes back. */
  async #ask(call: Call): Promise<Fault | undefined> {
    const fault = this.#dead ? undefined : await this.#intercept(call)
    if (this.#dead) await new Promise<never>(() => undefined)
    return fault
  }

  async #meet(operation: Call['operation'], path: string): Promise<void> {
    const fault = await this.#ask({ operation, name: lastName(path) })
    if (fault?.error !== undefined) throw fault.error
  }

  async makeDirectory(path: string): Promise<void> {
    await this.#meet('makeDirectory', path)
    await this.#disk.makeDirectory(path)
  }

  async list(path: string): Promise<DiskEntry[]> {
    await this.#meet('list', path)
    return this.#disk.list(path)
  }

  async read(path: string): Promise<Uint8Array> {
    await this.#meet('read', path)
    return this.#disk.read(path)
  }

  async readStart(path: string, bytes: number): Promise<Uint8Array> {
    await this.#meet('readStart', path)
    return this.#disk.readStart(path, bytes)
  }

  async create(path: string, options: { dataSync: boolean }): Promise<DiskFile> {
    await this.#meet('create', path)
    return this.#wrap(await this.#disk.create(path, options), path)
  }

  async open(path: string, options: { dataSync: boolean }): Promise<DiskFile> {
    await this.#meet('open', path)
    return this.#wrap(await this.#disk.open(path, options), path)
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#meet('rename', to)
    await this.#disk.rename(from, to)
  }

  async remove(path: string): Promise<void> {
    await this.#meet('remove', path)
    await this.#disk.remove(path)
  }

  async syncDirectory(path: string): Promise<void> {
    await this.#meet('syncDirectory', path)
    await this.#disk.syncDirectory(path)
  }

  async lock(path: string): Promise<DiskLock> {
    await this.#meet('lock', path)
    this.#lock = await this.#disk.lock(path)
    return { release: () => this.#unlock() }
  }

  async openToOthers(path: string): Promise<boolean> {
    await this.#meet('openToOthers', path)
    return this.#disk.openToOthers(path)
  }

  #wrap(file: DiskFile, path: string): DiskFile {
    const name = lastName(path)
    this.#open.add(file)
    return {
      write: async (bytes, position) => {
        const fault = await this.#ask({ operation: 'write', name, bytes, position })
        if (fault?.most === undefined && fault?.error !== undefined) throw fault.error
        const part = fault?.most === undefined ? bytes : bytes.subarray(0, fault.most)
        const written = part.length === 0 ? 0 : await file.write(part, position)
        if (fault?.error !== undefined) throw fault.error
        return written
      },
      sync: async () => {
        await this.#meet('sync', path)
        await file.sync()
      },
      close: async () => {
        await this.#meet('close', path)
        this.#open.delete(file)
        await file.close()
      },
    }
  }

  /** The process dies here: the kernel closes its files and drops its lock, and it does nothing any more. */
  async abandon(): Promise<void> {
    this.#dead = true
    // What had been let through before that comes to its end.
    await new Promise(setImmediate)
    for (const file of this.#open) await file.close()
    this.#open.clear()
    await this.#unlock()
  }

  async #unlock(): Promise<void> {
    const lock = this.#lock
    this.#lock = null
    await lock?.release()
  }
}

function lastName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}
