import type { DiskFile } from '../../../packages/engine/src/disk/disk.ts'
import type { Appender } from '../../../packages/engine/src/log/appender.ts'
import { InlineAppender } from '../../../packages/engine/src/log/appender.ts'
import type { LogRecord } from './log-record.ts'
import type { SimulatedFile } from './world/simulated-disk.ts'

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
    const lsn = this.#record.add((file as SimulatedFile).path, position, batch)
    await written
    this.#record.durable = lsn
  }

  close(): Promise<void> {
    return this.#appender.close()
  }
}
