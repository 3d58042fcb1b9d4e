import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { zstdDecompressSync } from 'node:zlib'

/**
 * A second reader of the log, written from docs/data-format.md and sharing no code with the engine. It believes what
 * it reads: whether bytes are right is the engine's business, what they say is this one's.
 */
export interface LoggedBatch {
  readonly offset: number
  readonly length: number
  readonly lsn: number
  readonly firstDraw: number
  /** Kinds of its records: `draws`, `put`, `item`, `status`, `delete`, `seal`, `request`, `keyPolicy`. */
  readonly kinds: string[]
}

export interface LoggedDraw {
  readonly number: number
  readonly pool: string
  readonly item: string
}

/** A pool as whoever applies the log with pen and paper would have it. */
export interface PaperPool {
  readonly id: string
  version: number
  status: string
  /** In order: item id, stock (-1 unlimited), drawn. */
  items: { id: string; stock: number; drawn: number }[]
  /** What was drawn of items that a later version left out. */
  readonly gone: Map<string, number>
}

export interface PaperLog {
  readonly draws: LoggedDraw[]
  readonly pools: Map<string, PaperPool>
  /** First draw numbers of the requests with a key, in order, by pool and key. */
  readonly keys: Map<string, number[]>
  /** LSNs in the order found. */
  readonly lsns: number[]
}

const kindNames = ['', 'draws', 'put', 'item', 'status', 'delete', 'seal', 'request', 'keyPolicy']
const headerBytes = 64
const batchHeaderBytes = 72

/** The batches of one segment's bytes, up to the first place that holds none. */
export function listBatches(bytes: Buffer): LoggedBatch[] {
  const batches: LoggedBatch[] = []
  let offset = headerBytes
  while (offset + batchHeaderBytes <= bytes.length) {
    const length = bytes.readUInt32LE(offset + 4)
    if (length < batchHeaderBytes || offset + length > bytes.length) break
    const kinds: string[] = []
    eachRecord(bytes, offset, (kind: number) => kinds.push(kindNames[kind]!))
    const lsn = Number(bytes.readBigUInt64LE(offset + 8))
    batches.push({ offset, length, lsn, firstDraw: Number(bytes.readBigUInt64LE(offset + 16)), kinds })
    offset += length
  }
  return batches
}

function eachRecord(bytes: Buffer, batch: number, visit: (kind: number, at: number) => void): void {
  const count = bytes.readUInt32LE(batch + 36)
  let at = batch + batchHeaderBytes
  for (let i = 0; i < count; i++) {
    const kind = bytes[at]!
    visit(kind, at)
    if (kind === 1) at += 12 + bytes[at + 1]! * bytes.readUInt32LE(at + 8)
    else if (kind === 2) at += 8 + bytes.readUInt32LE(at + 4)
    else if (kind === 3) at += 28
    else if (kind === 7) at = readNames(bytes, at).end
    else if (kind === 8) at += 32
    else at += 8
    at = (at + 3) & ~3
  }
}

/** The key of a request, and where its record ends. */
function readNames(bytes: Buffer, record: number): { key: string; end: number } {
  let at = record + 16 + bytes[record + 1]! * bytes.readUInt32LE(record + 8)
  const text = (): string => {
    let length = bytes[at++]!
    if (length >= 128) length += (bytes[at++]! - 1) * 128
    at += length
    return bytes.toString('utf8', at - length, at)
  }
  const key = text()
  text()
  return { key, end: at }
}

/** Files of the log in the order of their numbers, those archived included. */
function logFiles(directory: string): { number: number; path: string }[] {
  const archive = join(directory, 'archive')
  const live = readdirSync(directory).filter(name => /^segment-\d+\.log$/.test(name))
  const packed = existsSync(archive) ? readdirSync(archive).filter(name => name.endsWith('.log.zst')) : []
  const paths = new Map<number, string>()
  for (const name of packed) paths.set(Number(name.slice(8, 18)), join(archive, name))
  for (const name of live) paths.set(Number(name.slice(8, 18)), join(directory, name))
  return [...paths].sort((a, b) => a[0] - b[0]).map(([number, path]) => ({ number, path }))
}

/** The bytes of one file of the log, unpacked where it is archived. */
export function readLogFile(path: string): Buffer {
  const bytes = readFileSync(path)
  return path.endsWith('.zst') ? zstdDecompressSync(bytes) : bytes
}

/** Reads a whole log and applies it, one record at a time. */
export function readLogOnPaper(directory: string): PaperLog {
  const paper: PaperLog = { draws: [], pools: new Map(), keys: new Map(), lsns: [] }
  const byNumber: PaperPool[] = []
  for (const { path } of logFiles(directory)) {
    const bytes = readLogFile(path)
    for (const { offset, lsn } of listBatches(bytes)) {
      paper.lsns.push(lsn)
      eachRecord(bytes, offset, (kind, at) => applyOnPaper(paper, byNumber, bytes, kind, at))
    }
  }
  return paper
}

function applyOnPaper(paper: PaperLog, byNumber: PaperPool[], bytes: Buffer, kind: number, at: number): void {
  const number = bytes.readUInt32LE(at + 4)
  const pool = byNumber[number]!
  if (kind === 1) drawOnPaper(paper, pool, bytes, at, 12)
  else if (kind === 7) {
    const { key } = readNames(bytes, at)
    const name = `${pool.id} ${key}`
    if (key !== '') paper.keys.set(name, [...(paper.keys.get(name) ?? []), paper.draws.length + 1])
    drawOnPaper(paper, pool, bytes, at, 16)
  } else if (kind === 8) return
  else if (kind === 2) putOnPaper(paper, byNumber, bytes, at + 8)
  else if (kind === 3) {
    const item = pool.items[bytes.readUInt32LE(at + 8)]!
    item.stock += Number(bytes.readBigUInt64LE(at + 12))
    pool.version++
  } else if (kind === 4) pool.status = ['', 'open', 'paused', 'closed'][bytes[at + 1]!]!
  else if (kind === 5) paper.pools.delete(pool.id)
}

function drawOnPaper(paper: PaperLog, pool: PaperPool, bytes: Buffer, at: number, header: number): void {
  const width = bytes[at + 1]!
  const count = bytes.readUInt32LE(at + 8)
  for (let k = 0; k < count; k++) {
    const item = pool.items[bytes.readUIntLE(at + header + k * width, width)]!
    item.drawn++
    paper.draws.push({ number: paper.draws.length + 1, pool: pool.id, item: item.id })
  }
}

function putOnPaper(paper: PaperLog, byNumber: PaperPool[], bytes: Buffer, start: number): void {
  let at = start + 4
  const varint = (): number => {
    let value = 0
    for (let scale = 1; ; scale *= 128) {
      const byte = bytes[at++]!
      value += (byte & 127) * scale
      if (byte < 128) return value
    }
  }
  const text = (): string => {
    const length = varint()
    at += length
    return bytes.toString('utf8', at - length, at)
  }
  const id = text()
  at += 2
  varint()
  varint()
  text()
  const count = varint()
  const hasMetadata = bytes[at++] === 1
  const number = bytes.readUInt32LE(start)
  const pool = (byNumber[number] ??= { id, version: 0, status: 'open', items: [], gone: new Map() })
  for (const item of pool.items) pool.gone.set(item.id, item.drawn)
  pool.items = []
  for (let i = 0; i < count; i++) {
    const itemId = text()
    varint()
    const stock = varint() - 1
    if (hasMetadata) text()
    pool.items.push({ id: itemId, stock, drawn: pool.gone.get(itemId) ?? 0 })
  }
  pool.version++
  paper.pools.set(id, pool)
}
