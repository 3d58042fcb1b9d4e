/** Grows as it is written to. Little-endian throughout. */
export class ByteWriter {
  bytes: Buffer
  length = 0

  constructor(capacity = 1024) {
    this.bytes = Buffer.alloc(capacity)
  }

  #reserve(count: number): number {
    const at = this.length
    this.length += count
    if (this.length > this.bytes.length) {
      const grown = Buffer.alloc(Math.max(this.length, this.bytes.length * 2))
      grown.set(this.bytes)
      this.bytes = grown
    }
    return at
  }

  u8(value: number): void {
    const at = this.#reserve(1)
    this.bytes[at] = value
  }

  u32(value: number): void {
    const at = this.#reserve(4)
    this.bytes.writeUInt32LE(value >>> 0, at)
  }

  /** A whole number from 0 to 2^53 - 1, in 8 bytes. */
  u53(value: number): void {
    checkWhole(value)
    this.u32(value % 0x100000000)
    this.u32(Math.floor(value / 0x100000000))
  }

  /** A whole number from 0 to 2^53 - 1, seven bits a byte, low bits first. */
  varint(value: number): void {
    checkWhole(value)
    let rest = value
    while (rest >= 0x80) {
      this.u8((rest % 0x80) | 0x80)
      rest = Math.floor(rest / 0x80)
    }
    this.u8(rest)
  }

  /** Its length in bytes as a varint, then UTF-8. */
  text(value: string): void {
    const count = Buffer.byteLength(value)
    this.varint(count)
    const at = this.#reserve(count)
    this.bytes.write(value, at)
  }

  raw(bytes: Uint8Array): void {
    const at = this.#reserve(bytes.length)
    this.bytes.set(bytes, at)
  }

  /** What was written, without a copy. */
  written(): Buffer {
    return this.bytes.subarray(0, this.length)
  }
}

/** What is no whole number could not be read back; the log must never hold it. */
function checkWhole(value: number): void {
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`${value} is not a whole number from 0`)
}

/** Thrown by a reader that is asked for bytes beyond its end, or finds a value out of range. */
export class MalformedBytes extends Error {}

/** Reads what a ByteWriter wrote; every read is checked against the end. */
export class ByteReader {
  readonly #bytes: Buffer
  #at: number
  readonly #end: number

  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#at = start
    this.#end = end
  }

  get at(): number {
    return this.#at
  }

  get rest(): number {
    return this.#end - this.#at
  }

  #take(count: number): number {
    const at = this.#at
    if (count > this.#end - at)
      throw new MalformedBytes(`${count} bytes expected at ${at}, ${this.#end - at} left`)
    this.#at = at + count
    return at
  }

  u8(): number {
    return this.#bytes[this.#take(1)]!
  }

  u32(): number {
    return this.#bytes.readUInt32LE(this.#take(4))
  }

  u53(): number {
    const low = this.u32()
    const value = this.u32() * 0x100000000 + low
    if (value > Number.MAX_SAFE_INTEGER) throw new MalformedBytes(`a number over 2^53 - 1 before ${this.#at}`)
    return value
  }

  varint(): number {
    let value = 0
    let scale = 1
    for (let bytes = 0; bytes < 8; bytes++) {
      const byte = this.u8()
      value += (byte & 0x7f) * scale
      if (byte < 0x80) {
        if (value > Number.MAX_SAFE_INTEGER) break
        return value
      }
      scale *= 0x80
    }
    throw new MalformedBytes(`a number over 2^53 - 1 before ${this.#at}`)
  }

  text(): string {
    const count = this.varint()
    const at = this.#take(count)
    return this.#bytes.toString('utf8', at, at + count)
  }

  raw(count: number): Buffer {
    const at = this.#take(count)
    return this.#bytes.subarray(at, at + count)
  }
}
