import type { DiskFile } from '../disk/disk.ts'
import { writeFully } from '../disk/disk.ts'
import { terminatorBytes } from '../record/batch.ts'
import { frameBatch, hashBatch } from './frame.ts'

/** Frames batches (chain hash and CRC) and writes them, one at a time. */
export interface Appender {
  /** Writes a batch with its terminator. Throws the disk's error; nothing may be appended after that. */
  append(file: DiskFile, seed: number, batch: Uint8Array, position: number): Promise<void>
  close(): Promise<void>
}

/** An appender on the caller's thread, over any disk. */
export class InlineAppender implements Appender {
  #lastHash: Uint8Array

  constructor(lastHash: Uint8Array) {
    this.#lastHash = lastHash
  }

  async append(file: DiskFile, seed: number, batch: Uint8Array, position: number): Promise<void> {
    const content = batch.subarray(0, batch.length - terminatorBytes)
    frameBatch(content, this.#lastHash, seed)
    const written = writeFully(file, batch, position)
    // While the write is under way.
    this.#lastHash = hashBatch(content)
    await written
  }

  async close(): Promise<void> {}
}
