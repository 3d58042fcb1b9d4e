import type { ItemIndexes, Status } from '../contract/index.ts'
import { limits } from '../contract/index.ts'
import type { KeyPolicy } from '../keys/key-table.ts'
import { secretBytes } from '../keys/key-table.ts'
import type { Rules } from '../pool/manifest.ts'
import type { ItemChange, LoggedRequest } from '../pool/state.ts'
import { ByteReader, MalformedBytes } from './bytes.ts'
import { readRules } from './rules.ts'

/**
 * What a batch can hold. Every record starts at a multiple of 4 with its kind; kinds are never given a new meaning.
 * A reader that meets a kind it does not know stops: it is older than the log.
 */
export const kinds = {
  /** u8 kind, u8 bytes an outcome (1, 2, 4), u16 zero, u32 pool number, u32 count, then the outcomes. */
  draws: 1,
  /** u8 kind, 3 zeros, u32 bytes that follow, then u32 pool number and the rules. */
  put: 2,
  /** u8 kind, u8 decimals, u16 flags (1: reweighed), u32 pool number, u32 item, u53 restock, u53 weight. */
  item: 3,
  /** u8 kind, u8 status (1 open, 2 paused, 3 closed), u16 zero, u32 pool number. */
  status: 4,
  /** u8 kind, 3 zeros, u32 pool number. */
  delete: 5,
  /** u8 kind, u8 reason (1 idle, 2 end of the file, 3 shutdown), u16 zero, u32 state hash. */
  seal: 6,
  /**
   * Draws of one request that has a key or a recipient: as `draws`, with u16 flags (1: takes what is left), then u32
   * draws asked for, the outcomes, and behind them text key and text recipient, each '' for none.
   */
  request: 7,
  /** u8 kind, 3 zeros, u32 keys kept at the most, u53 milliseconds that they are kept, 16 bytes of secret. */
  keyPolicy: 8,
} as const

export type SealReason = 'idle' | 'full' | 'shutdown'
export const sealReasons: readonly (SealReason | undefined)[] = [undefined, 'idle', 'full', 'shutdown']
export const statuses: readonly (Status | undefined)[] = [undefined, 'open', 'paused', 'closed']

/** Bytes of a draws record and of a request record before their outcomes. */
export const drawsHeaderBytes = 12
export const requestHeaderBytes = 16
export const requestFlags = { partial: 1 } as const

/** What reads a batch's records, in order. */
export interface RecordVisitor {
  draws(pool: number, items: ItemIndexes, start: number, count: number): void
  request(pool: number, items: ItemIndexes, start: number, count: number, request: LoggedRequest): void
  keyPolicy(policy: KeyPolicy): void
  put(pool: number, rules: Rules): void
  item(pool: number, change: ItemChange): void
  status(pool: number, status: Status): void
  delete(pool: number): void
  seal(reason: SealReason, stateHash: number): void
}

/** A piece of memory seen as outcomes of each width. Its offset and length are multiples of 8. */
export class OutcomeViews {
  readonly bytes: Uint8Array
  readonly view: DataView
  readonly #by2: Uint16Array
  readonly #by4: Uint32Array

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#by2 = new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.byteLength >> 1)
    this.#by4 = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength >> 2)
  }

  of(width: number): ItemIndexes {
    return width === 1 ? this.bytes : width === 2 ? this.#by2 : this.#by4
  }
}

const align4 = (at: number): number => (at + 3) & ~3

/**
 * Visits the `records` records between `start` and `end`. Throws MalformedBytes where they are not what a writer
 * writes: after a good CRC that is a newer format or a defect, never a torn write.
 */
export function visitRecords(
  views: OutcomeViews,
  start: number,
  end: number,
  records: number,
  visitor: RecordVisitor,
): void {
  let at = start
  for (let record = 0; record < records; record++) {
    if (at + 8 > end) throw new MalformedBytes(`record ${record} at ${at} is cut off`)
    const kind = views.bytes[at]!
    if (kind === kinds.draws) at = visitDraws(views, at, end, visitor)
    else if (kind === kinds.request) at = visitRequest(views, at, end, visitor)
    else at = visitOther(views, kind, at, end, visitor)
    at = align4(at)
  }
  // Padding to a multiple of 8 is all that may follow.
  if (at > end || end - at >= 8) throw new MalformedBytes(`${end - at} bytes after the last record`)
}

function visitDraws(views: OutcomeViews, at: number, end: number, visitor: RecordVisitor): number {
  const { width, count, first } = readRun(views, at, at + drawsHeaderBytes, end)
  visitor.draws(views.view.getUint32(at + 4, true), views.of(width), first / width, count)
  return first + count * width
}

function visitRequest(views: OutcomeViews, at: number, end: number, visitor: RecordVisitor): number {
  const { width, count, first } = readRun(views, at, at + requestHeaderBytes, end)
  const { view } = views
  const flags = view.getUint16(at + 2, true)
  const asked = view.getUint32(at + 12, true)
  const reader = new ByteReader(views.bytes, first + count * width, end)
  const key = reader.text()
  const recipient = reader.text()
  const partial = flags === requestFlags.partial
  if ((flags !== 0 && !partial) || asked === 0 || asked > limits.drawCount || count > asked + 1)
    throw new MalformedBytes(`${count} of ${asked} draws with flags ${flags} at ${at}`)
  if (key.length > limits.keyLength || recipient.length > limits.recipientLength)
    throw new MalformedBytes(
      `a key of ${key.length} or a recipient of ${recipient.length} characters at ${at}`,
    )
  const request = { asked, partial, key, recipient }
  visitor.request(view.getUint32(at + 4, true), views.of(width), first / width, count, request)
  return reader.at
}

/** Width and count of a run of outcomes whose record starts at `at`, checked against the end. */
function readRun(
  views: OutcomeViews,
  at: number,
  first: number,
  end: number,
): { width: 1 | 2 | 4; count: number; first: number } {
  if (first > end) throw new MalformedBytes(`a record of draws at ${at} is cut off`)
  const width = views.bytes[at + 1]!
  const count = views.view.getUint32(at + 8, true)
  if (width !== 1 && width !== 2 && width !== 4)
    throw new MalformedBytes(`${width} bytes an outcome at ${at}`)
  if (count === 0 || first + count * width > end) throw new MalformedBytes(`${count} draws at ${at}`)
  return { width, count, first }
}

function visitOther(
  views: OutcomeViews,
  kind: number,
  at: number,
  end: number,
  visitor: RecordVisitor,
): number {
  const reader = new ByteReader(views.bytes, at + 1, end)
  const detail = reader.u8()
  const flags = reader.u8() + reader.u8() * 0x100
  const word = reader.u32()
  switch (kind) {
    case kinds.put: {
      const body = new ByteReader(views.bytes, reader.at, Math.min(end, reader.at + word))
      const pool = body.u32()
      const rules = readRules(body)
      if (body.rest !== 0 || word > reader.rest) throw new MalformedBytes(`a put of ${word} bytes at ${at}`)
      visitor.put(pool, rules)
      return body.at
    }
    case kinds.item: {
      const item = reader.u32()
      const restock = reader.u53()
      const weight = reader.u53()
      visitor.item(word, { item, restock, weight: flags === 1 ? weight : -1, decimals: detail })
      return reader.at
    }
    case kinds.status: {
      const status = statuses[detail]
      if (status === undefined) throw new MalformedBytes(`status ${detail} at ${at}`)
      visitor.status(word, status)
      return reader.at
    }
    case kinds.keyPolicy: {
      const retentionMs = reader.u53()
      const secret = Uint8Array.from(reader.raw(secretBytes))
      if (retentionMs === 0 || word === 0) throw new MalformedBytes(`a policy without a bound at ${at}`)
      visitor.keyPolicy({ retentionMs, most: word, secret })
      return reader.at
    }
    case kinds.delete:
      visitor.delete(word)
      return reader.at
    case kinds.seal: {
      const reason = sealReasons[detail]
      if (reason === undefined) throw new MalformedBytes(`seal ${detail} at ${at}`)
      visitor.seal(reason, word | 0)
      return reader.at
    }
    default:
      throw new MalformedBytes(`a record of kind ${kind} at ${at}, which this version does not know`)
  }
}
