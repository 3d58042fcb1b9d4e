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

  take(count: number): Buffer {
    if (count > this.rest) throw new Error(`${count} bytes at ${this.#at}, of which ${this.rest} are there`)
    this.#at += count
    return this.#bytes.subarray(this.#at - count, this.#at)
  }

  u8(): number {
    return this.take(1).readUInt8()
  }

  u16(): number {
    return this.take(2).readUInt16LE()
  }

  u32(): number {
    return this.take(4).readUInt32LE()
  }

  u53(): number {
    return toSafe(this.take(8).readBigUInt64LE())
  }

  varint(): number {
    let value = 0n
    for (let shift = 0n; shift < 56n; shift += 7n) {
      const byte = this.u8()
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return toSafe(value)
    }
    throw new Error('a varint of more than 8 bytes')
  }

  text(): string {
    return this.take(this.varint()).toString('utf8')
  }
}

function toSafe(value: bigint): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new Error(`${value} is over 2^53 - 1`)
  return Number(value)
}
