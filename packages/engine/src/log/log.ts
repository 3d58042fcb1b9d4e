/** How an append ended when it did not end well. Neither is ever tried again with the same bytes. */
export interface AppendFailure {
  /** `fenced`: another writer has taken over, nothing was written. `unknown`: it may be there or not. */
  readonly outcome: 'fenced' | 'unknown'
  readonly cause: unknown
}

export type AppendOutcome = 'durable' | AppendFailure

/**
 * Where batches go. One append at a time; batches keep the order of the appends. The writer asks for room before it
 * decides, so that what was decided can always be written.
 */
export interface Log {
  /** Whether batches are kept, so that seals mean something. */
  readonly keeps: boolean
  /** The largest batch, in bytes, that is certain to find a place now. */
  readonly room: number
  /** Waits for room for a batch of this size. Returns why there is none to be had, or '' when there is. */
  makeRoom(bytes: number): Promise<string>
  /** Whether the batch goes into the present file. If not, the writer seals that file and calls `rotate` first. */
  fits(bytes: number): boolean
  rotate(): void
  /** Appends a batch with its terminator; its CRC and chain hash are set here. */
  append(batch: Uint8Array): Promise<AppendOutcome>
  /** Called when nothing is under way any more. */
  close(): Promise<void>
}
