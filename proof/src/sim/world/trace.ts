import { createHash } from 'node:crypto'

/** What happened in a run, a line each. */
export class Trace {
  /** Whether anybody wants it: where not, no line need be made. */
  readonly on: boolean
  readonly lines: string[] = []

  constructor(on: boolean) {
    this.on = on
  }

  add(time: number, what: string): void {
    if (this.on) this.lines.push(`${time.toFixed(3).padStart(14)}  ${what}`)
  }

  /** SHA-256 of all lines, as hex digits. */
  get hash(): string {
    return createHash('sha256').update(this.lines.join('\n')).digest('hex')
  }
}
