import type { DiskFile } from '../../../packages/engine/src/disk/disk.ts'
import type { Appender } from '../../../packages/engine/src/log/appender.ts'
import { InlineAppender } from '../../../packages/engine/src/log/appender.ts'
import { readBatch } from './model/batch-records.ts'
import type { SimulatedFile } from './world/simulated-disk.ts'

/** A batch as it was handed to the log. */
export interface RecordedBatch {
  readonly lsn: number
  readonly path: string
  readonly position: number
  readonly bytes: Uint8Array
}

/** The batches of a log by LSN, as they were written: what a crash has left of them is looked up here. */
export class LogRecord {
  readonly batches = new Map<number, RecordedBatch>()
  /** The last LSN whose write has returned. */
  durable = 0

  /** Forgets what recovery has found not to be there. */
  cutBehind(lsn: number): void {
    for (const each of this.batches.keys()) if (each > lsn) this.batches.delete(each)
    this.durable = lsn
  }
}

/** The engine's own appender, and a copy of what goes through it. */
export class RecordedAppender implements Appender {
  readonly #appender: InlineAppender
  readonly #record: LogRecord

  constructor(lastHash: Uint8Array, record: LogRecord) {
    this.#appender = new InlineAppender(lastHash)
    this.#record = record
  }

  async append(file: DiskFile, seed: number, batch: Uint8Array, position: number): Promise<void> {
    const written = this.#appender.append(file, seed, batch, position)
    const bytes = batch.slice()
    const { lsn } = readBatch(bytes)
    this.#record.batches.set(lsn, { lsn, path: (file as SimulatedFile).path, position, bytes })
    await written
    this.#record.durable = lsn
  }

  close(): Promise<void> {
    return this.#appender.close()
  }
}
