import type { Latency } from './measure/latency.ts'

/**
 * `target` rows feed the targets and run in every mode; `default` rows join them in a plain run; `full` rows only
 * with `--full`.
 */
export type Level = 'target' | 'default' | 'full'

/** One pass of one row. */
export interface Sample {
  readonly draws: number
  /** Batches that they were in. */
  readonly batches?: number
  readonly seconds: number
  /** Processor time of the drawing thread. */
  readonly cpuSeconds?: number
  /** Bytes allocated on the JavaScript heap while the draws ran, those since collected included. */
  readonly heapBytes: number
  readonly gcCount: number
  readonly gcMs: number
  /** Bytes of the batches that hold these draws; absent where there is no log. */
  readonly logBytes?: number
  /** Log files on disk at the end, zero-filled room and archive included. */
  readonly fileBytes?: number
  readonly latency?: Latency
  /** What the pass must come to, whatever chance decides; see fixtures/check.ts. */
  readonly hash: string
  /** Figures of this row alone, each into a column of its own in the JSON. */
  readonly notes?: Readonly<Record<string, number>>
}

/** The surroundings of one pass. */
export interface Pass {
  /** Which round this is, from 0. */
  readonly round: number
  /** Scales a number of draws to the mode, at least to `least`. */
  draws(full: number, least?: number): number
  readonly smoke: boolean
  /** A fresh directory, removed after the pass. */
  readonly directory: string
}

/** Measured as one; more than one row where they take turns within a pass. */
export interface Contestant {
  readonly rows: readonly string[]
  readonly level: Level
  run(pass: Pass): Promise<readonly Sample[]>
}

/**
 * Contestants that are compared with each other: they take turns, round by round, in one process of their own, so that
 * what the machine does in the meantime strikes them alike and no other group has shaped the compiled code.
 */
export interface Group {
  readonly name: string
  readonly about: string
  readonly contestants: readonly Contestant[]
}

/** All passes of one row. */
export interface Row {
  readonly name: string
  readonly group: string
  readonly samples: readonly Sample[]
}
