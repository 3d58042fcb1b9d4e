import type { Disk, DiskEntry, DiskFile } from '../../../packages/engine/src/disk/disk.ts'

/** A disk in memory, for very many directories that differ in a bit. Bytes are never changed in place. */
export class MemoryDisk implements Disk {
  readonly #files: Map<string, Uint8Array>

  constructor(files: Iterable<[string, Uint8Array]> = []) {
    this.#files = new Map(files)
  }

  async makeDirectory(): Promise<void> {}

  async list(path: string): Promise<DiskEntry[]> {
    const inside = [...this.#files].filter(([file]) => file.startsWith(`${path}/`))
    return inside.map(([file, { length }]) => ({ name: file.slice(path.length + 1), bytes: length }))
  }

  async read(path: string): Promise<Uint8Array> {
    const bytes = this.#files.get(path)
    if (bytes === undefined) throw Object.assign(new Error(`ENOENT: ${path}`), { code: 'ENOENT' })
    return bytes.slice()
  }

  async readStart(path: string, bytes: number): Promise<Uint8Array> {
    return (await this.read(path)).slice(0, bytes)
  }

  async create(path: string): Promise<DiskFile> {
    this.#files.set(path, new Uint8Array(0))
    return this.#file(path)
  }

  async open(path: string): Promise<DiskFile> {
    await this.read(path)
    return this.#file(path)
  }

  #file(path: string): DiskFile {
    return {
      write: async (bytes, position) => {
        const before = this.#files.get(path)!
        const after = new Uint8Array(Math.max(before.length, position + bytes.length))
        after.set(before)
        after.set(bytes, position)
        this.#files.set(path, after)
        return bytes.length
      },
      sync: async () => undefined,
      close: async () => undefined,
    }
  }

  async rename(from: string, to: string): Promise<void> {
    this.#files.set(to, await this.read(from))
    this.#files.delete(from)
  }

  async remove(path: string): Promise<void> {
    this.#files.delete(path)
  }

  async syncDirectory(): Promise<void> {}

  async lock(): Promise<{ release(): Promise<void> }> {
    return { release: async () => undefined }
  }

  async openToOthers(): Promise<boolean> {
    return false
  }
}
