import { KujiError } from '@kuji/engine/contract'
import { serverLimits } from '../limits.ts'
import type { Arguments } from './arguments.ts'
import { splitWords } from './words.ts'

/** Where in a command the next byte stands. */
const phases = { start: 0, header: 1, bulk: 2, line: 3 } as const
type Phase = (typeof phases)[keyof typeof phases]

const bytesOf = { tab: 9, lf: 10, cr: 13, space: 32, dollar: 36, star: 42, zero: 48, delete: 127 } as const
const noBytes = Buffer.alloc(0)
/** What `#readNumber` returns where there is no number to return. */
const incomplete = -1
const faulty = -2
/** Bytes of the smallest buffer for a command that has arrived in part. */
const smallest = 64

/** Memory that commands hold which have arrived in part, over all connections of a door. */
export interface PartialMemory {
  bytes: number
}

/**
 * Takes commands out of the bytes of a connection as they come: RESP arrays of bulk strings, and lines of words.
 *
 * It is linear: what a number announces is not looked at until all of it is there, so the bytes of an argument are
 * copied at most twice and those of a line of digits (at most seven) are read again for each piece that it comes in. It
 * allocates for what has arrived, never for what is announced, and a connection that is not amid a command holds no
 * buffer at all. After a fault it takes nothing more: where the next command begins would be a guess.
 */
export class CommandParser {
  /** What is wrong with the bytes; the connection tells it and ends. */
  fault: KujiError | null = null
  readonly #memory: PartialMemory
  #mostArguments: number = serverLimits.respStrangerArguments
  #mostBytes: number = serverLimits.respStrangerArgumentBytes
  #bytes: Buffer = noBytes
  #at = 0
  #end = 0
  /** Where the command at hand begins. */
  #from = 0
  #phase: Phase = phases.start
  #announced = 0
  #read = 0
  #bulkLength = 0
  /** The bytes before this one have been searched for the end of the line. */
  #searched = 0
  /** The buffer of a command that has arrived in part, and the places of its arguments, until it is whole. */
  #pending: Buffer | null = null
  #places: Int32Array | null = null

  constructor(memory: PartialMemory) {
    this.#memory = memory
  }

  /** Whether a command has begun and not ended. Means something after `suspend`. */
  get amidCommand(): boolean {
    return this.#pending !== null
  }

  /** Sets the limits to those of callers who are known, or who are not. */
  trust(known: boolean): void {
    this.#mostArguments = known ? serverLimits.respArguments : serverLimits.respStrangerArguments
    this.#mostBytes = known ? serverLimits.respArgumentBytes : serverLimits.respStrangerArgumentBytes
  }

  /** Takes a piece in; those before it have been suspended. */
  feed(chunk: Buffer, args: Arguments): void {
    if (this.#pending === null) {
      this.#bytes = chunk
      this.#end = chunk.length
      this.#at = 0
      this.#from = 0
      return
    }
    const length = this.#end + chunk.length
    if (length > this.#pending.length) {
      const grown = Buffer.allocUnsafeSlow(length * 2)
      this.#pending.copy(grown, 0, 0, this.#end)
      this.#hold(grown)
    }
    chunk.copy(this.#pending, this.#end)
    this.#bytes = this.#pending
    this.#end = length
    for (let index = 0; index < this.#read; index++) {
      args.starts[index] = this.#places![index * 2]!
      args.ends[index] = this.#places![index * 2 + 1]!
    }
  }

  /** Whether there was another whole command; `args` then has it. */
  next(args: Arguments): boolean {
    if (this.fault !== null) return false
    if (this.#phase === phases.start && !this.#begin()) return false
    const whole = this.#phase === phases.line ? this.#readLine(args) : this.#readArguments(args)
    if (!whole) return false
    args.bytes = this.#bytes
    this.#from = this.#at
    this.#phase = phases.start
    return true
  }

  /** Where no command was left: keeps what there is of the next one, in a buffer of its own, until more comes. */
  suspend(args: Arguments): void {
    const length = this.fault === null ? this.#end - this.#from : 0
    if (length === 0) {
      this.release()
      return
    }
    const held = this.#pending
    if (held === null || held.length > Math.max(length * 4, smallest)) {
      const buffer = Buffer.allocUnsafeSlow(Math.max(length * 2, smallest))
      this.#bytes.copy(buffer, 0, this.#from, this.#end)
      this.#hold(buffer)
    } else if (this.#from > 0) held.copyWithin(0, this.#from, this.#end)
    this.#bytes = noBytes
    this.#keepPlaces(args)
    this.#at -= this.#from
    this.#searched -= this.#from
    this.#end = length
    this.#from = 0
    const { respPartialBytes, respSmallPartialBytes } = serverLimits
    if (this.#memory.bytes > respPartialBytes && this.#pending!.length > respSmallPartialBytes) {
      this.#refuse(new KujiError('OVERLOADED', 'Protocol error: too much has arrived in part'))
      this.release()
    }
  }

  #hold(buffer: Buffer | null): void {
    this.#memory.bytes += (buffer?.length ?? 0) - (this.#pending?.length ?? 0)
    this.#pending = buffer
  }

  /** Lets go of all bytes. */
  release(): void {
    this.#hold(null)
    this.#places = null
    this.#bytes = noBytes
    this.#at = 0
    this.#end = 0
    this.#from = 0
  }

  #keepPlaces(args: Arguments): void {
    if (this.#read === 0 || this.#phase === phases.start) return
    if (this.#places === null || this.#places.length < this.#read * 2)
      this.#places = new Int32Array(this.#announced * 2)
    for (let index = 0; index < this.#read; index++) {
      this.#places[index * 2] = args.starts[index]! - this.#from
      this.#places[index * 2 + 1] = args.ends[index]! - this.#from
    }
  }

  /** Passes over blank lines and reads what kind of command begins. */
  #begin(): boolean {
    const bytes = this.#bytes
    for (;;) {
      while (this.#at < this.#end && (bytes[this.#at] === bytesOf.cr || bytes[this.#at] === bytesOf.lf))
        this.#at++
      this.#from = this.#at
      if (this.#at === this.#end) return false
      this.#read = 0
      if (bytes[this.#at] !== bytesOf.star) {
        this.#phase = phases.line
        this.#searched = this.#at
        return true
      }
      this.#announced = this.#readNumber(this.#mostArguments, 'arguments')
      if (this.#announced < 0) return false
      // An empty array is no command, and has no answer.
      if (this.#announced > 0) break
    }
    this.#phase = phases.header
    return true
  }

  #readArguments(args: Arguments): boolean {
    const bytes = this.#bytes
    const end = this.#end
    for (;;) {
      if (this.#phase === phases.header) {
        if (this.#at === end) return false
        if (bytes[this.#at] !== bytesOf.dollar) return this.#refuse(malformed("expected '$'"))
        const length = this.#readNumber(this.#mostBytes, 'bytes in an argument')
        if (length < 0) return false
        this.#bulkLength = length
        this.#phase = phases.bulk
      }
      const stop = this.#at + this.#bulkLength
      if (stop + 2 > end) return false
      if (bytes[stop] !== bytesOf.cr || bytes[stop + 1] !== bytesOf.lf)
        return this.#refuse(malformed('an argument does not end where its length says'))
      args.starts[this.#read] = this.#at
      args.ends[this.#read] = stop
      this.#at = stop + 2
      this.#phase = phases.header
      if (++this.#read === this.#announced) break
    }
    args.count = this.#announced
    args.inline = false
    return true
  }

  /**
   * Reads the number behind the sign at hand, and its line's end. Where that has not arrived the place stays at the
   * sign. A number that is too large is refused at its first digit too many.
   */
  #readNumber(most: number, what: string): number {
    const bytes = this.#bytes
    const end = this.#end
    const first = this.#at + 1
    let at = first
    let value = 0
    for (; at < end; at++) {
      const digit = bytes[at]! - bytesOf.zero
      if (digit < 0 || digit > 9) break
      if (value === 0 && at > first) return this.#fail(malformed('a number begins with 0'))
      value = value * 10 + digit
      if (value > most) return this.#fail(tooLarge(`more than ${most} ${what}`))
    }
    if (at === end) return incomplete
    if (at === first || bytes[at] !== bytesOf.cr) return this.#fail(malformed('expected a number'))
    if (at + 1 === end) return incomplete
    if (bytes[at + 1] !== bytesOf.lf) return this.#fail(malformed('expected a line feed'))
    this.#at = at + 2
    return value
  }

  #readLine(args: Arguments): boolean {
    const newline = this.#bytes.subarray(0, this.#end).indexOf(bytesOf.lf, this.#searched)
    const end = newline < 0 ? this.#end : newline
    // Not beyond the longest line: whether that much of a longer one has come would depend on how it is cut.
    if (hasControl(this.#bytes, this.#searched, Math.min(end, this.#from + this.#mostBytes)))
      return this.#refuse(malformed('control characters in a line'))
    this.#searched = this.#end
    if (end - this.#from > this.#mostBytes)
      return this.#refuse(tooLarge(`a line of more than ${this.#mostBytes} bytes`))
    if (newline < 0) return false
    this.#at = newline + 1
    const stop = newline > this.#from && this.#bytes[newline - 1] === bytesOf.cr ? newline - 1 : newline
    const count = splitWords(this.#bytes, this.#from, stop, this.#mostArguments, args)
    if (count < 0) return this.#refuse(malformed('unbalanced quotes'))
    if (count > this.#mostArguments)
      return this.#refuse(tooLarge(`more than ${this.#mostArguments} arguments`))
    args.count = count
    args.inline = true
    return true
  }

  #fail(error: KujiError): number {
    this.fault = error
    return faulty
  }

  #refuse(error: KujiError): false {
    this.fault = error
    return false
  }
}

/** No client writes these into a line, but other protocols do: what follows is not meant for this one. */
function hasControl(bytes: Buffer, from: number, to: number): boolean {
  for (let at = from; at < to; at++) {
    const byte = bytes[at]!
    if (byte === bytesOf.delete || (byte < bytesOf.space && byte !== bytesOf.tab && byte !== bytesOf.cr))
      return true
  }
  return false
}

const malformed = (what: string) => new KujiError('INVALID', `Protocol error: ${what}`)
const tooLarge = (what: string) => new KujiError('TOO_LARGE', `Protocol error: ${what}`)
