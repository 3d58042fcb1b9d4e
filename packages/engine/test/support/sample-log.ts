import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import type { Kuji } from '@kuji/engine'
import type { SegmentKeeper } from '../../src/log/file-log.ts'
import { openIn } from '../../src/open.ts'
import { FaultyDisk } from './faulty-disk.ts'
import type { LoggedBatch } from './log-reader.ts'
import { listBatches } from './log-reader.ts'
import { render } from './render.ts'
import { type TestWorld, testWorld } from './world.ts'

/** A data directory to be damaged, and what it held behind every LSN. */
export interface SampleLog {
  readonly directory: string
  /** Pool `p` in one line, by LSN. */
  readonly states: Map<number, string>
  /** The last LSN whose batch was answered. */
  readonly lastLsn: number
}

export interface SampleOptions {
  readonly segmentBytes: number
  /** Draws of each request, one request a batch. */
  readonly counts: readonly number[]
  /** `crash` leaves the log as the last batch left it, `idle` after the seal that follows it. */
  readonly end: 'crash' | 'idle' | 'shutdown'
  readonly snapshots?: boolean
  /** Each request with as many draws as this or fewer has a key, `key-` and its place among all. */
  readonly keyedUpTo?: number
  readonly seed?: number
}

const noKeeper = (): SegmentKeeper => ({ sealed: () => undefined, close: async () => undefined })

/** Item `rare` has little stock; what runs out shows in the state. */
export const samplePool = {
  id: 'p',
  items: [
    { id: 'rare', weight: 1, stock: 5 },
    { id: 'usual', weight: 9, stock: 'unlimited' },
  ],
} as const

export async function makeSample(directory: string, options: SampleOptions): Promise<SampleLog> {
  const disk = new FaultyDisk(() => undefined)
  const world = testWorld(disk, options.seed)
  const { segmentBytes, snapshots = false } = options
  const kuji = await openIn(
    { dir: directory, durability: 'os', segmentBytes, onEvent: () => undefined },
    snapshots ? world : { ...world, keeper: noKeeper },
  )
  const states = new Map<number, string>()
  await kuji.putPool(samplePool)
  const note = async (): Promise<void> => {
    states.set(kuji.status().lsn, render(await kuji.pool('p')))
  }
  await note()
  for (const [place, count] of options.counts.entries()) {
    if (count > (options.keyedUpTo ?? 0)) await kuji.drawMany('p', count)
    else await kuji.draw('p', { count, key: `key-${place}`, recipient: '誰か' })
    await note()
  }
  const lastLsn = kuji.status().lsn
  if (options.end === 'idle') await idleSeal(kuji, world)
  if (options.end === 'shutdown') await kuji.close()
  await disk.abandon()
  return { directory, states, lastLsn }
}

/** The log seals itself when it has been quiet for a while. */
async function idleSeal(kuji: Kuji, { passTime }: TestWorld): Promise<void> {
  const { lsn } = kuji.status()
  while (kuji.status().lsn === lsn) {
    passTime()
    await new Promise(setImmediate)
  }
  // The seal is written when a later request has been through.
  await kuji.pool('p')
}

export function segmentPath(directory: string, number: number): string {
  return join(directory, `segment-${String(number).padStart(10, '0')}.log`)
}

export function snapshotPath(directory: string, segment: number): string {
  return join(directory, `snapshot-${String(segment).padStart(10, '0')}.snap`)
}

export function batchesOf(directory: string, segment: number): LoggedBatch[] {
  return listBatches(readFileSync(segmentPath(directory, segment)))
}

/** Changes a file's bytes by hand. */
export function alter(path: string, change: (bytes: Buffer) => Buffer | undefined): void {
  const bytes = readFileSync(path)
  writeFileSync(path, change(bytes) ?? bytes)
}

export function flipBit(path: string, bit: number): void {
  alter(path, bytes => {
    bytes[bit >> 3]! ^= 1 << (bit & 7)
    return undefined
  })
}

/** Changes a batch and gives it the CRC that goes with the change, as a forger or a defect would. */
export function forge(path: string, batch: LoggedBatch, change: (content: Buffer) => void): void {
  alter(path, bytes => {
    const content = bytes.subarray(batch.offset, batch.offset + batch.length)
    change(content)
    // Seeded with the identity of the directory and the number of the segment, both as they stand in the header.
    content.writeUInt32LE(crc32(content.subarray(4), crc32(bytes.subarray(16, 40))))
    return undefined
  })
}

/** Changes a snapshot, in place or by what is returned for its body, and gives it the digest that goes with it. */
export function forgeSnapshot(path: string, change: (body: Buffer) => Buffer | number): void {
  alter(path, bytes => {
    const own = bytes.subarray(0, -32)
    const changed = change(own)
    const body = typeof changed === 'number' ? own : changed
    return Buffer.concat([body, createHash('sha256').update(body).digest()])
  })
}
