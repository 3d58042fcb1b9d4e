import type { Device } from './world/device.ts'
import type { DiskCall } from './world/simulated-disk.ts'

/** Segments that a run has removed, or put aside to be used again: what a reader of the whole log needs to have. */
export class RemovedSegments {
  readonly #segments = new Map<string, Uint8Array>()

  constructor(before: RemovedSegments | null = null) {
    if (before !== null) this.#segments = new Map(before.#segments)
  }

  /** Looks at a call that is about to be made. */
  look({ name, path }: DiskCall, device: Device): void {
    if (name !== 'remove' && name !== 'rename') return
    const [, directory, removed] = /^(.*)\/(segment-\d+\.log)(?: to spare|$)/.exec(path) ?? []
    if (directory === undefined || removed === undefined) return
    const inode = device.entries(directory).get(removed)
    if (inode !== undefined) this.#segments.set(removed, inode.read())
  }

  /** The files of a directory, and the segments that came before those in it. */
  before(files: ReadonlyMap<string, Uint8Array>): Map<string, Uint8Array> {
    const first = [...files.keys()].filter(name => /^segment-\d+\.log$/.test(name)).sort()[0] ?? ''
    const earlier = [...this.#segments].filter(([name]) => name < first)
    return new Map([...earlier, ...files])
  }
}
