import type { Chance } from '../../chance.ts'
import { Inode } from './inode.ts'

/** A change of names that no sync of their directories has made durable yet: one goes, another one comes. */
export interface NameChange {
  /** Path, or ''. */
  readonly gone: string
  readonly come: { readonly path: string; readonly inode: Inode } | null
}

/** Files by name, by directory: what a device holds when nothing on it waits for a sync. */
export type Names = Map<string, Map<string, Inode>>

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

/** What a power cut did to what was not synced. */
interface PowerCut {
  /** Sectors. */
  landed: number
  lost: number
  /** Files of which a sector landed, and an earlier one did not. */
  overtaken: number
  /** Changes of names that were lost. */
  names: number
}

/** The contents of files by name, by directory. */
export type FilesOnDevice = ReadonlyMap<string, ReadonlyMap<string, Uint8Array>>

/** A disk of directories and files that outlives processes and power cuts, as far as a disk does. */
export class Device {
  readonly #options: DeviceOptions
  /** Names as programs see them, by directory. */
  #names: Names = new Map()
  /** Names as they would be after a power cut. */
  #durable: Names = new Map()
  #changes: NameChange[] = []
  #inodes = 0
  /** Bytes that files may take in all. */
  capacity = Number.POSITIVE_INFINITY

  constructor(options: DeviceOptions) {
    this.#options = options
  }

  /** A device that holds these files and has nothing under way. */
  static holding(files: FilesOnDevice, options: DeviceOptions): Device {
    const device = new Device(options)
    for (const [directory, contents] of files) {
      device.makeDirectory(directory)
      for (const [name, bytes] of contents) {
        const inode = new Inode(++device.#inodes, options.sectorBytes)
        inode.write(bytes, 0)
        inode.flush()
        device.#names.get(directory)!.set(name, inode)
        device.#durable.get(directory)!.set(name, inode)
      }
    }
    return device
  }

  /** A device in the same condition, to go another way from here. */
  clone(): Device {
    const device = new Device(this.#options)
    const clones = new Map<Inode, Inode>()
    const cloneOf = (inode: Inode): Inode => {
      const known = clones.get(inode) ?? inode.clone()
      clones.set(inode, known)
      return known
    }
    const copy = (all: Names): Names =>
      new Map(
        [...all].map(([directory, names]) => [
          directory,
          new Map([...names].map(([name, inode]) => [name, cloneOf(inode)])),
        ]),
      )
    device.#names = copy(this.#names)
    device.#durable = copy(this.#durable)
    device.#changes = this.#changes.map(({ gone, come }) => ({
      gone,
      come: come && { path: come.path, inode: cloneOf(come.inode) },
    }))
    device.#inodes = this.#inodes
    device.capacity = this.capacity
    return device
  }

  /** The changes of names that a power cut may leave or take, in the order in which they were made. */
  get unsyncedNames(): readonly NameChange[] {
    return this.#changes
  }

  get used(): number {
    let bytes = 0
    for (const names of this.#names.values()) for (const { size } of names.values()) bytes += size
    return bytes
  }

  /** Bytes that files can still grow by. */
  get room(): number {
    return this.capacity === Number.POSITIVE_INFINITY ? this.capacity : Math.max(0, this.capacity - this.used)
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

  /** The file of this number, whatever its name; undefined where no name leads to it any more. */
  inode(id: number): Inode | undefined {
    for (const names of this.#names.values())
      for (const inode of names.values()) if (inode.id === id) return inode
    return undefined
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
    if (this.room === 0) throw systemError('ENOSPC', path)
    const inode = new Inode(++this.#inodes, this.#options.sectorBytes)
    this.#change({ gone: '', come: { path, inode } })
    return inode
  }

  /** Gives a file a name for good, in the place of whatever had it. */
  put(path: string, inode: Inode): void {
    const change = { gone: '', come: { path, inode } }
    applyChange(change, this.#names)
    applyChange(change, this.#durable)
  }

  rename(from: string, to: string): void {
    const inode = this.find(from)
    this.entries(splitPath(to)[0])
    this.#change({ gone: from, come: { path: to, inode } })
  }

  remove(path: string): void {
    this.find(path)
    this.#change({ gone: path, come: null })
  }

  #change(change: NameChange): void {
    applyChange(change, this.#names)
    this.#changes.push(change)
  }

  syncDirectory(path: string): void {
    this.entries(path)
    const touches = (change: NameChange): boolean => directoriesOf(change).includes(path)
    for (const change of this.#changes) if (touches(change)) applyChange(change, this.#durable)
    this.#changes = this.#changes.filter(change => !touches(change))
  }

  /** The names that there are after a power cut that leaves some of the changes: those whose place is kept. */
  namesAfterCut(isKept: (place: number) => boolean): Names {
    const names: Names = new Map(
      [...this.#durable].map(([directory, entries]) => [directory, new Map(entries)]),
    )
    for (const [place, change] of this.#changes.entries()) if (isKept(place)) applyChange(change, names)
    return names
  }

  /** The power goes: what was never synced is there, or not. */
  cutPower(): PowerCut {
    const { chance, nameOrder } = this.#options
    const upTo = chance.below(this.#changes.length + 1)
    const cuts: PowerCut = { landed: 0, lost: 0, overtaken: 0, names: 0 }
    this.#durable = this.namesAfterCut(place => {
      const isKept = nameOrder === 'journal' ? place < upTo : chance.happens(0.5)
      if (!isKept) cuts.names++
      return isKept
    })
    this.#changes = []
    const cut = new Set<Inode>()
    for (const [directory, durable] of this.#durable) {
      this.#names.set(directory, new Map(durable))
      for (const inode of durable.values()) {
        if (cut.has(inode)) continue
        cut.add(inode)
        const { landed, lost } = inode.cutPower(chance)
        cuts.landed += landed.length
        cuts.lost += lost.length
        if (Math.max(...landed) > Math.min(...lost)) cuts.overtaken++
      }
    }
    return cuts
  }
}

/** One, or two where a file goes from one to another. */
function directoriesOf({ gone, come }: NameChange): string[] {
  return [gone, come?.path ?? ''].filter(path => path !== '').map(path => splitPath(path)[0])
}

function applyChange({ gone, come }: NameChange, all: Names): void {
  if (gone !== '') {
    const [directory, name] = splitPath(gone)
    all.get(directory)!.delete(name)
  }
  if (come === null) return
  const [directory, name] = splitPath(come.path)
  all.get(directory)!.set(name, come.inode)
}

export function splitPath(path: string): [directory: string, name: string] {
  const slash = path.lastIndexOf('/')
  return [path.slice(0, slash), path.slice(slash + 1)]
}

export function systemError(code: string, path: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: ${path}`), { code })
}
