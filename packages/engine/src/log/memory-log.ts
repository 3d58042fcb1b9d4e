import type { AppendOutcome, Log } from './log.ts'

/** Durability `none`: batches are decided and forgotten. */
export class MemoryLog implements Log {
  readonly keeps = false
  readonly room = Number.POSITIVE_INFINITY
  readonly #durable: Promise<AppendOutcome> = Promise.resolve('durable')

  async makeRoom(): Promise<string> {
    return ''
  }

  fits(): boolean {
    return true
  }

  rotate(): void {}

  append(): Promise<AppendOutcome> {
    return this.#durable
  }

  async close(): Promise<void> {}
}
