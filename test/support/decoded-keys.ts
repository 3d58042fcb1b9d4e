import type { ByteCursor } from './byte-cursor.ts'

/** Kept keys as docs/data-format.md has them, with no line of the engine's. */
export interface KeyPolicy {
  readonly most: number
  readonly retentionMs: number
  readonly secret: Buffer
}

export interface KeptDraw {
  /** 32 hex digits. */
  readonly hash: string
  readonly firstDraw: number
  readonly time: number
  readonly pool: string
  /** The items that outcomes are indexes of, and which of the lists that a pool has had it is. */
  readonly items: readonly string[]
  readonly version: number
  readonly asked: number
  readonly partial: boolean
  readonly recipient: number
  readonly outcomes: readonly number[]
}

export function widthOf(items: number): 1 | 2 | 4 {
  return items <= 256 ? 1 : items <= 65_536 ? 2 : 4
}

export function readOutcomes(cursor: ByteCursor, width: number, count: number): number[] {
  return Array.from({ length: count }, () =>
    width === 1 ? cursor.u8() : width === 2 ? cursor.u16() : cursor.u32(),
  )
}

export function readPolicy(cursor: ByteCursor, most: number): KeyPolicy {
  return { most, retentionMs: cursor.u53(), secret: Buffer.from(cursor.take(16)) }
}

const bytesOf = ({ items, outcomes }: Pick<KeptDraw, 'items' | 'outcomes'>): number =>
  outcomes.length * widthOf(items.length)

/** The draws that are kept, oldest first, and how they come and go. */
export class KeptDraws {
  policy: KeyPolicy | null = null
  readonly draws: KeptDraw[] = []
  #outcomeBytes = 0
  /** Draws by the list of items that they are from, and the items of all these lists. */
  readonly #lists = new Map<readonly string[], number>()
  #listed = 0

  /** `key` and `recipient` as in the record. */
  add(draw: Omit<KeptDraw, 'hash' | 'recipient'>, key: string, recipient: string): void {
    const { policy } = this
    if (policy === null) throw new Error('a key before a policy')
    for (let gone = 0; gone < 16 && this.#isDue(draw.time, policy); gone++) this.#forget()
    for (let left = bytesOf(draw); left > 0 && this.#outcomeBytes > 2 ** 30; left--) this.#forget()
    const hash = sipHash(policy.secret, Buffer.from(`${draw.pool}\0${key}`))
    const who = recipient === '' ? 0 : sipHash(policy.secret, Buffer.from(recipient)).readUInt32LE(0)
    this.draws.push({ ...draw, hash: hash.toString('hex'), recipient: who })
    this.#outcomeBytes += bytesOf(draw)
    const sharing = this.#lists.get(draw.items) ?? 0
    if (sharing === 0) this.#listed += draw.items.length
    this.#lists.set(draw.items, sharing + 1)
  }

  /** Whether the oldest one is to be forgotten. */
  #isDue(time: number, { most, retentionMs }: KeyPolicy): boolean {
    const oldest = this.draws[0]
    if (oldest === undefined) return false
    const tooMuch = this.draws.length >= most || this.#outcomeBytes > 2 ** 30 || this.#listed > 8_388_608
    return tooMuch || oldest.time + retentionMs <= time
  }

  #forget(): void {
    const oldest = this.draws.shift()!
    this.#outcomeBytes -= bytesOf(oldest)
    const sharing = this.#lists.get(oldest.items)! - 1
    if (sharing > 0) this.#lists.set(oldest.items, sharing)
    else {
      this.#lists.delete(oldest.items)
      this.#listed -= oldest.items.length
    }
  }

  /** Their part of the state hash. */
  get stateHash(): bigint {
    if (this.policy === null) return 0n
    const { retentionMs, most, secret } = this.policy
    let hash = hashNumber(hashNumber(0x811c9dc5n, retentionMs), most)
    for (const byte of secret) hash = step(hash, BigInt(byte))
    for (const draw of this.draws) hash += hashDraw(draw)
    return word(hash)
  }
}

const word = (value: bigint): bigint => BigInt.asUintN(32, value)
const step = (hash: bigint, value: bigint): bigint => word((hash ^ value) * 0x01000193n)

function hashNumber(hash: bigint, value: number): bigint {
  return step(step(hash, word(BigInt(value))), BigInt(value) >> 32n)
}

/** The draws given and asked for, as a word. */
function packRequest({ outcomes, asked, partial }: Pick<KeptDraw, 'outcomes' | 'asked' | 'partial'>): number {
  return outcomes.length + asked * 2 ** 14 + (partial ? 2 ** 28 : 0)
}

/** A draw does not change, and a log has a state hash, over all that are kept, for each of its files. */
const drawHashes = new WeakMap<KeptDraw, bigint>()

function hashDraw(draw: KeptDraw): bigint {
  const known = drawHashes.get(draw)
  if (known !== undefined) return known
  const hash = computeDrawHash(draw)
  drawHashes.set(draw, hash)
  return hash
}

function computeDrawHash(draw: KeptDraw): bigint {
  const [first, time] = [BigInt(draw.firstDraw), BigInt(draw.time)]
  const hash = Buffer.from(draw.hash, 'hex')
  let own = 0x811c9dc5n
  for (let at = 0; at < 16; at += 4) own = step(own, BigInt(hash.readUInt32LE(at)))
  own = step(own, word(first))
  own = step(own, word(time))
  own = step(own, ((first >> 32n) << 11n) | (time >> 32n))
  for (const value of [draw.version, packRequest(draw), draw.recipient, ...draw.outcomes])
    own = step(own, word(BigInt(value)))
  return own
}

const long = (value: bigint): bigint => BigInt.asUintN(64, value)
const turn = (value: bigint, by: bigint): bigint => long((value << by) | (value >> (64n - by)))

/** SipHash-2-4 with 128 bits of output. */
function sipHash(secret: Buffer, message: Buffer): Buffer {
  const [k0, k1] = [secret.readBigUInt64LE(0), secret.readBigUInt64LE(8)]
  let v0 = k0 ^ 0x736f6d6570736575n
  let v1 = k1 ^ 0x646f72616e646f6dn ^ 0xeen
  let v2 = k0 ^ 0x6c7967656e657261n
  let v3 = k1 ^ 0x7465646279746573n
  const rounds = (count: number): void => {
    for (let left = count; left > 0; left--) {
      v0 = long(v0 + v1)
      v1 = turn(v1, 13n) ^ v0
      v0 = turn(v0, 32n)
      v2 = long(v2 + v3)
      v3 = turn(v3, 16n) ^ v2
      v0 = long(v0 + v3)
      v3 = turn(v3, 21n) ^ v0
      v2 = long(v2 + v1)
      v1 = turn(v1, 17n) ^ v2
      v2 = turn(v2, 32n)
    }
  }
  const padded = Buffer.concat([message, Buffer.alloc(8 - (message.length % 8))])
  padded[padded.length - 1] = message.length & 0xff
  for (let at = 0; at < padded.length; at += 8) {
    const part = padded.readBigUInt64LE(at)
    v3 ^= part
    rounds(2)
    v0 ^= part
  }
  const hash = Buffer.alloc(16)
  v2 ^= 0xeen
  rounds(4)
  hash.writeBigUInt64LE(v0 ^ v1 ^ v2 ^ v3, 0)
  v1 ^= 0xddn
  rounds(4)
  hash.writeBigUInt64LE(v0 ^ v1 ^ v2 ^ v3, 8)
  return hash
}
