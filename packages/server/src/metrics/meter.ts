import type { Code, Receipt } from '@kuji/engine/contract'

/** The protocols that kuji speaks, as its metrics name them. */
export type Protocol = 'http' | 'resp' | 'grpc'

/**
 * What one door counts while it works. These are plain numbers, read when somebody scrapes `/metrics`: counting costs a
 * draw a few additions, and nothing is kept per caller or per pool.
 */
export class DoorMeter {
  readonly protocol: Protocol
  /** Requests that have arrived, whatever became of them. */
  requests = 0
  /** Draws that were made and answered. */
  draws = 0
  /** Draws of receipts that were given again. */
  replayed = 0
  /** Connections that are open. */
  connections = 0
  /** Answers that were errors, by code. */
  readonly refusals = new Map<Code, number>()

  constructor(protocol: Protocol) {
    this.protocol = protocol
  }

  /** Counts the draws of a receipt; to be called where the door encodes it. */
  answered({ items, replayed }: Receipt): void {
    if (replayed) this.replayed += items.length
    else this.draws += items.length
  }

  /** Counts an answer that is an error; to be called where the door encodes it. */
  refused(code: Code): void {
    this.refusals.set(code, (this.refusals.get(code) ?? 0) + 1)
  }
}
