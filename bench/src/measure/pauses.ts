/** Answers between two looks at the processor time. */
const answersPerLook = 256
/** Gaps shorter than this are not looked into. */
const shortMs = 0.5

/**
 * The longest time that this thread was busy between two answers. By the wall clock it would be other programs' turns
 * on the processor, so a gap counts for no more than the processor time that was spent since the last look at it.
 */
export class Pauses {
  longestMs = 0
  #answers = 0
  #lastAnswer = performance.now()
  #cpuAtLook = cpuMs()

  /** Called at each answer. */
  note(): void {
    const now = performance.now()
    const gap = now - this.#lastAnswer
    this.#lastAnswer = now
    if (gap < shortMs && ++this.#answers % answersPerLook !== 0) return
    const cpu = cpuMs()
    this.longestMs = Math.max(this.longestMs, Math.min(gap, cpu - this.#cpuAtLook))
    this.#cpuAtLook = cpu
  }
}

/**
 * Linux brings the time of a thread up to date at each tick of its scheduler, every 4 ms: a look between two ticks
 * reads too little, and the next one finds a pause where there was none. Asking for the time of the whole process
 * brings that of the asking thread up to date as well.
 */
function cpuMs(): number {
  process.cpuUsage()
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}
