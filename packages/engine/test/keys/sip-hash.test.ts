import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SipHash } from '../../src/keys/sip-hash.ts'

/** The reference's key and messages: 00 01 02 … */
const counting = (length: number): Uint8Array => Uint8Array.from({ length }, (_, byte) => byte)

/** The hash as the reference implementation writes it out. */
function hashOf(sip: SipHash, message: Uint8Array): string {
  // The hash pads the message in its place, up to eight bytes behind it.
  const room = new Uint8Array(message.length + 8).fill(0xa5)
  room.set(message)
  sip.hash(new DataView(room.buffer), message.length)
  const bytes = Buffer.alloc(16)
  sip.words.forEach((word, index) => {
    bytes.writeUInt32LE(word, index * 4)
  })
  return bytes.toString('hex')
}

const mask = 2n ** 64n - 1n
const rotate = (word: bigint, by: bigint): bigint => ((word << by) | (word >> (64n - by))) & mask

/** The definition in the paper, word for word in 64-bit words. */
function hashByDefinition(key: Uint8Array, message: Uint8Array): string {
  const [k0, k1] = [Buffer.from(key).readBigUInt64LE(0), Buffer.from(key).readBigUInt64LE(8)]
  let [v0, v1] = [k0 ^ 0x736f6d6570736575n, k1 ^ 0x646f72616e646f6dn ^ 0xeen]
  let [v2, v3] = [k0 ^ 0x6c7967656e657261n, k1 ^ 0x7465646279746573n]
  const rounds = (count: number): void => {
    for (let round = 0; round < count; round++) {
      v0 = (v0 + v1) & mask
      v2 = (v2 + v3) & mask
      v1 = rotate(v1, 13n) ^ v0
      v3 = rotate(v3, 16n) ^ v2
      v0 = rotate(v0, 32n)
      v2 = (v2 + v1) & mask
      v0 = (v0 + v3) & mask
      v1 = rotate(v1, 17n) ^ v2
      v3 = rotate(v3, 21n) ^ v0
      v2 = rotate(v2, 32n)
    }
  }
  const padded = Buffer.alloc((message.length & ~7) + 8)
  padded.set(message)
  padded[padded.length - 1] = message.length & 0xff
  for (let at = 0; at < padded.length; at += 8) {
    const word = padded.readBigUInt64LE(at)
    v3 ^= word
    rounds(2)
    v0 ^= word
  }
  const out = Buffer.alloc(16)
  v2 ^= 0xeen
  rounds(4)
  out.writeBigUInt64LE(v0 ^ v1 ^ v2 ^ v3, 0)
  v1 ^= 0xddn
  rounds(4)
  out.writeBigUInt64LE(v0 ^ v1 ^ v2 ^ v3, 8)
  return out.toString('hex')
}

test('hashes are those of the reference implementation', () => {
  const sip = new SipHash(counting(16))
  assert.equal(hashOf(sip, counting(0)), 'a3817f04ba25a8e66df67214c7550293')
  assert.equal(hashOf(sip, counting(1)), 'da87c1d86b99af44347659119b22fc45')
  assert.equal(hashOf(sip, counting(2)), '8177228da4a45dc7fca38bdef60affe4')
})

test('hashes are those of the definition, for every length and for keys with high bits', () => {
  for (const key of [counting(16), new Uint8Array(16).fill(0xff), counting(48).slice(32).reverse()]) {
    const sip = new SipHash(key)
    for (let length = 0; length < 300; length++) {
      const message = Uint8Array.from({ length }, (_, byte) => (byte * 151 + length * 31) & 0xff)
      assert.equal(hashOf(sip, message), hashByDefinition(key, message), `${length} bytes`)
    }
  }
})
