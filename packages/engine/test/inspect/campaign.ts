import assert from 'node:assert/strict'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Kuji, LogLosses, PoolState } from '@kuji/engine'
import { open } from '@kuji/engine'
import { openIn } from '../../src/open.ts'
import type { LoggedBatch, LoggedDraw } from '../support/log-reader.ts'
import { listBatches } from '../support/log-reader.ts'
import { allPools } from '../support/render.ts'
import { testWorld } from '../support/world.ts'

/** What was known of the log at one LSN. */
export interface Moment {
  readonly lsn: number
  readonly drawNumber: number
  readonly pools: readonly PoolState[]
}

/** A data directory with a life behind it, and all that was known along the way. */
export interface Campaign {
  readonly directory: string
  /** By LSN, oldest first: the engine's own word after each call. */
  readonly moments: readonly Moment[]
}

export const segmentBytes = 4096

export function segmentFile(number: number): string {
  return `segment-${String(number).padStart(10, '0')}.log`
}

export function snapshotFile(segment: number): string {
  return `snapshot-${String(segment).padStart(10, '0')}.snap`
}

/**
 * Three pools, draws of all sizes, restocks and a pause, over some twenty small files: the first of them are archived,
 * and two snapshots stand.
 */
export async function runCampaign(
  directory: string,
  options: {
    readonly calls?: number
    readonly retention?: 'archive' | 'remove'
    readonly seed?: number
  } = {},
): Promise<Campaign> {
  const { calls = 160, retention = 'archive', seed = 1 } = options
  const kuji = await openIn(
    { dir: directory, durability: 'os', segmentBytes, retention, onEvent: fail },
    testWorld(undefined, seed),
  )
  const moments: Moment[] = []
  const note = async (call: Promise<unknown>): Promise<void> => {
    await call
    const { lsn, drawNumber } = kuji.status()
    moments.push({ lsn, drawNumber, pools: await allPools(kuji) })
  }
  const items = [
    { id: 'gold', weight: 1, stock: 10_000 },
    { id: 'mud', weight: 9.5, stock: 'unlimited' },
  ] as const
  await note(kuji.putPool({ id: 'summer', items, metadata: { name: '夏' } }))
  await note(
    kuji.putPool({
      id: 'box',
      mode: 'urn',
      items: [
        { id: 'a', stock: 3 },
        { id: 'b', stock: 997 },
        { id: 'last', stock: 1 },
      ],
      lastOne: 'last',
    }),
  )
  // Rules of ten kilobytes: they get a file of their own size, and make a snapshot worth more than one file of log.
  const wide = Array.from({ length: 300 }, (_, i) => ({
    id: `wide-item-number-${i}`,
    weight: i + 1,
    stock: 50,
  }))
  await note(kuji.putPool({ id: 'wide', items: wide, metadata: 'x'.repeat(2000) }))
  for (let call = 0; call < calls; call++) await note(nextCall(kuji, call))
  await kuji.close()
  return { directory, moments }
}

function nextCall(kuji: Kuji, call: number): Promise<unknown> {
  if (call % 40 === 7) return kuji.updateItem('summer', 'gold', { restock: 5 })
  if (call % 40 === 17) return kuji.pausePool('box')
  if (call % 40 === 18) return kuji.resumePool('box')
  if (call % 10 === 9) return kuji.draw('wide', { count: 20 })
  if (call % 3 === 0) return kuji.drawMany('summer', 1 + ((call * 37) % 1500))
  if (call % 3 === 1) return kuji.draw('summer', { count: 1 + (call % 5) })
  return kuji.draw('box', { count: 1 + (call % 4) })
}

function fail({ level, message }: { level: string; message: string }): void {
  if (level !== 'info') throw new Error(message)
}

/** The state at an LSN: that of the last call at or before it; only seals can stand between. */
function momentAt({ moments }: Campaign, lsn: number): Moment {
  return moments.findLast(moment => moment.lsn <= lsn)!
}

/** Numbers of the files in a directory that have this form of name. */
export function numbersOf(directory: string, pattern: RegExp): number[] {
  return readdirSync(directory)
    .flatMap(name => pattern.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b)
}

export const liveSegments = (directory: string): number[] => numbersOf(directory, /^segment-(\d+)\.log$/)
export const snapshotSegments = (directory: string): number[] =>
  numbersOf(directory, /^snapshot-(\d+)\.snap$/)
export const archivedSegments = (directory: string): number[] =>
  numbersOf(join(directory, 'archive'), /^segment-(\d+)\.log\.zst$/)

export function batchesOf(directory: string, segment: number): LoggedBatch[] {
  return listBatches(readFileSync(join(directory, segmentFile(segment))))
}

/** Changes bytes of a file in place. */
export function change(directory: string, file: string, edit: (bytes: Buffer) => Buffer | undefined): void {
  const path = join(directory, file)
  const bytes = readFileSync(path)
  writeFileSync(path, edit(bytes) ?? bytes)
}

/** Flips a bit. */
export function flip(directory: string, file: string, offset: number): void {
  change(directory, file, bytes => {
    bytes[offset]! ^= 0x10
    return undefined
  })
}

/** The directory opens, at this LSN, with the state that was known there; a draw goes on from the last number. */
export async function assertOpensAt(
  campaign: Campaign,
  directory: string,
  lsn: number,
  drawNumber: number,
): Promise<void> {
  const kuji = await open({ dir: directory, durability: 'os', segmentBytes: 4096, onEvent: () => undefined })
  try {
    assert.equal(kuji.status().lsn, lsn)
    assert.equal(kuji.status().drawNumber, drawNumber)
    const moment = momentAt(campaign, lsn)
    assert.equal(moment.drawNumber, drawNumber)
    assert.deepEqual(await allPools(kuji), moment.pools)
    assert.equal((await kuji.draw('summer')).id, drawNumber + 1)
  } finally {
    await kuji.close()
  }
}

/** Draws by pool and item, for those of the truth that `pick` takes. */
export function countsOf(draws: readonly LoggedDraw[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { pool, item } of draws) counts[`${pool} ${item}`] = (counts[`${pool} ${item}`] ?? 0) + 1
  return counts
}

/** The same for those that a repair tells as lost and readable. */
export function countsIn(lost: LogLosses): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { pool, items } of lost.pools)
    for (const { item, draws } of items) counts[`${pool} ${item}`] = (counts[`${pool} ${item}`] ?? 0) + draws
  return counts
}
