/** Lets a test hold somebody up at a known place. */
export interface Gate {
  /** Resolves when somebody has come to the gate. */
  readonly reached: Promise<void>
  /** For whoever is held up. */
  pass(): Promise<void>
  open(): void
}

export function gate(): Gate {
  const reached = Promise.withResolvers<void>()
  const opened = Promise.withResolvers<void>()
  return {
    reached: reached.promise,
    pass() {
      reached.resolve()
      return opened.promise
    },
    open: () => opened.resolve(),
  }
}
