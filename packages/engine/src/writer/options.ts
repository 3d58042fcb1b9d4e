import type { Clock } from '../clock/clock.ts'
import type { EngineEvent } from '../contract/index.ts'
import type { Log } from '../log/log.ts'
import type { State } from '../pool/state.ts'
import type { RandomWords } from '../random/random-words.ts'
import type { LogPosition } from '../recovery/replay.ts'
import type { KeyRetention } from './decide.ts'

export interface WriterOptions {
  readonly state: State
  readonly position: Pick<LogPosition, 'lsn' | 'time' | 'epoch'>
  readonly log: Log
  readonly random: RandomWords
  readonly keys: KeyRetention
  readonly clock: Clock
  /** How much of the heap the state may take, in bytes. */
  readonly heapBytes: number
  readonly onEvent: (event: EngineEvent) => void
  /** Told of each batch that has become durable. */
  readonly onBatch?: ((batch: BatchReport) => void) | undefined
}

/** A batch that has become durable. */
export interface BatchReport {
  readonly lsn: number
  readonly draws: number
  /** Bytes in the log. */
  readonly bytes: number
  /** From handing it to the log until it was durable, in milliseconds. */
  readonly writeMs: number
}
