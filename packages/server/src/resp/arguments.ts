import { isUtf8 } from 'node:buffer'
import { KujiError } from '@kuji/engine/contract'
import { serverLimits } from '../limits.ts'
import { TextCache } from './text-cache.ts'

const noBytes = Buffer.alloc(0)
const wholeNumber = /^(?:0|[1-9]\d{0,15})$/

/**
 * The arguments of the command at hand, as places in the bytes that carried it. One for a whole door: a command is
 * taken up before the next one is parsed, and what it needs for later it takes out as text.
 */
export class Arguments {
  bytes: Buffer = noBytes
  count = 0
  /** Came as a line of words, as people and web browsers send, not as an array. */
  inline = false
  readonly starts: Int32Array = new Int32Array(serverLimits.respArguments)
  readonly ends: Int32Array = new Int32Array(serverLimits.respArguments)
  readonly #ids = new TextCache()

  /** Lets go of the bytes. */
  clear(): void {
    this.bytes = noBytes
    this.count = 0
  }

  length(index: number): number {
    return this.ends[index]! - this.starts[index]!
  }

  /** Bytes of all arguments. */
  get totalLength(): number {
    let total = 0
    for (let index = 0; index < this.count; index++) total += this.length(index)
    return total
  }

  /** Whether an argument is this word of capital letters, in whichever case it was written. */
  is(index: number, word: string): boolean {
    const start = this.starts[index]!
    if (this.ends[index]! - start !== word.length) return false
    for (let at = 0; at < word.length; at++) {
      const byte = this.bytes[start + at]!
      if ((byte >= 0x61 && byte <= 0x7a ? byte - 0x20 : byte) !== word.charCodeAt(at)) return false
    }
    return true
  }

  /** An argument that is likely to come again, such as an id. */
  id(index: number): string {
    return this.#ids.get(this.bytes, this.starts[index]!, this.ends[index]!)
  }

  text(index: number): string {
    return this.bytes.toString('utf8', this.starts[index], this.ends[index])
  }

  /** The bytes themselves, to be given back; a copy, since the place is used again. */
  copy(index: number): Buffer {
    return Buffer.from(this.#view(index))
  }

  /** A text in which no two different arguments look alike. Throws `INVALID` for bytes that are not UTF-8. */
  exactText(index: number, field: string): string {
    if (isUtf8(this.#view(index))) return this.text(index)
    throw new KujiError('INVALID', `${field}: expected UTF-8`, { field })
  }

  /** A whole number from 0, written in one way only. Throws `INVALID`. */
  wholeNumber(index: number, field: string): number {
    const text = this.length(index) > 16 ? '' : this.text(index)
    if (wholeNumber.test(text)) return Number(text)
    throw new KujiError('INVALID', `${field}: expected a whole number`, { field })
  }

  #view(index: number): Buffer {
    return this.bytes.subarray(this.starts[index], this.ends[index])
  }
}
