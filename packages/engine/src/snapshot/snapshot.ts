import { createHash } from 'node:crypto'
import { KujiError, limits } from '../contract/index.ts'
import type { Disk } from '../disk/disk.ts'
import { atOnce, pieceBytes, writeFully, writePieces, writeWhole } from '../disk/disk.ts'
import type { Pace } from '../disk/pacer.ts'
import { identityBytes } from '../log/segment.ts'
import { computeSums, Pool } from '../pool/pool.ts'
import { computeStateHash, State } from '../pool/state.ts'
import { hashBytes } from '../record/batch.ts'
import { ByteReader, ByteWriter, MalformedBytes } from '../record/bytes.ts'
import { statuses } from '../record/records.ts'
import { readRules, writeRules } from '../record/rules.ts'
import type { LogPosition } from '../recovery/replay.ts'
import { readKeys, writeKeys } from './kept-keys.ts'

/**
 * The whole state behind the last batch of a segment. docs/data-format.md tells the layout; its last 32 bytes are the
 * SHA-256 of everything before them.
 */
export interface Snapshot {
  readonly identity: Uint8Array
  readonly shard: number
  /** The segment whose end this is. */
  readonly segment: number
  readonly position: LogPosition
  readonly state: State
}

/** Version 1 had no keys. */
const snapshotVersion = 2
const hashedAtOnce = 2 ** 30
const magic = Buffer.from('KUJISNAP', 'latin1')
const namePattern = /^snapshot-(\d{10})\.snap$/

export function snapshotName(segment: number): string {
  return `snapshot-${String(segment).padStart(10, '0')}.snap`
}

/** The segment in a snapshot's file name, or 0 where the name is none. */
export function parseSnapshotName(name: string): number {
  return Number(namePattern.exec(name)?.[1] ?? 0)
}

function writePool(writer: ByteWriter, pool: Pool): void {
  writer.u32(pool.number)
  writer.varint(pool.version)
  writer.u8(statuses.indexOf(pool.status))
  writer.varint(pool.drawnTotal)
  writeRules(writer, pool)
  for (const drawn of pool.drawn) writer.varint(drawn)
  writer.varint(pool.retired.size)
  for (const [id, drawn] of pool.retired) {
    writer.text(id)
    writer.varint(drawn)
  }
}

function readPool(reader: ByteReader): Pool {
  const number = reader.u32()
  const version = reader.varint()
  const status = statuses[reader.u8()]
  const drawnTotal = reader.varint()
  const rules = readRules(reader)
  if (status === undefined) throw new MalformedBytes(`a status of pool "${rules.id}"`)
  const { mode, itemIds, weights, decimals, stock, fallback, lastOne, metadata, itemMetadata } = rules
  const pool = Object.assign(new Pool(number, rules.id), {
    version,
    status,
    drawnTotal,
    mode,
    itemIds,
    weights,
  })
  Object.assign(pool, { decimals, stock, fallback, lastOne, metadata, itemMetadata })
  pool.drawn = new Float64Array(itemIds.length)
  for (let i = 0; i < itemIds.length; i++) pool.drawn[i] = reader.varint()
  for (let retired = reader.varint(); retired > 0; retired--) pool.retired.set(reader.text(), reader.varint())
  computeSums(pool)
  return pool
}

/** Writes a snapshot. Returns its size in bytes. */
export async function writeSnapshot(
  disk: Disk,
  directory: string,
  snapshot: Snapshot,
  pace: Pace = atOnce,
): Promise<number> {
  return writeWhole(disk, directory, snapshotName(snapshot.segment), async file => {
    const digest = createHash('sha256')
    let at = 0
    const writer = new ByteWriter(pieceBytes)
    const flush = async (): Promise<void> => {
      const chunk = writer.written()
      digest.update(chunk)
      await writePieces(file, chunk, at, pace)
      await pace()
      at += chunk.length
      writer.length = 0
    }
    writeStart(writer, snapshot)
    for (const pool of snapshot.state.pools.values()) {
      writePool(writer, pool)
      if (writer.length >= pieceBytes / 2) await flush()
    }
    await writeKeys(writer, snapshot.state, () => (writer.length >= pieceBytes / 2 ? flush() : undefined))
    await flush()
    await writeFully(file, digest.digest(), at)
    return at + hashBytes
  })
}

function writeStart(writer: ByteWriter, { identity, shard, segment, position, state }: Snapshot): void {
  writer.raw(magic)
  writer.u32(snapshotVersion)
  writer.u32(shard)
  writer.raw(identity)
  writer.u53(segment)
  writer.u53(position.lsn)
  writer.u53(position.time)
  writer.u32(position.epoch)
  writer.raw(position.hash)
  writer.u53(state.drawNumber)
  writer.u32(state.hash)
  writer.u32(state.nextPool)
  writer.u32(state.pools.size)
}

/** What the system says of itself or of rights, and not of a file: with the next start it may be gone. */
const passingErrors = new Set(['EMFILE', 'ENFILE', 'ENOMEM', 'EAGAIN', 'EINTR', 'EACCES', 'EPERM'])

/** Whether a file that cannot be read now may be read at the next try, with nothing done to it. */
export function mayPass(error: unknown): boolean {
  return passingErrors.has((error as NodeJS.ErrnoException).code ?? '')
}

/**
 * Reads the snapshot behind a segment. Throws `CORRUPT` where it is not whole, not of this directory and shard, or
 * cannot be read: a bad sector makes it as good as damaged, and so does a size that memory has no room for. Only an
 * error that may pass is thrown as it is; going on without the snapshot would then only take longer, or say that the
 * log is lost.
 */
export async function readSnapshot(
  disk: Disk,
  directory: string,
  segment: number,
  { identity, shard }: Pick<Snapshot, 'identity' | 'shard'>,
): Promise<Snapshot> {
  const path = `${directory}/${snapshotName(segment)}`
  const snapshot = await readAndDecode(disk, path)
  const own = Buffer.compare(snapshot.identity, identity) === 0 && snapshot.shard === shard
  if (own && snapshot.segment === segment) return snapshot
  const message = `${path}: it belongs to another data directory or shard, or is misnamed`
  throw new KujiError('CORRUPT', message, { file: path })
}

async function readAndDecode(disk: Disk, path: string): Promise<Snapshot> {
  try {
    return decodeSnapshot(await disk.read(path), path)
  } catch (error) {
    if (error instanceof KujiError || mayPass(error)) throw error
    const why = error instanceof Error ? error.message : String(error)
    throw new KujiError('CORRUPT', `${path}: cannot be read: ${why}`, { file: path }, { cause: error })
  }
}

/** Decodes a snapshot. Throws `CORRUPT`, naming the file, where it is not whole or not of this format. */
export function decodeSnapshot(bytes: Uint8Array, path: string): Snapshot {
  const corrupt = (why: string): KujiError => new KujiError('CORRUPT', `${path}: ${why}`, { file: path })
  if (bytes.length < magic.length + 4 + hashBytes)
    throw corrupt(`${bytes.length} bytes, too short for a snapshot`)
  const end = bytes.length - hashBytes
  const reader = new ByteReader(bytes, 0, end)
  if (!reader.raw(magic.length).equals(magic)) throw corrupt('not a kuji snapshot')
  const version = reader.u32()
  if (version === 0 || version > snapshotVersion) {
    throw corrupt(`format version ${version}; this kuji reads versions up to ${snapshotVersion}`)
  }
  const digest = createHash('sha256')
  // Node hashes fewer than 2 GiB at once.
  for (let at = 0; at < end; at += hashedAtOnce)
    digest.update(bytes.subarray(at, Math.min(end, at + hashedAtOnce)))
  if (!digest.digest().equals(bytes.subarray(end))) throw corrupt('its digest does not match')
  try {
    return readBody(reader, version)
  } catch (error) {
    if (error instanceof MalformedBytes) throw corrupt(error.message)
    throw error
  }
}

function readBody(reader: ByteReader, version: number): Snapshot {
  const shard = reader.u32()
  const identity = Uint8Array.from(reader.raw(identityBytes))
  const segment = reader.u53()
  const lsn = reader.u53()
  const time = reader.u53()
  if (time > limits.time) throw new MalformedBytes('its time is beyond all times')
  const epoch = reader.u32()
  const hash = Uint8Array.from(reader.raw(hashBytes))
  const state = new State()
  state.drawNumber = reader.u53()
  state.hash = reader.u32() | 0
  state.nextPool = reader.u32()
  const pools = reader.u32()
  for (let i = 0; i < pools; i++) {
    const pool = readPool(reader)
    if (pool.number >= state.nextPool)
      throw new MalformedBytes(`pool number ${pool.number} of ${state.nextPool}`)
    if (state.pools.has(pool.id) || state.byNumber.has(pool.number))
      throw new MalformedBytes(`pool "${pool.id}" or its number ${pool.number} is there twice`)
    state.byNumber.set(pool.number, pool)
    state.pools.set(pool.id, pool)
    state.items += pool.itemIds.length
    state.poolHeapBytes += pool.heapBytes
  }
  if (version > 1) readKeys(reader, state)
  if (reader.rest !== 0) throw new MalformedBytes(`${reader.rest} bytes after the end`)
  const computed = computeStateHash(state)
  if (computed !== state.hash)
    throw new MalformedBytes(`its state hash is ${hex(state.hash)}, its state comes to ${hex(computed)}`)
  return { identity, shard, segment, position: { lsn, time, epoch, hash }, state }
}

function hex(hash: number): string {
  return (hash >>> 0).toString(16).padStart(8, '0')
}
