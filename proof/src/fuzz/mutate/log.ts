import { zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { parseSegmentName, segmentName } from '../../../../packages/engine/src/log/segment.ts'
import { headerBytes } from '../../../../packages/engine/src/record/batch.ts'
import { parseSnapshotName, snapshotName } from '../../../../packages/engine/src/snapshot/snapshot.ts'
import type { Chance } from '../../chance.ts'
import { packFiles, unpackFiles } from '../log/file-set.ts'
import {
  type Mending,
  mendSegments,
  putTogether,
  type SegmentParts,
  takeApart,
} from '../log/segment-bytes.ts'
import { interestingNumbers, mutateBytes } from './bytes.ts'
import { mendSnapshot, mutateSnapshot } from './snapshot.ts'

type Files = Map<string, Uint8Array>

/** Most bytes of an unpacked archive that are looked at. */
const mostArchiveBytes = 256 * 1024

const isArchived = (name: string): boolean => name.startsWith('archive/') && name.endsWith('.zst')
const isSegment = (name: string): boolean => parseSegmentName(name) > 0

function takeAllApart(files: Files): [string, SegmentParts][] {
  const names = [...files.keys()].filter(isSegment).sort()
  return names.map(name => [name, takeApart(files.get(name)!)])
}

function mendFiles(files: Files, mending: Mending): void {
  const segments = takeAllApart(files)
  mendSegments(segments, mending)
  for (const [name, parts] of segments) files.set(name, putTogether(parts))
}

/** The input with all checksums right, and the order of its batches too. */
export function mendLog(input: Uint8Array): Uint8Array {
  const files = unpackFiles(input)
  mendFiles(files, 'sequence')
  for (const [name, bytes] of files) if (parseSnapshotName(name) > 0) files.set(name, mendSnapshot(bytes))
  return packFiles(files)
}

/** Changes files, or what is in them; most of the time checksums are right then. */
export function mutateLog(input: Uint8Array, other: Uint8Array, chance: Chance): Uint8Array {
  if (chance.happens(0.02)) return mutateBytes(input, other, chance)
  const [files, others] = [unpackFiles(input), unpackFiles(other)]
  do {
    const names = [...files.keys()]
    if (names.length === 0) return input
    const name = chance.pick(names)
    if (chance.happens(0.08)) changeFiles(files, name, others, chance)
    else if (isSegment(name)) changeSegment(files, name, others, chance)
    else if (parseSnapshotName(name) > 0)
      files.set(name, mutateSnapshot(files.get(name)!, anyOf(others, chance), chance))
    else if (isArchived(name)) changeArchived(files, name, others, chance)
    else files.set(name, mutateBytes(files.get(name)!, anyOf(others, chance), chance))
  } while (chance.happens(0.4))
  const mending = chance.pick(['sequence', 'sequence', 'sequence', 'checksums', null] as const)
  if (mending !== null) mendFiles(files, mending)
  return packFiles(files)
}

function anyOf(files: Files, chance: Chance): Uint8Array {
  return files.size === 0 ? new Uint8Array(0) : chance.pick([...files.values()])
}

/** A file goes, has another name, is there twice, or longer or shorter than it was. */
function changeFiles(files: Files, name: string, others: Files, chance: Chance): void {
  const bytes = files.get(name)!
  switch (chance.below(6)) {
    case 0:
      files.delete(name)
      return
    case 1:
      files.delete(name)
      files.set(anyName(chance), bytes)
      return
    case 2:
      files.set(anyName(chance), bytes)
      return
    case 3:
      for (const [path, content] of others) if (chance.happens(0.5)) files.set(path, content)
      return
    case 4:
      files.set(name, bytes.slice(0, chance.below(bytes.length + 1)))
      return
    default: {
      const longer = new Uint8Array(Math.min(bytes.length + chance.pick([1, 7, 8, 4096]), 64 * 1024))
      longer.set(bytes.subarray(0, longer.length))
      files.set(name, longer)
    }
  }
}

function anyName(chance: Chance): string {
  const near = chance.between(1, 12)
  const number = chance.happens(0.8) ? near : chance.pick([0, 9_999_999_999, 100, 65_536, 2 ** 31, 2 ** 32])
  return chance.pick([
    ...[segmentName(number), snapshotName(number), `archive/${segmentName(number)}.zst`],
    ...[`spare-${String(number).padStart(10, '0')}.log`, `${segmentName(number)}.tmp`, 'lock.holder'],
  ])
}

function changeArchived(files: Files, name: string, others: Files, chance: Chance): void {
  const packed = files.get(name)!
  if (chance.happens(0.2)) {
    files.set(name, mutateBytes(packed, anyOf(others, chance), chance))
    return
  }
  try {
    const inside = 'segment'
    const unpacked: Files = new Map([
      [inside, Uint8Array.from(zstdDecompressSync(packed, { maxOutputLength: mostArchiveBytes }))],
    ])
    changeSegment(unpacked, inside, others, chance)
    files.set(name, zstdCompressSync(unpacked.get(inside)!))
  } catch {
    files.set(name, zstdCompressSync(packed))
  }
}

/** Changes batches and records of a segment, or its header. */
function changeSegment(files: Files, name: string, others: Files, chance: Chance): void {
  const bytes = files.get(name)!
  const parts = takeApart(bytes)
  const { batches } = parts
  if (batches.length === 0 || chance.happens(0.05)) {
    files.set(name, mutateBytes(bytes, anyOf(others, chance), chance).slice(0, 64 * 1024))
    return
  }
  const segments = [...others].filter(([path]) => isSegment(path))
  const otherBatches = segments.flatMap(([, content]) => takeApart(content).batches)
  const at = chance.below(batches.length)
  const batch = batches[at]!
  switch (chance.below(9)) {
    case 0:
      batches.splice(at, 1)
      break
    case 1:
      batches.splice(chance.below(batches.length + 1), 0, batch.slice())
      break
    case 2:
      batches.push(...batches.splice(at, 1))
      break
    case 3:
      if (otherBatches.length > 0) batches.splice(at, 0, chance.pick(otherBatches))
      break
    case 4:
      if (otherBatches.length > 0) batches[at] = join(batch, chance.pick(otherBatches))
      break
    case 5:
      batches[at] = changeNumber(batch, 8, headerBytes, chance)
      break
    case 6:
      batches[at] = changeNumber(batch, headerBytes, batch.length, chance)
      break
    case 7:
      parts.header = changeNumber(parts.header, 8, 60, chance)
      break
    default:
      batches[at] = changeRecords(batch, otherBatches, chance)
  }
  files.set(name, putTogether(parts))
}

/** A number at a multiple of 4, as all of them stand but those in texts and rules. */
function changeNumber(bytes: Uint8Array, from: number, to: number, chance: Chance): Uint8Array {
  const changed = Uint8Array.from(bytes)
  const at = from + chance.below(Math.max(1, (to - from) >> 2)) * 4
  if (at + 4 > bytes.length) return changed
  const view = new DataView(changed.buffer)
  const near = view.getUint32(at, true) + chance.between(-2, 2)
  view.setUint32(at, chance.happens(0.4) ? near : chance.pick(interestingNumbers), true)
  return changed
}

/** Bytes of the records changed, whole again to a multiple of 8. */
function changeRecords(batch: Uint8Array, others: readonly Uint8Array[], chance: Chance): Uint8Array {
  const other = others.length === 0 ? batch : chance.pick(others)
  const records = mutateBytes(batch.subarray(headerBytes), other.subarray(headerBytes), chance)
  return withRecords(batch, records.subarray(0, 32 * 1024))
}

/** The records of two batches in one. */
function join(batch: Uint8Array, other: Uint8Array): Uint8Array {
  const joined = withRecords(batch, Buffer.concat([batch.subarray(headerBytes), other.subarray(headerBytes)]))
  const view = new DataView(joined.buffer)
  const count = new DataView(other.buffer, other.byteOffset).getUint32(36, true)
  view.setUint32(36, view.getUint32(36, true) + count, true)
  return joined
}

function withRecords(batch: Uint8Array, records: Uint8Array): Uint8Array {
  const changed = new Uint8Array(headerBytes + ((records.length + 7) & ~7))
  changed.set(batch.subarray(0, headerBytes))
  changed.set(records, headerBytes)
  return changed
}
