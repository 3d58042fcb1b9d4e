import type { ItemIndexes, Status } from '../contract/index.ts'
import { limits } from '../contract/index.ts'
import type { EncodedText } from '../keys/key-hash.ts'
import type { KeyPolicy } from '../keys/key-table.ts'
import { secretBytes } from '../keys/key-table.ts'
import type { Rules } from '../pool/manifest.ts'
import type { ItemChange, LoggedRequest } from '../pool/state.ts'
import type { BatchHeader } from './batch.ts'
import { headerBytes, terminatorBytes, writeHeader } from './batch.ts'
import { ByteWriter } from './bytes.ts'
import type { SealReason } from './records.ts'
import {
  drawsHeaderBytes,
  kinds,
  OutcomeViews,
  requestFlags,
  requestHeaderBytes,
  sealReasons,
  statuses,
} from './records.ts'
import { writeRules } from './rules.ts'

const initialCapacity = 64 * 1024
/** Room for one record of fixed size, with its alignment and the batch's padding. */
const slackBytes = 64
/** In the place of a pool's number: there is no open run, or one that nothing may be added to. */
const noRun = -1
const requestRun = -2

/**
 * Collects records into one batch. The samplers write outcomes straight into its memory: a run of draws from one
 * pool is one record, whoever asked for them.
 */
export class BatchBuilder {
  #views = new OutcomeViews(new Uint8Array(new SharedArrayBuffer(initialCapacity)))
  #end = headerBytes
  #records = 0
  /** Draws in the batch. */
  draws = 0
  /** Whether pools were put or deleted in it. */
  names = false
  readonly #texts = new ByteWriter(2048)
  // The open run, to which the next draws of the same pool are added.
  #runPool = noRun
  #runAt = 0
  #runWidth = 1
  #runCount = 0

  /** Size with padding, if it were finished now. */
  get length(): number {
    return (this.#end + 7) & ~7
  }

  /** Its memory; the batch starts at 0. */
  get views(): OutcomeViews {
    return this.#views
  }

  get records(): number {
    return this.#records
  }

  clear(): void {
    this.#end = headerBytes
    this.#records = 0
    this.draws = 0
    this.names = false
    this.#runPool = noRun
    // A batch that held a giant record does not keep its memory.
    if (this.#views.bytes.length > limits.batchTargetBytes * 4) {
      this.#views = new OutcomeViews(new Uint8Array(new SharedArrayBuffer(initialCapacity)))
    }
  }

  #ensure(bytes: number): void {
    const needed = this.#end + bytes + slackBytes
    const capacity = this.#views.bytes.length
    if (needed <= capacity) return
    const grown = new Uint8Array(new SharedArrayBuffer((Math.max(needed, capacity * 2) + 7) & ~7))
    grown.set(this.#views.bytes.subarray(0, this.#end))
    this.#views = new OutcomeViews(grown)
  }

  /** Closes the open run and returns where the next record starts. */
  #startRecord(bytes: number): number {
    this.#closeRun()
    this.#ensure(bytes)
    const at = (this.#end + 3) & ~3
    for (let k = this.#end; k < at; k++) this.#views.bytes[k] = 0
    this.#records++
    return at
  }

  #closeRun(): void {
    if (this.#runPool === noRun) return
    this.#views.view.setUint32(this.#runAt + 8, this.#runCount, true)
    this.#runPool = noRun
  }

  /**
   * Makes room for `count` outcomes of a pool at the end of its run, a new one where the last record is another.
   * The outcomes are written to `outcomes` from the returned index on, then counted with `addDraws`.
   */
  openRun(pool: number, width: 1 | 2 | 4, count: number): number {
    if (pool !== this.#runPool || width !== this.#runWidth) {
      const at = this.#startRecord(drawsHeaderBytes + count * width)
      const { bytes, view } = this.#views
      bytes[at] = kinds.draws
      bytes[at + 1] = width
      view.setUint16(at + 2, 0, true)
      view.setUint32(at + 4, pool, true)
      this.#runPool = pool
      this.#runAt = at
      this.#runWidth = width
      this.#runCount = 0
      this.#end = at + drawsHeaderBytes
    } else {
      this.#ensure(count * width)
    }
    return this.#end / width
  }

  /** The memory that outcomes of the open run are written to. */
  get outcomes(): ItemIndexes {
    return this.#views.of(this.#runWidth)
  }

  /** Counts outcomes written to the open run. */
  addDraws(count: number): void {
    this.#end += count * this.#runWidth
    this.#runCount += count
    this.draws += count
  }

  /**
   * Makes room for `count` outcomes of a request with a key or a recipient: a record of its own. The outcomes are
   * written and counted as in a run, and `endRequest` closes it.
   */
  openRequest(pool: number, width: 1 | 2 | 4, count: number, request: LoggedRequest): number {
    const at = this.#startRecord(requestHeaderBytes + count * width)
    const { view } = this.#views
    this.#fixed(at, kinds.request, width, request.partial ? requestFlags.partial : 0, pool)
    view.setUint32(at + 12, request.asked, true)
    this.#runPool = requestRun
    this.#runAt = at
    this.#runWidth = width
    this.#runCount = 0
    this.#end = at + requestHeaderBytes
    return this.#end / width
  }

  /** `encodedKey`: its key where that is at hand in UTF-8, which saves reading the text once more. */
  endRequest({ key, recipient }: LoggedRequest, encodedKey: EncodedText | null): void {
    this.#closeRun()
    this.#ensure(6 + (key.length + recipient.length) * 3)
    if (encodedKey === null) this.#text(key)
    else this.#encoded(encodedKey)
    this.#text(recipient)
  }

  /** A text that is UTF-8 already; the room is there. Most are so short that copying by call would cost more. */
  #encoded({ bytes: from, start, end }: EncodedText): void {
    const { bytes } = this.#views
    const length = end - start
    let at = this.#end
    if (length < 0x80) bytes[at++] = length
    else {
      bytes[at++] = (length & 0x7f) | 0x80
      bytes[at++] = length >> 7
    }
    for (let k = start; k < end; k++) bytes[at++] = from[k]!
    this.#end = at
  }

  /** A text as ByteWriter writes it; the room is there. Most are short and ASCII: a call into UTF-8 costs more. */
  #text(text: string): void {
    const { bytes } = this.#views
    const at = this.#end + 1
    let end = at
    if (text.length < 0x80) {
      let unit = 0
      while (end - at < text.length && (unit = text.charCodeAt(end - at)) < 0x80) bytes[end++] = unit
      if (end - at === text.length) {
        bytes[at - 1] = text.length
        this.#end = end
        return
      }
    }
    const texts = this.#texts
    texts.length = 0
    texts.text(text)
    bytes.set(texts.written(), at - 1)
    this.#end = at - 1 + texts.length
  }

  keyPolicy({ most, retentionMs, secret }: KeyPolicy): void {
    const at = this.#startRecord(16 + secretBytes)
    this.#fixed(at, kinds.keyPolicy, 0, 0, most)
    const tail = new ByteWriter(8 + secretBytes)
    tail.u53(retentionMs)
    tail.raw(secret)
    this.#views.bytes.set(tail.written(), at + 8)
    this.#end = at + 16 + secretBytes
  }

  put(pool: number, rules: Rules): void {
    const body = new ByteWriter(1024 + rules.itemIds.length * 16)
    body.u32(pool)
    writeRules(body, rules)
    const at = this.#startRecord(8 + body.length)
    this.#fixed(at, kinds.put, 0, 0, body.length)
    this.names = true
    this.#views.bytes.set(body.written(), at + 8)
    this.#end = at + 8 + body.length
  }

  item(pool: number, change: ItemChange): void {
    const at = this.#startRecord(28)
    this.#fixed(at, kinds.item, change.decimals, change.weight >= 0 ? 1 : 0, pool)
    const tail = new ByteWriter(20)
    tail.u32(change.item)
    tail.u53(change.restock)
    tail.u53(Math.max(0, change.weight))
    this.#views.bytes.set(tail.written(), at + 8)
    this.#end = at + 28
  }

  status(pool: number, status: Status): void {
    const at = this.#startRecord(8)
    this.#fixed(at, kinds.status, statuses.indexOf(status), 0, pool)
    this.#end = at + 8
  }

  delete(pool: number): void {
    const at = this.#startRecord(8)
    this.#fixed(at, kinds.delete, 0, 0, pool)
    this.names = true
    this.#end = at + 8
  }

  seal(reason: SealReason, stateHash: number): void {
    const at = this.#startRecord(8)
    this.#fixed(at, kinds.seal, sealReasons.indexOf(reason), 0, stateHash)
    this.#end = at + 8
  }

  #fixed(at: number, kind: number, detail: number, flags: number, word: number): void {
    const { bytes, view } = this.#views
    bytes[at] = kind
    bytes[at + 1] = detail
    view.setUint16(at + 2, flags, true)
    view.setUint32(at + 4, word >>> 0, true)
  }

  /**
   * Pads the batch, writes its header (all but the CRC and the hash, which belong to the log) and returns its bytes
   * and the terminator behind them. The memory stays the builder's: it holds until `clear`.
   */
  finish(header: Omit<BatchHeader, 'length' | 'records'>): Uint8Array {
    this.#closeRun()
    const length = this.length
    this.#views.bytes.fill(0, this.#end, length + terminatorBytes)
    this.#end = length
    writeHeader(this.#views.view, { ...header, length, records: this.#records })
    return this.#views.bytes.subarray(0, length + terminatorBytes)
  }
}
