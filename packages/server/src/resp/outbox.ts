import { type ByteSink, type ProtocolVersion, ReplyWriter } from './reply-writer.ts'

/** A connection, as the outbox sees it. */
export interface Recipient extends ByteSink {
  readonly protocol: ProtocolVersion
  /** Is in the list of those that have something to send. */
  queued: boolean
  /** Sends what it was given. It must not throw. */
  flush(): void
}

/**
 * The replies of all connections of a door on their way to the sockets. They leave when the present callback has ended
 * and all that it set off, so a connection gets one write for all that one batch of the engine answered.
 */
export class Outbox {
  readonly #writer = new ReplyWriter()
  #queue: Recipient[] = []
  #other: Recipient[] = []
  #scheduled = false
  readonly #onTick = (): void => this.#flushAll()

  /** Where the next reply to a connection is written. */
  open(recipient: Recipient): ReplyWriter {
    const writer = this.#writer
    if (writer.sink !== recipient) {
      writer.spill()
      writer.sink = recipient
    }
    writer.protocol = recipient.protocol
    if (!recipient.queued) this.#enqueue(recipient)
    return writer
  }

  /** Hands a connection all that is written for it. */
  spill(recipient: Recipient): void {
    if (this.#writer.sink === recipient) this.#writer.spill()
  }

  #enqueue(recipient: Recipient): void {
    recipient.queued = true
    this.#queue.push(recipient)
    if (this.#scheduled) return
    this.#scheduled = true
    process.nextTick(this.#onTick)
  }

  #flushAll(): void {
    this.#scheduled = false
    this.#writer.spill()
    this.#writer.sink = null
    const queue = this.#queue
    // Flushing may take up commands that waited, whose replies make up the next queue.
    this.#queue = this.#other
    this.#other = queue
    for (const recipient of queue) {
      recipient.queued = false
      recipient.flush()
    }
    queue.length = 0
  }
}
