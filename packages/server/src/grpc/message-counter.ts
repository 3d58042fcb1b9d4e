/** Bytes in front of a message: whether it is compressed, and its length. */
const headBytes = 5

/** Follows the messages in the bytes of a call, to know how much of one has come that is not whole. */
export class MessageCounter {
  /** Messages that have come whole. */
  whole = 0
  /** Bytes of the one that has come in part. */
  partial = 0
  #length = 0

  read(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length; ) {
      if (this.partial < headBytes) {
        // The first byte is no part of the length.
        this.#length = this.partial === 0 ? 0 : this.#length * 256 + chunk[at]!
        at++
        this.partial++
      } else {
        const count = Math.min(headBytes + this.#length - this.partial, chunk.length - at)
        at += count
        this.partial += count
      }
      if (this.partial >= headBytes && this.partial === headBytes + this.#length) {
        this.whole++
        this.partial = 0
      }
    }
  }
}
