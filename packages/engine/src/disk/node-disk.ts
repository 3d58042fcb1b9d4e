import { constants } from 'node:fs'
import { dirname } from 'node:path'
import type { Disk, DiskEntry, DiskFile, DiskLock } from './disk.ts'
import { lockDirectory } from './lock.ts'
import type { SystemCalls } from './system-calls.ts'

/** The real disk, over blocking or pooled system calls. */
export class NodeDisk implements Disk {
  readonly #calls: SystemCalls

  constructor(calls: SystemCalls) {
    this.#calls = calls
  }

  async makeDirectory(path: string): Promise<void> {
    const first = await this.#calls.makeDirectory(path)
    if (first === undefined) return
    for (let made = path; made.length >= first.length; made = dirname(made))
      await this.syncDirectory(dirname(made))
  }

  async list(path: string): Promise<DiskEntry[]> {
    const entries: DiskEntry[] = []
    for (const entry of await this.#calls.list(path)) {
      if (!entry.isFile()) continue
      try {
        entries.push({ name: entry.name, bytes: (await this.#calls.status(`${path}/${entry.name}`)).size })
      } catch (error) {
        // Renamed or removed since by the other thread of this process.
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
      }
    }
    return entries
  }

  read(path: string): Promise<Uint8Array> {
    return this.readStart(path, Number.POSITIVE_INFINITY)
  }

  async readStart(path: string, most: number): Promise<Uint8Array> {
    const descriptor = await this.#calls.open(path, constants.O_RDONLY, 0)
    try {
      // A memory of its own, never a slice of Node's pool: typed views over it need its alignment.
      const bytes = new Uint8Array(Math.min(await this.#calls.size(descriptor), most))
      for (let read = 0; read < bytes.length; ) {
        const count = await this.#calls.read(descriptor, bytes, read)
        if (count === 0) return bytes.subarray(0, read)
        read += count
      }
      return bytes
    } catch (error) {
      throw withPath(error, path)
    } finally {
      await this.#calls.close(descriptor)
    }
  }

  create(path: string, options: { dataSync: boolean }): Promise<DiskFile> {
    return this.#file(path, constants.O_CREAT | constants.O_TRUNC, options.dataSync)
  }

  open(path: string, options: { dataSync: boolean }): Promise<DiskFile> {
    return this.#file(path, 0, options.dataSync)
  }

  async #file(path: string, creation: number, dataSync: boolean): Promise<DiskFile> {
    const flags = constants.O_WRONLY | creation | (dataSync ? constants.O_DSYNC : 0)
    return new NodeFile(this.#calls, await this.#calls.open(path, flags, 0o600))
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#calls.rename(from, to)
  }

  async remove(path: string): Promise<void> {
    await this.#calls.remove(path)
  }

  async syncDirectory(path: string): Promise<void> {
    const descriptor = await this.#calls.open(path, constants.O_RDONLY, 0)
    try {
      await this.#calls.sync(descriptor)
    } finally {
      await this.#calls.close(descriptor)
    }
  }

  async lock(path: string): Promise<DiskLock> {
    return lockDirectory(path)
  }

  async openToOthers(path: string): Promise<boolean> {
    return ((await this.#calls.status(path)).mode & 0o077) !== 0
  }
}

/** The error of a call on a descriptor, which Node cannot name the file of. */
function withPath(error: unknown, path: string): unknown {
  if (!(error instanceof Error)) return error
  error.message += ` '${path}'`
  return Object.assign(error, { path })
}

/** A file of this process; its descriptor means the same on every thread. */
export class NodeFile implements DiskFile {
  readonly #calls: SystemCalls
  readonly descriptor: number

  constructor(calls: SystemCalls, descriptor: number) {
    this.#calls = calls
    this.descriptor = descriptor
  }

  async write(bytes: Uint8Array, position: number): Promise<number> {
    return this.#calls.write(this.descriptor, bytes, position)
  }

  async sync(): Promise<void> {
    await this.#calls.sync(this.descriptor)
  }

  async close(): Promise<void> {
    await this.#calls.close(this.descriptor)
  }
}
