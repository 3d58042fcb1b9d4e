import type { ProtocolVersion, Reply } from './reply-writer.ts'

/** What is kept for a command under way that is more than a count. */
interface Pending {
  /** Memory that its answer may take until it is written, in items of a receipt. */
  readonly weight: number
  /** Of the time of the command: a later one may change it. */
  readonly protocol: ProtocolVersion
  /** Null until it is there. */
  reply: Reply | null
}

/**
 * The commands of one connection that have been taken up and not answered. Each gets a number; a reply may come at
 * any time, and is written when all before it have been. Draws come back in their order, so that for them this is
 * two counts, and nothing is allocated.
 */
export class PendingReplies {
  /** Of all that is kept here. */
  weight = 0
  #next = 0
  #written = 0
  #kept: Map<number, Pending> | null = null

  /** Commands under way. */
  get count(): number {
    return this.#next - this.#written
  }

  /** Whether anything is kept beside the counts. */
  get keeps(): boolean {
    return this.#kept !== null
  }

  /** The number of a command that is taken up. */
  begin(): number {
    return this.#next++
  }

  /** The number of the command that was taken up last. */
  get last(): number {
    return this.#next - 1
  }

  /** Whether a command is the next one to be answered. */
  isNext(number: number): boolean {
    return number === this.#written
  }

  /** Keeps the weight of an answer, and the answer where it is there already. */
  keep(number: number, weight: number, protocol: ProtocolVersion, reply: Reply | null): void {
    this.#kept ??= new Map()
    this.#kept.set(number, { weight, protocol, reply })
    this.weight += weight
  }

  /** Keeps a reply that cannot be written yet. */
  settle(number: number, protocol: ProtocolVersion, reply: Reply): void {
    const pending = this.#kept?.get(number)
    if (pending === undefined) this.keep(number, 1, protocol, reply)
    else pending.reply = reply
  }

  /** The next command's reply where that is there and was kept. */
  get due(): { readonly protocol: ProtocolVersion; readonly reply: Reply } | null {
    const pending = this.#kept?.get(this.#written)
    return pending?.reply ? (pending as Pending & { reply: Reply }) : null
  }

  /** The next reply has been written. */
  countWritten(): void {
    const number = this.#written++
    if (this.#kept === null) return
    const pending = this.#kept.get(number)
    if (pending === undefined) return
    this.weight -= pending.weight
    this.#kept.delete(number)
    if (this.#kept.size === 0) this.#kept = null
  }

  /** Nobody waits for them any more. */
  forget(): void {
    this.#kept = null
  }
}
