import type { Log } from '../log/log.ts'
import { sealBatchBytes } from '../record/batch.ts'
import { drawsHeaderBytes } from '../record/records.ts'

/** What a record takes beside its outcomes: header, alignment, padding. */
const recordOverheadBytes = drawsHeaderBytes + 16

/** Room in the log, looked for before anything is decided, so that what was decided can always be written. */
export class Room {
  readonly #log: Log
  #asking = false
  /** Why there is none, when the log has just said so. */
  #refusal = ''

  constructor(log: Log) {
    this.#log = log
  }

  /** Whether a batch of this size is certain to find a place now, one more record included. */
  holds(bytes: number): boolean {
    return bytes + recordOverheadBytes <= this.#log.room
  }

  /** Whether the log looks for room. The file that it has ready may go for a larger one meanwhile. */
  get isAsking(): boolean {
    return this.#asking
  }

  /** Asks the log for room for a request. `then` comes when there is some, or it is certain that there is none. */
  ask(bytes: number, then: () => void): void {
    if (this.#asking) return
    this.#asking = true
    void this.#log.makeRoom(bytes + recordOverheadBytes + sealBatchBytes).then(refusal => {
      this.#asking = false
      this.#refusal = refusal
      then()
    })
  }

  /** Why there was no room for the request that had asked, or ''. Told once: the next request asks anew. */
  takeRefusal(): string {
    const refusal = this.#refusal
    this.#refusal = ''
    return refusal
  }
}
