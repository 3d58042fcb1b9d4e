import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { crc32, zstdDecompressSync } from 'node:zlib'
import { ByteCursor } from './byte-cursor.ts'
import { KeptDraws, readOutcomes, readPolicy, widthOf } from './decoded-keys.ts'
import { type DecodedPool, hashState, newPool, type Rules, readRules } from './decoded-pool.ts'

/**
 * A reader of data directories written from docs/data-format.md alone: it shares no line with the engine, and checks
 * every rule of that page. Anything that breaks one throws.
 */
export interface DecodedLog {
  readonly identity: string
  /** By pool number. */
  readonly pools: Map<number, DecodedPool>
  readonly batches: readonly DecodedBatch[]
  /** The last batch's; zeros before the first. */
  readonly position: { lsn: number; time: number; epoch: number; hash: string }
  readonly drawNumber: number
  readonly nextPool: number
  readonly keys: KeptDraws
  readonly stateHash: number
  /** The reason of the seal that the last batch is: `idle`, `full` or `shutdown`; '' where it is none. */
  readonly sealed: string
}

export interface DecodedBatch {
  readonly segment: number
  readonly offset: number
  readonly length: number
  readonly lsn: number
  readonly firstDraw: number
  readonly time: number
  readonly epoch: number
  readonly kinds: readonly string[]
}

/** What a request record says beside its draws. */
export interface DecodedRequest {
  readonly asked: number
  readonly partial: boolean
  readonly key: string
  readonly recipient: string
}

/** Told of draws in the order of their numbers. `items` are indexes into `pool.items` as they are at that moment. */
export type OnDraws = (
  firstDraw: number,
  pool: DecodedPool,
  items: readonly number[],
  request: DecodedRequest | undefined,
  time: number,
) => void

export interface DecodeOptions {
  readonly onDraws?: OnDraws
  /** Told of each segment that has been read, and what the log comes to behind it. */
  readonly onSegment?: (number: number, log: DecodedLog) => void
  /** Stop behind this segment. */
  readonly lastSegment?: number
}

const seals = ['', 'idle', 'full', 'shutdown']
const statuses = ['', 'open', 'paused', 'closed']

function must(holds: boolean, what: string): void {
  if (!holds) throw new Error(what)
}

/** Files of a data directory by name, those of the archive with `archive/` before it. */
export type LogFiles = ReadonlyMap<string, Uint8Array>

function readFiles(directory: string): LogFiles {
  const files = new Map<string, Buffer>()
  for (const folder of ['', 'archive/']) {
    const path = join(directory, folder)
    for (const name of existsSync(path) ? readdirSync(path) : [])
      if (/^segment-\d{10}\.log(?:\.zst)?$/.test(name))
        files.set(folder + name, readFileSync(join(path, name)))
  }
  return files
}

/** All segments, archived ones unpacked, in order; where one is in both places, the one in place counts. */
function readSegments(files: LogFiles): [number, Buffer][] {
  const segments = new Map<number, Buffer>()
  for (const [name, bytes] of files) {
    const number = /^archive\/segment-(\d{10})\.log\.zst$/.exec(name)?.[1]
    if (number !== undefined) segments.set(Number(number), zstdDecompressSync(bytes))
  }
  for (const [name, bytes] of files) {
    const number = /^segment-(\d{10})\.log$/.exec(name)?.[1]
    if (number !== undefined) segments.set(Number(number), Buffer.from(bytes))
  }
  return [...segments].sort(([a], [b]) => a - b)
}

/** Decodes a directory, or the files of one, from the first batch of its log on. */
export function decodeLog(from: string | LogFiles, options: DecodeOptions = {}): DecodedLog {
  const decoder = new Decoder(options.onDraws ?? (() => {}))
  for (const [number, bytes] of readSegments(typeof from === 'string' ? readFiles(from) : from)) {
    if (number > (options.lastSegment ?? Number.POSITIVE_INFINITY)) break
    decoder.segment(number, bytes)
    options.onSegment?.(number, decoder)
  }
  return decoder
}

class Decoder implements DecodedLog {
  identity = ''
  readonly pools = new Map<number, DecodedPool>()
  readonly batches: DecodedBatch[] = []
  position = { lsn: 0, time: 0, epoch: 0, hash: '00'.repeat(32) }
  drawNumber = 0
  nextPool = 0
  readonly keys = new KeptDraws()
  #lastSegment = 0
  sealed = 'full'
  readonly #onDraws: OnDraws

  constructor(onDraws: OnDraws) {
    this.#onDraws = onDraws
  }

  get stateHash(): number {
    return hashState(this.pools.values(), this.keys)
  }

  segment(number: number, bytes: Buffer): void {
    const name = `segment ${number}`
    must(number === this.#lastSegment + 1, `${name} follows segment ${this.#lastSegment}`)
    this.#lastSegment = number
    const header = new ByteCursor(bytes.subarray(0, 64))
    must(header.take(8).toString('latin1') === 'KUJILOG\n', `${name}: not a log`)
    must(header.u32() === 1, `${name}: another format version`)
    must(header.u32() === 0, `${name}: another shard`)
    const identity = header.take(16)
    must(this.identity === '' || this.identity === identity.toString('hex'), `${name}: another directory`)
    this.identity = identity.toString('hex')
    must(header.u53() === number, `${name}: misnamed`)
    must(header.u53() === bytes.length, `${name}: ${bytes.length} bytes`)
    must(header.take(12).equals(Buffer.alloc(12)), `${name}: zeros`)
    must(header.u32() === crc32(bytes.subarray(0, 60)), `${name}: CRC of the header`)
    const seed = crc32(bytes.subarray(32, 40), crc32(identity))
    let offset = 64
    for (let length = 0; (length = wholeBatch(bytes, offset, seed)) > 0; offset += length) {
      // A segment is left only through its seal, so nothing stands in one whose forerunner has none.
      must(offset > 64 || this.sealed === 'full', `${name}: the segment before it was not ended`)
      this.#batch(number, offset, bytes.subarray(offset, offset + length))
    }
    must(bytes.subarray(offset, offset + 8).equals(Buffer.alloc(8)), `${name}: no terminator at ${offset}`)
  }

  #batch(segment: number, offset: number, bytes: Buffer): void {
    const name = `segment ${segment}, offset ${offset}`
    const cursor = new ByteCursor(bytes, 8)
    const header = { lsn: cursor.u53(), firstDraw: cursor.u53(), time: cursor.u53(), epoch: cursor.u32() }
    const records = cursor.u32()
    must(header.lsn === this.position.lsn + 1, `${name}: LSN ${header.lsn}`)
    must(header.firstDraw === this.drawNumber + 1, `${name}: first draw ${header.firstDraw}`)
    must(header.time >= this.position.time, `${name}: its time runs back`)
    must(header.epoch >= this.position.epoch, `${name}: epoch ${header.epoch}`)
    must(cursor.take(32).toString('hex') === this.position.hash, `${name}: chain of hashes`)
    this.sealed = ''
    const kinds: string[] = []
    for (let record = 0; record < records; record++) {
      cursor.align(4)
      kinds.push(this.#record(cursor, header.time))
    }
    must(cursor.rest < 8 && cursor.take(cursor.rest).every(byte => byte === 0), `${name}: padding`)
    must(!kinds.includes('seal') || bytes.length === 80, `${name}: a seal that does not stand alone`)
    const hash = createHash('sha256').update(bytes.subarray(4)).digest('hex')
    this.position = { lsn: header.lsn, time: header.time, epoch: header.epoch, hash }
    this.batches.push({ segment, offset, length: bytes.length, ...header, kinds })
  }

  #record(cursor: ByteCursor, time: number): string {
    const kind = cursor.u8()
    const detail = cursor.u8()
    const flags = cursor.u16()
    const word = cursor.u32()
    must(flags === 0 || kind === 3 || kind === 7, `flags ${flags} in a record of kind ${kind}`)
    switch (kind) {
      case 1:
        this.#draws(this.#pool(word), detail, cursor, time)
        return 'draws'
      case 2:
        this.#put(new ByteCursor(cursor.take(word)))
        return 'put'
      case 3:
        this.#item(this.#pool(word), detail, flags, cursor)
        return 'item'
      case 4:
        this.#pool(word).status = statuses[detail] as DecodedPool['status']
        return 'status'
      case 5:
        must(this.pools.delete(word), `pool number ${word} is not there`)
        return 'delete'
      case 6:
        must(word === this.stateHash, `state hash ${word}, computed ${this.stateHash}`)
        this.sealed = seals[detail]!
        return 'seal'
      case 7:
        this.#request(this.#pool(word), detail, flags, cursor, time)
        return 'request'
      case 8:
        this.keys.policy = readPolicy(cursor, word)
        return 'keyPolicy'
    }
    throw new Error(`kind ${kind}`)
  }

  #pool(number: number): DecodedPool {
    const pool = this.pools.get(number)
    if (pool === undefined) throw new Error(`pool number ${number} is not there`)
    return pool
  }

  #draws(pool: DecodedPool, width: number, cursor: ByteCursor, time: number): void {
    const count = cursor.u32()
    const items = this.#outcomes(pool, width, count, cursor)
    this.#onDraws(this.drawNumber + 1, pool, items, undefined, time)
    this.drawNumber += count
  }

  #request(pool: DecodedPool, width: number, flags: number, cursor: ByteCursor, time: number): void {
    const count = cursor.u32()
    const asked = cursor.u32()
    const outcomes = this.#outcomes(pool, width, count, cursor)
    const [key, recipient] = [cursor.text(), cursor.text()]
    const partial = flags === 1
    must(flags <= 1 && asked >= 1 && asked <= 10_000, `flags ${flags}, ${asked} draws asked for`)
    must(count <= asked + (pool.lastOne < 0 ? 0 : 1) && (partial || count >= asked), `${count} of ${asked}`)
    must(key !== '' || recipient !== '', 'a request that nobody has named')
    const firstDraw = this.drawNumber + 1
    this.#onDraws(firstDraw, pool, outcomes, { asked, partial, key, recipient }, time)
    this.drawNumber += count
    if (key === '') return
    const { id, version, itemIds: items } = pool
    this.keys.add({ firstDraw, time, pool: id, items, version, asked, partial, outcomes }, key, recipient)
  }

  #outcomes(pool: DecodedPool, width: number, count: number, cursor: ByteCursor): number[] {
    must(width === widthOf(pool.items.length), `width ${width} for ${pool.items.length} items`)
    must(count > 0, 'no draws in a record of draws')
    const outcomes = readOutcomes(cursor, width, count)
    for (const index of outcomes) {
      const item = pool.items[index]!
      item.drawn++
      must(item.stock === 'unlimited' || item.drawn <= item.stock, `more of ${item.id} than its stock`)
    }
    return outcomes
  }

  #put(cursor: ByteCursor): void {
    const number = cursor.u32()
    const rules: Rules = readRules(cursor)
    must(cursor.rest === 0, `${cursor.rest} bytes behind the rules of ${rules.id}`)
    const before = this.pools.get(number)
    must(before !== undefined || number === this.nextPool, `pool number ${number}`)
    must(before === undefined || before.id === rules.id, `pool number ${number} is ${before?.id}`)
    this.nextPool = Math.max(this.nextPool, number + 1)
    this.pools.set(number, newPool(number, rules, before))
  }

  #item(pool: DecodedPool, decimals: number, flags: number, cursor: ByteCursor): void {
    const item = pool.items[cursor.u32()]!
    const restock = cursor.u53()
    const weight = cursor.u53()
    must(decimals >= pool.decimals && flags <= 1, `an item record of ${pool.id}`)
    for (const each of pool.items) each.weight *= 10 ** (decimals - pool.decimals)
    pool.decimals = decimals
    if (flags === 1) item.weight = weight
    if (restock > 0) item.stock = (item.stock as number) + restock
    pool.version++
  }
}

/** The length of the batch at an offset, or 0 where none is whole. */
function wholeBatch(bytes: Buffer, offset: number, seed: number): number {
  if (offset + 72 > bytes.length) return 0
  const length = bytes.readUInt32LE(offset + 4)
  if (length < 72 || length > 83_886_080 || length % 8 !== 0 || offset + length > bytes.length) return 0
  const crc = crc32(bytes.subarray(offset + 4, offset + length), seed)
  return crc === bytes.readUInt32LE(offset) ? length : 0
}
