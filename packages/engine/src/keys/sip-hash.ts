/**
 * SipHash-2-4 with 128 bits of output (Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012, and its
 * reference implementation for the long output). Keyed, so that nobody without the log can craft keys that fall
 * together.
 *
 * 64-bit words are pairs of 32-bit halves, low half first: a BigInt for each would cost a hundred times as much.
 */
export class SipHash {
  readonly #key: Int32Array
  /** v0 to v3. */
  readonly #state = new Int32Array(8)
  /** The last hash: 128 bits as four words, in the order of the reference output read as little-endian. */
  readonly words: Uint32Array = new Uint32Array(4)

  /** `key` has 16 bytes. */
  constructor(key: Uint8Array) {
    const view = new DataView(key.buffer, key.byteOffset, 16)
    this.#key = Int32Array.from([0, 4, 8, 12], at => view.getInt32(at, true))
  }

  /** Hashes the first `length` bytes, into `words`. Overwrites up to 8 bytes behind them, which have to be there. */
  hash(bytes: Uint8Array, length: number): void {
    const state = this.#state
    const key = this.#key
    const words = this.words
    // The constants spell "somepseudorandomlygeneratedbytes"; 0xee says that the output is the long one.
    state[0] = key[0]! ^ 0x70736575
    state[1] = key[1]! ^ 0x736f6d65
    state[2] = key[2]! ^ 0x6e646f6d ^ 0xee
    state[3] = key[3]! ^ 0x646f7261
    state[4] = key[0]! ^ 0x6e657261
    state[5] = key[1]! ^ 0x6c796765
    state[6] = key[2]! ^ 0x79746573
    state[7] = key[3]! ^ 0x74656462
    const tail = length & ~7
    for (let at = length; at < tail + 7; at++) bytes[at] = 0
    bytes[tail + 7] = length & 0xff
    for (let at = 0; at <= tail; at += 8) {
      const low = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
      const high = bytes[at + 4]! | (bytes[at + 5]! << 8) | (bytes[at + 6]! << 16) | (bytes[at + 7]! << 24)
      state[6]! ^= low
      state[7]! ^= high
      this.#mix(2)
      state[0]! ^= low
      state[1]! ^= high
    }
    state[4]! ^= 0xee
    this.#mix(4)
    words[0] = state[0]! ^ state[2]! ^ state[4]! ^ state[6]!
    words[1] = state[1]! ^ state[3]! ^ state[5]! ^ state[7]!
    state[2]! ^= 0xdd
    this.#mix(4)
    words[2] = state[0]! ^ state[2]! ^ state[4]! ^ state[6]!
    words[3] = state[1]! ^ state[3]! ^ state[5]! ^ state[7]!
  }

  /** So many SipRounds. */
  #mix(rounds: number): void {
    const state = this.#state
    let a0 = state[0]!
    let a1 = state[1]!
    let b0 = state[2]!
    let b1 = state[3]!
    let c0 = state[4]!
    let c1 = state[5]!
    let d0 = state[6]!
    let d1 = state[7]!
    for (let round = 0; round < rounds; round++) {
      // v0 += v1; v1 = rotl(v1, 13) ^ v0; v0 = rotl(v0, 32)
      let sum = (a0 >>> 0) + (b0 >>> 0)
      let high = (a1 + b1 + (sum > 0xffffffff ? 1 : 0)) | 0
      let turned = (b0 << 13) | (b1 >>> 19)
      b1 = ((b1 << 13) | (b0 >>> 19)) ^ high
      b0 = turned ^ (sum | 0)
      a0 = high
      a1 = sum | 0
      // v2 += v3; v3 = rotl(v3, 16) ^ v2
      sum = (c0 >>> 0) + (d0 >>> 0)
      c1 = (c1 + d1 + (sum > 0xffffffff ? 1 : 0)) | 0
      c0 = sum | 0
      turned = (d0 << 16) | (d1 >>> 16)
      d1 = ((d1 << 16) | (d0 >>> 16)) ^ c1
      d0 = turned ^ c0
      // v0 += v3; v3 = rotl(v3, 21) ^ v0
      sum = (a0 >>> 0) + (d0 >>> 0)
      a1 = (a1 + d1 + (sum > 0xffffffff ? 1 : 0)) | 0
      a0 = sum | 0
      turned = (d0 << 21) | (d1 >>> 11)
      d1 = ((d1 << 21) | (d0 >>> 11)) ^ a1
      d0 = turned ^ a0
      // v2 += v1; v1 = rotl(v1, 17) ^ v2; v2 = rotl(v2, 32)
      sum = (c0 >>> 0) + (b0 >>> 0)
      high = (c1 + b1 + (sum > 0xffffffff ? 1 : 0)) | 0
      turned = (b0 << 17) | (b1 >>> 15)
      b1 = ((b1 << 17) | (b0 >>> 15)) ^ high
      b0 = turned ^ (sum | 0)
      c0 = high
      c1 = sum | 0
    }
    state[0] = a0
    state[1] = a1
    state[2] = b0
    state[3] = b1
    state[4] = c0
    state[5] = c1
    state[6] = d0
    state[7] = d1
  }
}
