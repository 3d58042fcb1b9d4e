import { happenings } from './happenings.ts'
import type { SeedReport } from './seed-worker.ts'

/** What a number of seeds came to. */
export class Tally {
  readonly #began = performance.now()
  readonly #counts = new Map<string, number>()
  readonly failed: SeedReport[] = []
  seeds = 0
  #operations = 0
  #simulatedMs = 0

  add(report: SeedReport): void {
    this.seeds++
    this.#operations += report.operations
    this.#simulatedMs += report.simulatedMs
    if (report.violation !== '') this.failed.push(report)
    for (const [what, count] of Object.entries(report.counts))
      this.#counts.set(what, (this.#counts.get(what) ?? 0) + count)
  }

  get line(): string {
    const seconds = (performance.now() - this.#began) / 1000
    const times = Math.round(this.#simulatedMs / 1000 / seconds)
    const hours = (this.#simulatedMs / 3_600_000).toFixed(1)
    return (
      `${this.seeds} seeds, ${this.#operations} operations, ${hours} simulated hours in ${seconds.toFixed(0)} s ` +
      `(${times} times real time), ${this.failed.length} failed`
    )
  }

  /** How often what happened, a line for each group: the word before the colon. */
  get counts(): string {
    const groups = Map.groupBy(this.#counts, ([what]) => what.split(':', 1)[0]!)
    const tell = ([what, count]: [string, number]): string => `${what.slice(what.indexOf(':') + 2)} ${count}`
    return [...groups]
      .sort(([a], [b]) => a.localeCompare(b))
      .map(
        ([group, counts]) =>
          `${group}: ${counts
            .sort(([, a], [, b]) => b - a)
            .map(tell)
            .join(' · ')}`,
      )
      .join('\n')
  }

  /** What has to happen in many seeds and never did: something is not tried any more. */
  get missing(): readonly string[] {
    return happenings.filter(what => !this.#counts.has(what))
  }
}
