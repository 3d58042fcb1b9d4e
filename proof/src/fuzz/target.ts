import type { Chance } from '../chance.ts'

/** A reader of bytes that may come from anywhere, and what is known of the bytes that it reads. */
export interface FuzzTarget {
  /** Right inputs to begin with, where the corpus has none yet. */
  seeds(): Promise<Uint8Array[]>
  /** A changed input; `other` is another of the corpus. */
  mutate(input: Uint8Array, other: Uint8Array, chance: Chance): Uint8Array
  /** Mends what hides the rest (lengths, checksums), so that an input cut smaller is still looked at. */
  mend?(input: Uint8Array): Uint8Array
  /** Longest input worth trying. */
  readonly mostBytes: number
  /** Makes ready. */
  open(): Promise<OpenTarget>
}

export interface OpenTarget {
  /** Throws what is wrong: refusals that the reader may give are none. */
  run(input: Uint8Array): Promise<void> | void
  close(): Promise<void>
}

/** What is wrong, beside errors that the reader throws by itself. */
export class Defect extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'Defect'
  }
}

/** Where a target's module is: it is loaded by the thread that runs it. Its default export is the target. */
export interface TargetPlace {
  readonly name: string
  readonly module: string
}
