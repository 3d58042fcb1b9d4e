import { SipHash } from './sip-hash.ts'

/** Room for a pool id, a separator and a key: three bytes of UTF-8 for each UTF-16 unit, and what the hash adds. */
const scratchBytes = 2048

/** Hashes keys, scoped to their pools, and recipients. */
export class KeyHasher {
  readonly #sip: SipHash
  readonly #bytes = Buffer.alloc(scratchBytes)
  readonly #view = new DataView(this.#bytes.buffer, this.#bytes.byteOffset, scratchBytes)
  #length = 0
  // Whose hash `words` has: deciding and applying ask for the same one in turn.
  #pool = ''
  #key = ''

  /** `secret` has 16 bytes. */
  constructor(secret: Uint8Array) {
    this.#sip = new SipHash(secret)
  }

  /** The last hash, four words. */
  get words(): Uint32Array {
    return this.#sip.words
  }

  /** Hashes UTF-8 of `pool`, a zero byte and `key`, into `words`. No pool id holds a zero byte. */
  hashKey(pool: string, key: string): void {
    if (key === this.#key && pool === this.#pool) return
    this.#pool = pool
    this.#key = key
    this.#length = 0
    this.#append(pool)
    this.#bytes[this.#length++] = 0
    this.#append(key)
    this.#sip.hash(this.#view, this.#length)
  }

  /** 32 bits of a recipient; 0 for none. Uses `words`. */
  hashRecipient(recipient: string): number {
    if (recipient === '') return 0
    this.#key = ''
    this.#length = 0
    this.#append(recipient)
    this.#sip.hash(this.#view, this.#length)
    return this.words[0]!
  }

  #append(text: string): void {
    const bytes = this.#bytes
    const start = this.#length
    for (let i = 0; i < text.length; i++) {
      const unit = text.charCodeAt(i)
      if (unit > 0x7f) {
        this.#length = start + bytes.write(text, start)
        return
      }
      bytes[start + i] = unit
    }
    this.#length = start + text.length
  }
}
