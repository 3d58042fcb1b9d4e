import type { Disk, DiskEntry, DiskFile, DiskLock } from '../../../../packages/engine/src/disk/disk.ts'
import type { FileSet } from './file-set.ts'

export const directory = '/data'

/** Room on the disk: a repair may make files of 64 MiB, and each input would take as long as a hundred others. */
const capacityBytes = 2 * 1024 * 1024

/** A file that grows by half, so that one written piece by piece is not copied for each. */
class MemoryFile {
  #bytes: Uint8Array
  #length: number

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes.slice()
    this.#length = bytes.length
  }

  get length(): number {
    return this.#length
  }

  read(most = this.#length): Uint8Array {
    return this.#bytes.slice(0, Math.min(most, this.#length))
  }

  write(bytes: Uint8Array, position: number): void {
    const end = position + bytes.length
    if (end > this.#bytes.length) {
      const grown = new Uint8Array(end + (end >> 1))
      grown.set(this.#bytes)
      this.#bytes = grown
    }
    this.#bytes.set(bytes, position)
    this.#length = Math.max(this.#length, end)
  }
}

/** A disk with one data directory on it, which fails in no other way than to be full. */
export class MemoryDisk implements Disk {
  readonly #files: Map<string, MemoryFile>
  readonly #directories = new Set([directory, '/'])

  constructor(files: FileSet = new Map()) {
    this.#files = new Map([...files].map(([path, bytes]) => [`${directory}/${path}`, new MemoryFile(bytes)]))
    for (const path of this.#files.keys()) this.#directories.add(path.slice(0, path.lastIndexOf('/')))
  }

  get files(): FileSet {
    return new Map([...this.#files].map(([path, file]) => [path.slice(directory.length + 1), file.read()]))
  }

  async makeDirectory(path: string): Promise<void> {
    this.#directories.add(path)
  }

  async list(path: string): Promise<DiskEntry[]> {
    if (!this.#directories.has(path)) throw absent(path)
    const inside = [...this.#files].filter(([file]) => file.slice(0, file.lastIndexOf('/')) === path)
    return inside.map(([file, { length }]) => ({ name: file.slice(path.length + 1), bytes: length }))
  }

  async read(path: string): Promise<Uint8Array> {
    return this.#find(path).read()
  }

  async readStart(path: string, bytes: number): Promise<Uint8Array> {
    return this.#find(path).read(bytes)
  }

  async create(path: string): Promise<DiskFile> {
    this.#files.set(path, new MemoryFile(new Uint8Array(0)))
    return this.open(path)
  }

  async open(path: string): Promise<DiskFile> {
    const file = this.#find(path)
    return {
      write: async (bytes, position) => {
        const used = [...this.#files.values()].reduce((sum, { length }) => sum + length, 0)
        if (used + bytes.length > capacityBytes) throw Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' })
        file.write(bytes, position)
        return bytes.length
      },
      sync: async () => undefined,
      close: async () => undefined,
    }
  }

  async rename(from: string, to: string): Promise<void> {
    const file = this.#find(from)
    this.#files.delete(from)
    this.#files.set(to, file)
  }

  async remove(path: string): Promise<void> {
    this.#find(path)
    this.#files.delete(path)
  }

  async syncDirectory(): Promise<void> {}

  async lock(): Promise<DiskLock> {
    return { release: async () => undefined }
  }

  async openToOthers(): Promise<boolean> {
    return false
  }

  #find(path: string): MemoryFile {
    const file = this.#files.get(path)
    if (file === undefined) throw absent(path)
    return file
  }
}

function absent(path: string): Error {
  return Object.assign(new Error(`ENOENT: ${path}`), { code: 'ENOENT' })
}
