import type { Chance } from '../../chance.ts'

/**
 * A file on a simulated device: what programs see (the page cache) apart from what would be there after a power cut.
 * A sector lands whole or not at all, each by itself and in any order.
 */
export class Inode {
  readonly id: number
  readonly #sectorBytes: number
  #cache = new Uint8Array(0)
  #device = new Uint8Array(0)
  #deviceSize = 0
  /** Sectors whose newest bytes the cache alone has. */
  readonly #dirty = new Set<number>()
  /** What the device has where it has lost that the file was emptied, which no sync has made durable yet. */
  #unemptied: { bytes: Uint8Array<ArrayBuffer>; size: number } | null = null
  /** Whether the cache has something that the device lacks and that no flush will bring there. */
  #differs = false
  size = 0

  constructor(id: number, sectorBytes: number) {
    this.id = id
    this.#sectorBytes = sectorBytes
  }

  clone(): Inode {
    const inode = new Inode(this.id, this.#sectorBytes)
    inode.#cache = this.#cache.slice()
    inode.#device = this.#device.slice()
    inode.#deviceSize = this.#deviceSize
    inode.#differs = this.#differs
    inode.size = this.size
    for (const sector of this.#dirty) inode.#dirty.add(sector)
    if (this.#unemptied !== null)
      inode.#unemptied = { bytes: this.#unemptied.bytes.slice(), size: this.#unemptied.size }
    return inode
  }

  /** Whether the device has another size for it than programs see. */
  get sizeIsUnsynced(): boolean {
    return this.size !== this.#deviceSize || this.#unemptied !== null
  }

  /** The sectors that the cache alone has and that differ from what the device has in their place. */
  get unsyncedSectors(): number[] {
    return [...this.#dirty].filter(sector => {
      const from = sector * this.#sectorBytes
      for (let at = from; at < Math.min(from + this.#sectorBytes, this.size); at++)
        if (this.#cache[at] !== (this.#device[at] ?? 0)) return true
      return false
    })
  }

  /** What a power cut would leave that lets these sectors land, and the new size or not. */
  afterCut(landed: ReadonlySet<number>, newSize: boolean): Uint8Array {
    const old = this.#unemptied ?? { bytes: this.#device, size: this.#deviceSize }
    const bytes = new Uint8Array(newSize ? this.size : old.size)
    bytes.set((newSize ? this.#device : old.bytes).subarray(0, bytes.length))
    for (const sector of landed) {
      const from = sector * this.#sectorBytes
      if (from < bytes.length)
        bytes.set(this.#cache.subarray(from, Math.min(from + this.#sectorBytes, bytes.length)), from)
    }
    return bytes
  }

  /** What programs see, to be looked at before it changes. */
  view(): Uint8Array {
    return this.#cache.subarray(0, this.size)
  }

  /** A copy of what programs see. */
  read(most = this.size): Uint8Array {
    return this.#cache.slice(0, Math.min(most, this.size))
  }

  /** What programs see from here on; the device follows with a flush, or not at all. */
  write(bytes: Uint8Array, position: number): void {
    const end = position + bytes.length
    if (end > this.#cache.length) this.#cache = grow(this.#cache, end)
    this.#cache.set(bytes, position)
    this.size = Math.max(this.size, end)
    for (const sector of this.sectorsOf(position, bytes.length)) this.#dirty.add(sector)
  }

  /** Empties it, as opening with O_TRUNC does. The device may have all of it until it is synced. */
  truncate(): void {
    if (this.#deviceSize > 0 && this.#unemptied === null)
      this.#unemptied = { bytes: this.#device.slice(), size: this.#deviceSize }
    this.size = 0
    this.#deviceSize = 0
    this.#dirty.clear()
    this.#cache.fill(0)
    this.#device.fill(0)
  }

  /** Brings all of it to the device, as fsync does. */
  flush(): void {
    for (const sector of this.#dirty) this.#land(sector)
    this.#dirty.clear()
    this.#deviceSize = this.size
    this.#unemptied = null
  }

  /** Brings a range to the device, and what leads to it, as a write with O_DSYNC does. */
  flushRange(position: number, length: number): void {
    for (const sector of this.sectorsOf(position, length)) if (this.#dirty.delete(sector)) this.#land(sector)
    this.#deviceSize = this.size
    if (this.#unemptied !== null) this.#unemptied.size = Math.max(this.#unemptied.size, position + length)
  }

  /** The kernel takes for written what was not, or in part, as a failed flush leaves it (ATC'20, "fsync failures"). */
  forget(position: number, length: number, lands = (): boolean => false): void {
    for (const sector of this.sectorsOf(position, length)) {
      if (!this.#dirty.delete(sector)) continue
      if (lands()) this.#land(sector)
      else this.#differs = true
    }
  }

  #land(sector: number): void {
    const from = sector * this.#sectorBytes
    const to = Math.min(from + this.#sectorBytes, this.#cache.length)
    const bytes = this.#cache.subarray(from, to)
    this.#device = place(bytes, from, this.#device)
    if (this.#unemptied !== null) this.#unemptied.bytes = place(bytes, from, this.#unemptied.bytes)
  }

  /** Of the sectors that only the cache has, some have landed; the rest is lost. Returns which. */
  cutPower(chance: Chance): { readonly landed: readonly number[]; readonly lost: readonly number[] } {
    if (this.#dirty.size === 0 && !this.#differs && !this.sizeIsUnsynced) return { landed: [], lost: [] }
    const part = chance.pick([0, 1, 0.5, chance.unit()])
    const [landed, lost]: [number[], number[]] = [[], []]
    for (const sector of this.#dirty) {
      const lands = chance.happens(part)
      if (lands) this.#land(sector)
      ;(lands ? landed : lost).push(sector)
    }
    this.#dirty.clear()
    if (this.#unemptied !== null && !chance.happens(part)) {
      this.#device = this.#unemptied.bytes
      this.#deviceSize = this.#unemptied.size
    } else if (this.size !== this.#deviceSize && chance.happens(part)) this.#deviceSize = this.size
    this.#unemptied = null
    this.size = this.#deviceSize
    this.#cache = new Uint8Array(Math.max(this.size, this.#device.length))
    this.#cache.set(this.#device.subarray(0, this.#cache.length))
    this.#device = this.#cache.slice()
    this.#differs = false
    return { landed, lost }
  }

  /** Bytes as the device has them, for damage to it. Cache and device are the same only after a power cut. */
  damage(change: (bytes: Uint8Array) => void): void {
    change(this.#device.subarray(0, this.#deviceSize))
    this.#cache.set(this.#device.subarray(0, this.#deviceSize))
  }

  sectorsOf(position: number, length: number): number[] {
    const sectors: number[] = []
    const last = Math.floor((position + length - 1) / this.#sectorBytes)
    for (let sector = Math.floor(position / this.#sectorBytes); sector <= last; sector++) sectors.push(sector)
    return sectors
  }
}

/** Puts bytes into others, which are made longer for it. */
function place(bytes: Uint8Array, position: number, into: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const end = position + bytes.length
  const target = end > into.length ? grow(into, end) : into
  target.set(bytes, position)
  return target
}

function grow(bytes: Uint8Array, least: number): Uint8Array<ArrayBuffer> {
  const grown = new Uint8Array(Math.max(least, 2 * bytes.length, 4096))
  grown.set(bytes)
  return grown
}
