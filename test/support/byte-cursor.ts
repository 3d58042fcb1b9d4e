/** Reads the types of docs/data-format.md from bytes, in order. Reading beyond the end throws. */
export class ByteCursor {
  readonly #bytes: Buffer
  #at: number

  constructor(bytes: Buffer, at = 0) {
    this.#bytes = bytes
    this.#at = at
  }

  get rest(): number {
    return this.#bytes.length - this.#at
  }

  align(bytes: number): void {
    this.#at = Math.ceil(this.#at / bytes) * bytes
  }

  /** Passes so many bytes. Returns where they begin. */
  #pass(count: number): number {
    if (count > this.rest) throw new Error(`${count} bytes at ${this.#at}, of which ${this.rest} are there`)
    this.#at += count
    return this.#at - count
  }

  take(count: number): Buffer {
    const from = this.#pass(count)
    return this.#bytes.subarray(from, from + count)
  }

  u8(): number {
    return this.#bytes.readUInt8(this.#pass(1))
  }

  u16(): number {
    return this.#bytes.readUInt16LE(this.#pass(2))
  }

  u32(): number {
    return this.#bytes.readUInt32LE(this.#pass(4))
  }

  u53(): number {
    return toSafe(this.#bytes.readBigUInt64LE(this.#pass(8)))
  }

  varint(): number {
    let value = 0
    for (let part = 0; part < 8; part++) {
      const byte = this.u8()
      value += (byte & 0x7f) * 2 ** (7 * part)
      if (byte < 0x80) return toSafe(value)
    }
    throw new Error('a varint of more than 8 bytes')
  }

  text(): string {
    return this.take(this.varint()).toString('utf8')
  }
}

function toSafe(value: bigint | number): number {
  if (value > Number.MAX_SAFE_INTEGER) throw new Error(`${value} is over 2^53 - 1`)
  return Number(value)
}
