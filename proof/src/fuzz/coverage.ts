import { type Profiler, Session } from 'node:inspector'

/** Places in sources, by script. */
export type Places = ReadonlyMap<string, readonly number[]>

interface Script {
  /** 1 for each character that has been run. */
  readonly reached: Uint8Array
  readonly now: Uint8Array
}

/**
 * Which code has run, by V8's own counters of blocks, on this thread. Ranges of V8 differ with what ran (blocks that
 * ran as often as what is around them are no ranges), so it is kept by character of the source.
 */
export class Coverage {
  readonly #session = new Session()
  readonly #scripts = new Map<string, Script>()
  readonly #counts: (url: string) => boolean

  /** To be made before the code is loaded: what was compiled earlier has counters of functions alone. */
  constructor(counts: (url: string) => boolean) {
    this.#counts = counts
    this.#session.connect()
    this.#session.post('Profiler.enable')
    this.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true })
  }

  /** Characters of the sources that have been run. */
  reached = 0

  /** Where code has run since it was asked last that had not run before. */
  takeFresh(): Places {
    const fresh = new Map<string, number[]>()
    for (const { url, functions } of this.#take()) {
      if (!this.#counts(url)) continue
      const { reached, now } = this.#mark(url, functions)
      const places: number[] = []
      for (let at = 0; at < now.length; at++) if (now[at]! > reached[at]!) places.push(at)
      if (places.length > 0) fresh.set(url, places)
    }
    return fresh
  }

  /** Takes places for known from now on. */
  add(places: Places): void {
    for (const [url, offsets] of places) {
      const { reached } = this.#scripts.get(url)!
      for (const at of offsets) {
        this.reached += 1 - reached[at]!
        reached[at] = 1
      }
    }
  }

  close(): void {
    this.#session.disconnect()
  }

  #take(): readonly Profiler.ScriptCoverage[] {
    let result: readonly Profiler.ScriptCoverage[] = []
    // It answers before it returns.
    this.#session.post('Profiler.takePreciseCoverage', (error, found) => {
      if (error !== null) throw error
      result = found.result
    })
    return result
  }

  /** Marks what ran; what stands inside of something else comes behind it. */
  #mark(url: string, functions: readonly Profiler.FunctionCoverage[]): Script {
    const end = Math.max(0, ...functions.map(({ ranges }) => ranges[0]!.endOffset))
    let script = this.#scripts.get(url)
    if (script === undefined || script.now.length < end) {
      const reached = new Uint8Array(end)
      if (script !== undefined) reached.set(script.reached)
      script = { reached, now: new Uint8Array(end) }
      this.#scripts.set(url, script)
    }
    script.now.fill(0)
    for (const { ranges } of functions)
      for (const { startOffset, endOffset, count } of ranges)
        script.now.fill(count > 0 ? 1 : 0, startOffset, endOffset)
    return script
  }
}
