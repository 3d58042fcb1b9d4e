import { createHash } from 'node:crypto'

/** What happened in a run, a line each: kept, or boiled down to a hash. */
export class Trace {
  readonly lines: string[] | null
  readonly #hash = createHash('sha256')
  #waiting = ''

  /** @param kept whether the lines are kept, and not only their hash */
  constructor(kept: boolean) {
    this.lines = kept ? [] : null
  }

  add(time: number, what: string): void {
    const line = `${time.toFixed(3).padStart(14)}  ${what}`
    this.lines?.push(line)
    this.#waiting += `${line}\n`
    if (this.#waiting.length > 65_536) this.#flush()
  }

  #flush(): void {
    this.#hash.update(this.#waiting)
    this.#waiting = ''
  }

  /** The hash of all lines, as hex digits. Nothing may be added afterwards. */
  end(): string {
    this.#flush()
    return this.#hash.digest('hex')
  }
}
