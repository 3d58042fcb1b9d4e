import type { Chance } from './chance.ts'
import { Inode } from './inode.ts'

/** A change of names that no sync of its directory has made durable yet. */
interface NameChange {
  /** One, or two where a file goes from one to another. */
  readonly directories: readonly string[]
  readonly apply: (namesOf: (directory: string) => Map<string, Inode>) => void
}

export interface DeviceOptions {
  /** 512 or 4096. */
  readonly sectorBytes: number
  /**
   * Which of the changes of names without a sync a power cut leaves: those up to some moment, as a journal does, or any
   * of them, which is all that POSIX promises.
   */
  readonly nameOrder: 'journal' | 'any'
  readonly chance: Chance
}

/** A disk of directories and files that outlives processes and power cuts, as far as a disk does. */
export class Device {
  readonly #options: DeviceOptions
  /** Names as programs see them, by directory. */
  readonly #names = new Map<string, Map<string, Inode>>()
  /** Names as they would be after a power cut. */
  readonly #durable = new Map<string, Map<string, Inode>>()
  #changes: NameChange[] = []
  #inodes = 0
  /** Bytes that files may take in all. */
  capacity = Number.POSITIVE_INFINITY

  constructor(options: DeviceOptions) {
    this.#options = options
  }

  get used(): number {
    let bytes = 0
    for (const names of this.#names.values()) for (const { size } of names.values()) bytes += size
    return bytes
  }

  hasDirectory(path: string): boolean {
    return this.#names.has(path)
  }

  makeDirectory(path: string): void {
    if (this.#names.has(path)) return
    this.#names.set(path, new Map())
    this.#durable.set(path, new Map())
  }

  /** Names and files of a directory. Throws ENOENT. */
  entries(directory: string): ReadonlyMap<string, Inode> {
    const names = this.#names.get(directory)
    if (names === undefined) throw systemError('ENOENT', directory)
    return names
  }

  /** All files below a directory, by their path from there, as programs see them. */
  filesBelow(directory: string): Map<string, Uint8Array> {
    const files = new Map<string, Uint8Array>()
    for (const [path, names] of this.#names) {
      if (path !== directory && !path.startsWith(`${directory}/`)) continue
      for (const [name, inode] of names)
        files.set(`${path}/${name}`.slice(directory.length + 1), inode.read())
    }
    return files
  }

  find(path: string): Inode {
    const [directory, name] = splitPath(path)
    const inode = this.entries(directory).get(name)
    if (inode === undefined) throw systemError('ENOENT', path)
    return inode
  }

  create(path: string): Inode {
    const [directory, name] = splitPath(path)
    const existing = this.entries(directory).get(name)
    if (existing !== undefined) {
      existing.truncate()
      return existing
    }
    const inode = new Inode(++this.#inodes, this.#options.sectorBytes)
    this.#change({ directories: [directory], apply: namesOf => namesOf(directory).set(name, inode) })
    return inode
  }

  rename(from: string, to: string): void {
    const inode = this.find(from)
    const [directory, name] = splitPath(to)
    const [before, old] = splitPath(from)
    this.entries(directory)
    this.#change({
      directories: [before, directory],
      apply: namesOf => {
        namesOf(before).delete(old)
        namesOf(directory).set(name, inode)
      },
    })
  }

  remove(path: string): void {
    this.find(path)
    const [directory, name] = splitPath(path)
    this.#change({ directories: [directory], apply: namesOf => namesOf(directory).delete(name) })
  }

  readonly #durableNames = (directory: string): Map<string, Inode> => this.#durable.get(directory)!

  #change(change: NameChange): void {
    change.apply(directory => this.#names.get(directory)!)
    this.#changes.push(change)
  }

  syncDirectory(path: string): void {
    this.entries(path)
    for (const { directories, apply } of this.#changes)
      if (directories.includes(path)) apply(this.#durableNames)
    this.#changes = this.#changes.filter(({ directories }) => !directories.includes(path))
  }

  /** The power goes: what was never synced is there, or not. */
  cutPower(): void {
    const { chance, nameOrder } = this.#options
    const upTo = chance.below(this.#changes.length + 1)
    for (const [place, { apply }] of this.#changes.entries()) {
      const kept = nameOrder === 'journal' ? place < upTo : chance.happens(0.5)
      if (kept) apply(this.#durableNames)
    }
    this.#changes = []
    const cut = new Set<Inode>()
    for (const [directory, durable] of this.#durable) {
      this.#names.set(directory, new Map(durable))
      for (const inode of durable.values()) {
        if (!cut.has(inode)) inode.cutPower(chance)
        cut.add(inode)
      }
    }
  }
}

export function splitPath(path: string): [directory: string, name: string] {
  const slash = path.lastIndexOf('/')
  return [path.slice(0, slash), path.slice(slash + 1)]
}

export function systemError(code: string, path: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: ${path}`), { code })
}
