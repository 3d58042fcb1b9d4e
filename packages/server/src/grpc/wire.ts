import { isUtf8 } from 'node:buffer'

/** What a field holds, as far as it is looked at: a text, a message, or anything else. */
export type Kind = 'text' | 'other' | MessageShape

/** Fields of a message by their numbers. */
export type MessageShape = ReadonlyMap<number, Kind>

/** Wire types. */
const [varint, fixed64, bytes, fixed32] = [0, 1, 2, 5]
/** Deeper than any message that is not refused for its nesting anyway; each level is a call. */
const mostLevels = 128

/**
 * Checks what protobufjs takes as it comes: a length beyond the end of the message (it gives what is there), a text
 * that is not UTF-8 (it puts a sign for "unknown" in the place, so that different keys become one), a field in another
 * form than its type has. Returns what is wrong, or nothing.
 */
export function findWireFault(message: Buffer, shape: MessageShape): string | undefined {
  return new WireReader(message).check(shape, message.length, 1)
}

class WireReader {
  readonly #bytes: Buffer
  #at = 0

  constructor(message: Buffer) {
    this.#bytes = message
  }

  check(shape: MessageShape, end: number, level: number): string | undefined {
    if (level > mostLevels) return 'messages are nested too deep'
    while (this.#at < end) {
      const tag = this.#number(end)
      if (tag < 8) return 'a field has no number'
      const number = tag >>> 3
      const kind = shape.get(number) ?? 'other'
      const fault = this.#field(kind, tag & 7, end, level)
      if (fault !== undefined) return `field ${number}: ${fault}`
    }
    return undefined
  }

  #field(kind: Kind, type: number, end: number, level: number): string | undefined {
    if (kind !== 'other' && type !== bytes) return 'it is written as another type'
    switch (type) {
      case varint:
        return this.#skipVarint(end)
      case fixed64:
        return this.#skip(8, end)
      case fixed32:
        return this.#skip(4, end)
      case bytes:
        return this.#delimited(kind, end, level)
      default:
        return 'it has a type that there is not'
    }
  }

  #delimited(kind: Kind, end: number, level: number): string | undefined {
    const length = this.#number(end)
    const start = this.#at
    if (length < 0 || length > end - start) return 'it is longer than its message'
    const stop = start + length
    if (kind === 'text' && !isUtf8(this.#bytes.subarray(start, stop))) return 'it is not UTF-8'
    if (typeof kind === 'object') return this.check(kind, stop, level + 1)
    this.#at = stop
    return undefined
  }

  #skip(count: number, end: number): string | undefined {
    if (count > end - this.#at) return 'it is cut off'
    this.#at += count
    return undefined
  }

  #skipVarint(end: number): string | undefined {
    for (let count = 0; count < 10 && this.#at < end; count++)
      if (this.#bytes[this.#at++]! < 0x80) return undefined
    return 'it is cut off'
  }

  /** A tag or a length, below 2^32; -1 where there is none. */
  #number(end: number): number {
    let value = 0
    for (let shift = 0; shift < 35 && this.#at < end; shift += 7) {
      const byte = this.#bytes[this.#at++]!
      value += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) return value < 2 ** 32 ? value : -1
    }
    return -1
  }
}
