/** What code of the caller's throws must not come between the engine and what it has to do next. */
export function warnOf(error: unknown): void {
  process.emitWarning(error instanceof Error ? error : String(error))
}

/** A listener whose errors become warnings, be it a function that throws or one whose promise is rejected. */
export function guarded<T>(listener: (told: T) => unknown): (told: T) => void {
  return told => {
    try {
      const result = listener(told)
      if (result instanceof Promise) result.catch(warnOf)
    } catch (error) {
      warnOf(error)
    }
  }
}
