/**
 * Errors of this thread that nobody catches: those thrown where no caller is left, and rejections of promises that
 * nobody waits for.
 */
export class UncaughtErrors {
  /** Rejects with the first one. */
  readonly first: Promise<never>
  readonly #hear: (error: unknown) => void

  constructor() {
    let hear!: (error: unknown) => void
    this.first = new Promise((_, reject) => {
      hear = reject
    })
    this.first.catch(() => undefined)
    this.#hear = error => hear(error instanceof Error ? error : new Error(String(error)))
    process.on('uncaughtException', this.#hear)
  }

  /** Rejects where there was one. A rejection is told when the event loop comes to its turn, and not before. */
  async none(): Promise<void> {
    await Promise.race([new Promise(resolve => setImmediate(resolve)), this.first])
  }

  stop(): void {
    process.off('uncaughtException', this.#hear)
  }
}
