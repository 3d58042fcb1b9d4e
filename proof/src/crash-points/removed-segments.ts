import type { Device } from '../sim/world/device.ts'
import { directory } from '../sim/world/quiet-machine.ts'
import type { DiskCall } from '../sim/world/simulated-disk.ts'

/** Segments that a run has removed, or put aside to be used again: what a reader of the whole log needs to have. */
export class RemovedSegments {
  readonly #segments = new Map<string, Uint8Array>()

  constructor(before: RemovedSegments | null = null) {
    if (before !== null) this.#segments = new Map(before.#segments)
  }

  /** Looks at a call that is about to be made. */
  look({ name, path }: DiskCall, device: Device): void {
    const removed = /\/(segment-\d+\.log)(?: to spare|$)/.exec(path)?.[1]
    if (removed === undefined || (name !== 'remove' && name !== 'rename')) return
    this.#segments.set(removed, device.find(`${directory}/${removed}`).read())
  }

  /** The files of a directory, and the segments that came before those in it. */
  before(files: ReadonlyMap<string, Uint8Array>): Map<string, Uint8Array> {
    const first = [...files.keys()].filter(name => /^segment-\d+\.log$/.test(name)).sort()[0] ?? ''
    const earlier = [...this.#segments].filter(([name]) => name < first)
    return new Map([...earlier, ...files])
  }
}
