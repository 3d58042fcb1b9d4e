import { createHash } from 'node:crypto'
import type { Chance } from '../chance.ts'
import { type Device, type FilesOnDevice, splitPath } from '../sim/world/device.ts'
import type { Inode } from '../sim/world/inode.ts'

/** Something that a power cut takes or leaves, by itself. */
type Unsynced =
  | { readonly kind: 'name'; readonly place: number; readonly what: string }
  | { readonly kind: 'sector'; readonly inode: Inode; readonly sector: number; readonly what: string }
  | { readonly kind: 'size'; readonly inode: Inode; readonly what: string }

/** What a device may hold after a power cut. */
export interface DiskState {
  /** Which of what was not synced is there: a bit for each, the first the lowest. */
  readonly kept: bigint
  readonly files: FilesOnDevice
  /** The same for states between which recovery cannot tell a difference. */
  readonly key: string
}

/**
 * Files that recovery removes, or lets lie, without reading them: of these the name alone is part of a state. That it
 * is so is looked after at each start (see `check-state.ts`).
 */
const unread = /\.(?:tmp|broken)$/

export function isUnread(name: string): boolean {
  return unread.test(name)
}

/** The states that a power cut may leave a device in. */
export class DiskStates {
  readonly #device: Device
  readonly #unsynced: readonly Unsynced[]
  readonly #hashes = new Map<Inode, Map<string, { readonly bytes: Uint8Array; readonly hash: string }>>()

  constructor(device: Device) {
    this.#device = device
    this.#unsynced = listUnsynced(device)
  }

  /** How many subsets there are of what is not synced. */
  get possible(): number {
    return 2 ** this.#unsynced.length
  }

  /** Everything: what a process that is killed leaves to the kernel. */
  get all(): bigint {
    return (1n << BigInt(this.#unsynced.length)) - 1n
  }

  /**
   * All subsets where there are no more than `most`; otherwise none, all, each alone and each missing, as many as are
   * wanted, and chance adds the rest.
   */
  *subsets(most: number, chance: Chance): Generator<bigint> {
    const bits = BigInt(this.#unsynced.length)
    const { all } = this
    if (this.possible <= most) {
      for (let kept = 0n; kept <= all; kept++) yield kept
      return
    }
    const chosen = new Set<bigint>([0n, all])
    for (let bit = 0n; bit < bits && chosen.size < most; bit++) chosen.add(1n << bit).add(all ^ (1n << bit))
    while (chosen.size < most) {
      let kept = 0n
      for (let bit = 0n; bit < bits; bit++) if (chance.happens(0.5)) kept |= 1n << bit
      chosen.add(kept)
    }
    let left = most
    for (const kept of chosen) if (left-- > 0) yield kept
  }

  /** The subset that has everything but every other sector, from the second one on. */
  get torn(): bigint {
    let kept = 0n
    let sectors = 0
    for (const [index, { kind }] of this.#unsynced.entries())
      if (kind !== 'sector' || sectors++ % 2 === 0) kept |= 1n << BigInt(index)
    return kept
  }

  /** The device as it is when this subset has become durable. */
  state(kept: bigint): DiskState {
    const isKept = (index: number): boolean => ((kept >> BigInt(index)) & 1n) === 1n
    const places = new Set<number>()
    const landed = new Map<Inode, Set<number>>()
    const resized = new Set<Inode>()
    for (const [index, each] of this.#unsynced.entries()) {
      if (!isKept(index)) continue
      if (each.kind === 'name') places.add(each.place)
      else if (each.kind === 'size') resized.add(each.inode)
      else landed.set(each.inode, (landed.get(each.inode) ?? new Set()).add(each.sector))
    }
    const files = new Map<string, Map<string, Uint8Array>>()
    const key = createHash('sha1')
    const names = this.#device.namesAfterCut(place => places.has(place))
    for (const [directory, entries] of [...names].sort(([a], [b]) => (a < b ? -1 : 1))) {
      const contents = new Map<string, Uint8Array>()
      key.update(`${directory}/\n`)
      for (const [name, inode] of [...entries].sort(([a], [b]) => (a < b ? -1 : 1))) {
        const { bytes, hash } = this.#content(inode, landed.get(inode) ?? new Set(), resized.has(inode))
        contents.set(name, bytes)
        key.update(isUnread(name) ? `${name}\n` : `${name} ${hash}\n`)
      }
      files.set(directory, contents)
    }
    return { kept, files, key: key.digest('base64') }
  }

  #content(inode: Inode, landed: ReadonlySet<number>, newSize: boolean) {
    const known = this.#hashes.get(inode) ?? new Map()
    this.#hashes.set(inode, known)
    const name = `${[...landed].join()} ${newSize}`
    let content = known.get(name)
    if (content === undefined) {
      const bytes = inode.afterCut(landed, newSize)
      content = { bytes, hash: createHash('sha1').update(bytes).digest('base64') }
      known.set(name, content)
    }
    return content
  }

  /** What of the unsynced is there, and what is not. */
  describe(kept: bigint): string {
    const split = (wanted: bigint): string =>
      this.#unsynced
        .filter((_, index) => ((kept >> BigInt(index)) & 1n) === wanted)
        .map(({ what }) => what)
        .join(', ') || 'nothing'
    return `there: ${split(1n)}; not there: ${split(0n)}`
  }
}

function listUnsynced(device: Device): Unsynced[] {
  const unsynced: Unsynced[] = []
  const files = new Map<Inode, string>()
  for (const names of device.namesAfterCut(() => false).values())
    for (const [name, inode] of names) if (!isUnread(name)) files.set(inode, name)
  for (const [place, { gone, come }] of device.unsyncedNames.entries()) {
    const what = [gone === '' ? '' : `${gone} gone`, come === null ? '' : `${come.path} come`].filter(Boolean)
    unsynced.push({ kind: 'name', place, what: what.join(' and ') })
    if (come === null) continue
    const [, name] = splitPath(come.path)
    if (!isUnread(name)) files.set(come.inode, name)
  }
  for (const [inode, name] of files) {
    for (const sector of inode.unsyncedSectors)
      unsynced.push({ kind: 'sector', inode, sector, what: `sector ${sector} of ${name}` })
    if (inode.sizeIsUnsynced) unsynced.push({ kind: 'size', inode, what: `the size of ${name}` })
  }
  return unsynced
}
