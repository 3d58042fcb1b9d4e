/**
 * SipHash-2-4 with 128 bits of output (Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012, and its
 * reference implementation for the long output). Keyed, so that nobody without the log can craft keys that fall
 * together.
 *
 * 64-bit words are pairs of 32-bit halves, low half first: a BigInt for each would cost a hundred times as much. They
 * stand in local variables from the first word to the last, and the rounds are written out once, in one loop: kept in
 * an array between the steps they take twice the time.
 */
export class SipHash {
  readonly #key: Int32Array
  /** The last hash: 128 bits as four words, in the order of the reference output read as little-endian. */
  readonly words: Uint32Array = new Uint32Array(4)

  /** `key` has 16 bytes. */
  constructor(key: Uint8Array) {
    const view = new DataView(key.buffer, key.byteOffset, 16)
    this.#key = Int32Array.from([0, 4, 8, 12], at => view.getInt32(at, true))
  }

  /** Hashes the first `length` bytes, into `words`. Overwrites up to 8 bytes behind them, which have to be there. */
  hash(bytes: DataView, length: number): void {
    const { words } = this
    const steps = pad(bytes, length)
    const [k0, k1, k2, k3] = [this.#key[0]!, this.#key[1]!, this.#key[2]!, this.#key[3]!]
    // v0 to v3. The constants spell "somepseudorandomlygeneratedbytes"; 0xee says that the output is the long one.
    let [a0, a1] = [k0 ^ 0x70736575, k1 ^ 0x736f6d65]
    let [b0, b1] = [k2 ^ 0x6e646f6d ^ 0xee, k3 ^ 0x646f7261]
    let [c0, c1] = [k0 ^ 0x6e657261, k1 ^ 0x6c796765]
    let [d0, d1] = [k2 ^ 0x79746573, k3 ^ 0x74656462]
    // A step of two rounds for each word of the message, then two of four rounds, each for half of the output.
    for (let step = 0; step < steps + 2; step++) {
      const m0 = step < steps ? bytes.getInt32(step * 8, true) : 0
      const m1 = step < steps ? bytes.getInt32(step * 8 + 4, true) : 0
      if (step === steps) c0 ^= 0xee
      if (step === steps + 1) {
        words[0] = a0 ^ b0 ^ c0 ^ d0
        words[1] = a1 ^ b1 ^ c1 ^ d1
        b0 ^= 0xdd
      }
      d0 ^= m0
      d1 ^= m1
      for (let rounds = step < steps ? 2 : 4; rounds > 0; rounds--) {
        // v0 += v1; v1 = rotl(v1, 13) ^ v0; v0 = rotl(v0, 32)
        let sum = (a0 + b0) | 0
        let high = (a1 + b1 + (sum >>> 0 < a0 >>> 0 ? 1 : 0)) | 0
        let turned = (b0 << 13) | (b1 >>> 19)
        b1 = ((b1 << 13) | (b0 >>> 19)) ^ high
        b0 = turned ^ sum
        a0 = high
        a1 = sum
        // v2 += v3; v3 = rotl(v3, 16) ^ v2
        sum = (c0 + d0) | 0
        c1 = (c1 + d1 + (sum >>> 0 < c0 >>> 0 ? 1 : 0)) | 0
        c0 = sum
        turned = (d0 << 16) | (d1 >>> 16)
        d1 = ((d1 << 16) | (d0 >>> 16)) ^ c1
        d0 = turned ^ c0
        // v0 += v3; v3 = rotl(v3, 21) ^ v0
        sum = (a0 + d0) | 0
        a1 = (a1 + d1 + (sum >>> 0 < a0 >>> 0 ? 1 : 0)) | 0
        a0 = sum
        turned = (d0 << 21) | (d1 >>> 11)
        d1 = ((d1 << 21) | (d0 >>> 11)) ^ a1
        d0 = turned ^ a0
        // v2 += v1; v1 = rotl(v1, 17) ^ v2; v2 = rotl(v2, 32)
        sum = (c0 + b0) | 0
        high = (c1 + b1 + (sum >>> 0 < c0 >>> 0 ? 1 : 0)) | 0
        turned = (b0 << 17) | (b1 >>> 15)
        b1 = ((b1 << 17) | (b0 >>> 15)) ^ high
        b0 = turned ^ sum
        c0 = high
        c1 = sum
      }
      a0 ^= m0
      a1 ^= m1
    }
    words[2] = a0 ^ b0 ^ c0 ^ d0
    words[3] = a1 ^ b1 ^ c1 ^ d1
  }
}

/** Fills up the last word, which ends with the length. Returns the number of words. */
function pad(bytes: DataView, length: number): number {
  const tail = length & ~7
  for (let at = length; at < tail + 7; at++) bytes.setUint8(at, 0)
  bytes.setUint8(tail + 7, length & 0xff)
  return (tail >> 3) + 1
}
