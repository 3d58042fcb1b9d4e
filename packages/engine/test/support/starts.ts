import assert from 'node:assert/strict'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { EngineEvent, KujiError } from '@kuji/engine'
import { open } from '@kuji/engine'
import type { Disk } from '../../src/disk/disk.ts'
import { openIn } from '../../src/open.ts'
import { refusalOf } from './codes.ts'
import { filesOf, fingerprint } from './directory.ts'
import type { LoggedBatch } from './log-reader.ts'
import { render } from './render.ts'
import type { SampleLog, SampleOptions } from './sample-log.ts'
import { batchesOf, makeSample, segmentPath } from './sample-log.ts'
import { temporaryDirectory } from './temporary.ts'
import { testWorld } from './world.ts'

export const segmentBytes = 4096
/** About four files of batches that are easy to tell apart, the last one half full. */
const counts = Array.from({ length: 24 }, (_, k) => 300 + 40 * (k % 5))

export async function sample(t: TestContext, options: Partial<SampleOptions> = {}): Promise<SampleLog> {
  return makeSample(join(temporaryDirectory(t), 'data'), { segmentBytes, counts, end: 'crash', ...options })
}

export interface Start {
  state: string
  drawNumber: number
  events: EngineEvent[]
}

/** Opens, looks, draws, closes; without threads, which would take most of the time. */
export async function start(dir: string, disk?: Disk): Promise<Start> {
  const events: EngineEvent[] = []
  const onEvent = (event: EngineEvent): number => events.push(event)
  const kuji = await openIn({ dir, durability: 'os', segmentBytes, onEvent }, testWorld(disk))
  const state = render(await kuji.pool('p'))
  const { drawNumber } = kuji.status()
  assert.equal((await kuji.draw('p')).id, drawNumber + 1)
  await kuji.close()
  return { state, drawNumber, events }
}

/** A start that is refused, after which every file is as it was. */
export async function refused(dir: string): Promise<KujiError> {
  const before = fingerprint(dir)
  const error = await refusalOf(
    'CORRUPT',
    open({ dir, durability: 'os', segmentBytes, onEvent: () => undefined }),
  )
  assert.deepEqual(fingerprint(dir), before, 'nothing was changed on disk')
  return error
}

export const typesOf = ({ events }: Start): string[] => events.map(({ type }) => type)
export const segmentsOf = (dir: string): number[] =>
  filesOf(dir, /^segment-\d+\.log$/).map(name => Number(name.slice(8, 18)))

interface LastBatch {
  readonly number: number
  readonly path: string
  readonly batch: LoggedBatch
  readonly batches: LoggedBatch[]
}

/** The segment that the log ends in, and its last batch. */
export function lastBatch(dir: string): LastBatch {
  const number = segmentsOf(dir).findLast(segment => batchesOf(dir, segment).length > 0)!
  const batches = batchesOf(dir, number)
  return { number, path: segmentPath(dir, number), batch: batches.at(-1)!, batches }
}
