import type { Code, KujiError, Receipt } from '@kuji/engine/contract'
import { retryAfterSeconds } from '../retry-after.ts'

/** Takes bytes that are to be sent. */
export interface ByteSink {
  send(bytes: Buffer): void
}

/** Writes one reply. */
export type Reply = (out: ReplyWriter) => void

export type ProtocolVersion = 2 | 3

const scratchBytes = 64 * 1024
/** The longest of what is written in one go without asking for its length: a sign, a number, an end of line. */
const lineBytes = 32
const mostCachedItems = 4096
/** Copied byte by byte up to here, since a call of the runtime would take longer. */
const shortBytes = 64
const mostErrorCharacters = 512

const cr = 13
const lf = 10
const zero = 48
const billion = 1_000_000_000

/**
 * Encodes replies, one after the other, into one buffer that all connections of a door share. What it holds goes to the
 * present sink, as a copy of just that size, when the buffer is full or another connection's turn comes; so idle
 * connections have no buffer, and the replies to all that one read brought leave in one write.
 */
export class ReplyWriter {
  sink: ByteSink | null = null
  /** Of the connection whose reply is being written. */
  protocol: ProtocolVersion = 2
  readonly #bytes: Buffer = Buffer.allocUnsafeSlow(scratchBytes)
  #length = 0
  /** Item ids as they are sent. */
  readonly #items = new Map<string, Uint8Array>()

  /** Gives what has been written to the sink. */
  spill(): void {
    if (this.#length === 0) return
    const bytes = Buffer.allocUnsafe(this.#length)
    this.#bytes.copy(bytes, 0, 0, this.#length)
    this.#length = 0
    this.sink!.send(bytes)
  }

  /** What a draw is answered with: the first draw number, then the items. */
  drawn({ id, items }: Receipt): void {
    this.array(items.length + 1)
    this.integer(id)
    for (let k = 0; k < items.length; k++) this.#item(items[k]!)
  }

  array(count: number): void {
    this.#line(0x2a, count)
  }

  /** A map of `count` pairs; in RESP2, their names and values in one array. */
  map(count: number): void {
    if (this.protocol === 3) this.#line(0x25, count)
    else this.#line(0x2a, count * 2)
  }

  integer(value: number): void {
    if (value < 0) this.#simpleLine(`:${value}`)
    else this.#line(0x3a, value)
  }

  text(value: string): void {
    const length = Buffer.byteLength(value)
    this.#line(0x24, length)
    this.#raw(value, length)
    this.#endLine()
  }

  bytes(value: Uint8Array): void {
    this.#line(0x24, value.length)
    if (value.length > scratchBytes) {
      this.spill()
      this.sink!.send(Buffer.from(value))
    } else {
      this.#reserve(value.length)
      this.#bytes.set(value, this.#length)
      this.#length += value.length
    }
    this.#endLine()
  }

  /** A status such as `OK`. */
  simple(value: string): void {
    this.#simpleLine(`+${value}`)
  }

  double(value: number): void {
    if (this.protocol === 2) this.text(String(value))
    else this.#simpleLine(`,${value}`)
  }

  boolean(value: boolean): void {
    if (this.protocol === 2) this.integer(value ? 1 : 0)
    else this.#simpleLine(value ? '#t' : '#f')
  }

  nothing(): void {
    this.#simpleLine(this.protocol === 2 ? '$-1' : '_')
  }

  /** An error: its code, then its message, in one line whatever the message holds, and when to try again. */
  error({ code, message, fields }: KujiError): void {
    const seconds = retryAfterSeconds(code, fields)
    this.failure(code, message, seconds === undefined ? '' : ` (again in ${seconds} s)`)
  }

  /** The same for a word that is no code of kuji, where clients look for it. */
  failure(code: Code | 'NOPROTO', message: string, more = ''): void {
    const shown = message.length > mostErrorCharacters ? `${message.slice(0, mostErrorCharacters)}…` : message
    this.#simpleLine(`-${code} ${shown.replaceAll(/\p{Cc}+/gu, ' ')}${more}`)
  }

  /** A line as it is. */
  #simpleLine(line: string): void {
    this.#raw(line, Buffer.byteLength(line))
    this.#endLine()
  }

  #item(id: string): void {
    const encoded = this.#items.get(id) ?? this.#encodeItem(id)
    const length = encoded.length
    this.#reserve(length)
    const bytes = this.#bytes
    const start = this.#length
    if (length > shortBytes) bytes.set(encoded, start)
    else for (let at = 0; at < length; at++) bytes[start + at] = encoded[at]!
    this.#length = start + length
  }

  #encodeItem(id: string): Uint8Array {
    const encoded = Buffer.from(`$${id.length}\r\n${id}\r\n`)
    if (this.#items.size === mostCachedItems) this.#items.clear()
    this.#items.set(id, encoded)
    return encoded
  }

  /** A sign, a whole number from 0, and the end of the line. */
  #line(sign: number, value: number): void {
    this.#reserve(lineBytes)
    this.#bytes[this.#length++] = sign
    if (value < billion) this.#digits(value, countDigits(value))
    else {
      const high = Math.floor(value / billion)
      this.#digits(high, countDigits(high))
      this.#digits(value - high * billion, 9)
    }
    this.#bytes[this.#length++] = cr
    this.#bytes[this.#length++] = lf
  }

  #digits(value: number, count: number): void {
    const bytes = this.#bytes
    let at = this.#length + count
    this.#length = at
    let rest = value | 0
    for (let left = count; left > 0; left--) {
      const tenth = (rest / 10) | 0
      bytes[--at] = zero + rest - tenth * 10
      rest = tenth
    }
  }

  #raw(text: string, length: number): void {
    if (length > scratchBytes) {
      this.spill()
      this.sink!.send(Buffer.from(text))
      return
    }
    this.#reserve(length)
    this.#bytes.write(text, this.#length)
    this.#length += length
  }

  #endLine(): void {
    this.#reserve(2)
    this.#bytes[this.#length++] = cr
    this.#bytes[this.#length++] = lf
  }

  #reserve(length: number): void {
    if (this.#length + length > scratchBytes) this.spill()
  }
}

function countDigits(value: number): number {
  let count = 1
  for (let bound = 10; value >= bound; bound *= 10) count++
  return count
}
