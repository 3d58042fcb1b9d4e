import { SipHash } from './sip-hash.ts'

/** Room for a pool id, a separator and a key: three bytes of UTF-8 for each UTF-16 unit, and what the hash adds. */
const scratchBytes = 2048

/** UTF-8 of a text, from `start` to `end`. */
export interface EncodedText {
  readonly bytes: Uint8Array
  readonly start: number
  readonly end: number
}

/** Hashes keys, scoped to their pools, and recipients. */
export class KeyHasher {
  readonly #keys: TextHasher
  /** Of the same secret; its own, so that the last key and its hash stay. */
  readonly #recipients: TextHasher
  // Whose hash `words` has.
  #pool = ''
  #key = ''
  readonly #encoded: { bytes: Uint8Array; start: number; end: number }

  /** `secret` has 16 bytes. */
  constructor(secret: Uint8Array) {
    this.#keys = new TextHasher(secret)
    this.#recipients = new TextHasher(secret)
    this.#encoded = { bytes: this.#keys.bytes, start: 0, end: 0 }
  }

  /** The hash of the last key, four words. */
  get words(): Uint32Array {
    return this.#keys.words
  }

  /** The last key as it was hashed. */
  get encodedKey(): EncodedText {
    return this.#encoded
  }

  /** Hashes UTF-8 of `pool`, a zero byte and `key`, into `words`. No pool id holds a zero byte. */
  hashKey(pool: string, key: string): void {
    const keys = this.#keys
    this.#pool = pool
    this.#key = key
    keys.length = 0
    keys.append(pool)
    keys.bytes[keys.length++] = 0
    this.#encoded.start = keys.length
    keys.append(key)
    this.#encoded.end = keys.length
    keys.hash()
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
    const recipients = this.#recipients
    recipients.length = 0
    recipients.append(recipient)
    recipients.hash()
    return recipients.words[0]!
  }
}

/** Hashes texts in UTF-8, which it holds. */
class TextHasher {
  readonly bytes: Buffer = Buffer.alloc(scratchBytes)
  length = 0
  readonly #view = new DataView(this.bytes.buffer, this.bytes.byteOffset, scratchBytes)
  readonly #sip: SipHash

  constructor(secret: Uint8Array) {
    this.#sip = new SipHash(secret)
  }

  get words(): Uint32Array {
    return this.#sip.words
  }

  hash(): void {
    this.#sip.hash(this.#view, this.length)
  }

  append(text: string): void {
    const { bytes } = this
    const start = this.length
    for (let i = 0; i < text.length; i++) {
      const unit = text.charCodeAt(i)
      if (unit > 0x7f) {
        this.length = start + bytes.write(text, start)
        return
      }
      bytes[start + i] = unit
    }
    this.length = start + text.length
  }
}
