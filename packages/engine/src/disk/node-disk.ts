import * as fs from 'node:fs'
import { join } from 'node:path'
import type { Disk, DiskEntry, DiskFile, DiskLock } from './disk.ts'
import { lockDirectory } from './lock.ts'

/**
 * The real disk. Everything but `write` blocks its thread: it happens at the start, at the end, or on the helper
 * thread, and so never takes a place in libuv's pool of four threads, which the log's writes need.
 */
export function nodeDisk(options: { blockingWrites: boolean }): Disk {
  return new NodeDisk(options.blockingWrites)
}

class NodeDisk implements Disk {
  readonly #blockingWrites: boolean

  constructor(blockingWrites: boolean) {
    this.#blockingWrites = blockingWrites
  }

  async makeDirectory(path: string): Promise<void> {
    fs.mkdirSync(path, { recursive: true, mode: 0o700 })
  }

  async list(path: string): Promise<DiskEntry[]> {
    const entries = fs.readdirSync(path, { withFileTypes: true })
    return entries
      .filter(entry => entry.isFile())
      .map(({ name }) => ({ name, bytes: fs.statSync(join(path, name)).size }))
  }

  async read(path: string): Promise<Uint8Array> {
    return readBytes(path, Number.POSITIVE_INFINITY)
  }

  async readStart(path: string, bytes: number): Promise<Uint8Array> {
    return readBytes(path, bytes)
  }

  async create(path: string): Promise<DiskFile> {
    return this.#file(fs.openSync(path, 'w', 0o600))
  }

  async open(path: string, { dataSync }: { dataSync: boolean }): Promise<DiskFile> {
    return this.#file(fs.openSync(path, fs.constants.O_WRONLY | (dataSync ? fs.constants.O_DSYNC : 0)))
  }

  #file(descriptor: number): DiskFile {
    return this.#blockingWrites ? new BlockingFile(descriptor) : new PooledFile(descriptor)
  }

  async rename(from: string, to: string): Promise<void> {
    fs.renameSync(from, to)
  }

  async remove(path: string): Promise<void> {
    fs.rmSync(path)
  }

  async syncDirectory(path: string): Promise<void> {
    const descriptor = fs.openSync(path, 'r')
    try {
      fs.fsyncSync(descriptor)
    } finally {
      fs.closeSync(descriptor)
    }
  }

  async lock(path: string): Promise<DiskLock> {
    return lockDirectory(path)
  }

  async openToOthers(path: string): Promise<boolean> {
    return (fs.statSync(path).mode & 0o077) !== 0
  }
}

function readBytes(path: string, most: number): Uint8Array {
  const descriptor = fs.openSync(path, 'r')
  try {
    const size = Math.min(fs.fstatSync(descriptor).size, most)
    // A memory of its own, never a slice of Node's pool: typed views over it need its alignment.
    const bytes = new Uint8Array(size)
    let read = 0
    while (read < size) {
      const count = fs.readSync(descriptor, bytes, read, size - read, read)
      if (count === 0) return bytes.subarray(0, read)
      read += count
    }
    return bytes
  } finally {
    fs.closeSync(descriptor)
  }
}

class BlockingFile implements DiskFile {
  protected readonly descriptor: number

  constructor(descriptor: number) {
    this.descriptor = descriptor
  }

  async write(bytes: Uint8Array, position: number): Promise<number> {
    return fs.writeSync(this.descriptor, bytes, 0, bytes.length, position)
  }

  async sync(): Promise<void> {
    fs.fsyncSync(this.descriptor)
  }

  async close(): Promise<void> {
    fs.closeSync(this.descriptor)
  }
}

class PooledFile extends BlockingFile {
  override write(bytes: Uint8Array, position: number): Promise<number> {
    return new Promise((resolve, reject) => {
      fs.write(this.descriptor, bytes, 0, bytes.length, position, (error, written) => {
        if (error === null) resolve(written)
        else reject(error)
      })
    })
  }
}
