import { SipHash } from './sip-hash.ts'

/** Room for a pool id, a separator and a key: three bytes of UTF-8 for each UTF-16 unit, and what the hash adds. */
const scratchBytes = 2048

/** Hashes keys, scoped to their pools, and recipients. */
export class KeyHasher {
  readonly #keys: SipHash
  /** Of the same secret; its own, so that the hash of a key stays. */
  readonly #recipients: SipHash
  readonly #bytes = Buffer.alloc(scratchBytes)
  readonly #view = new DataView(this.#bytes.buffer, this.#bytes.byteOffset, scratchBytes)
  #length = 0
  // Whose hash `words` has.
  #pool = ''
  #key = ''

  /** `secret` has 16 bytes. */
  constructor(secret: Uint8Array) {
    this.#keys = new SipHash(secret)
    this.#recipients = new SipHash(secret)
  }

  /** The hash of the last key, four words. */
  get words(): Uint32Array {
    return this.#keys.words
  }

  /** Hashes UTF-8 of `pool`, a zero byte and `key`, into `words`. No pool id holds a zero byte. */
  hashKey(pool: string, key: string): void {
    this.#pool = pool
    this.#key = key
    this.#length = 0
    this.#append(pool)
    this.#bytes[this.#length++] = 0
    this.#append(key)
    this.#keys.hash(this.#view, this.#length)
  }

  /**
   * The same where the last key may well have been this one: applying follows on deciding. To compare two that differ
   * can cost as much as to hash one, so `hashKey` does not.
   */
  rehashKey(pool: string, key: string): void {
    if (key !== this.#key || pool !== this.#pool) this.hashKey(pool, key)
  }

  /** 32 bits of a recipient; 0 for none. */
  hashRecipient(recipient: string): number {
    if (recipient === '') return 0
    this.#length = 0
    this.#append(recipient)
    this.#recipients.hash(this.#view, this.#length)
    return this.#recipients.words[0]!
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
