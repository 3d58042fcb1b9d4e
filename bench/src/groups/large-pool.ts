import { setTimeout } from 'node:timers/promises'
import type { Kuji } from '@kuji/engine'
import { hashOf } from '../fixtures/check.ts'
import { openEngine } from '../fixtures/engine.ts'
import { benchPool, poolId } from '../fixtures/pools.ts'
import type { Group, Pass, Sample } from '../group.ts'
import type { Timed } from '../measure/garbage.ts'
import { timed } from '../measure/garbage.ts'

const mebibyte = 1024 * 1024

function sampleOf(measured: Timed, items: number): Sample {
  return {
    draws: 1,
    ...measured,
    hash: hashOf({ items, drawn: 1 }),
    notes: { open_ms: measured.seconds * 1000, items },
  }
}

/** Opens, and makes the first draw: what is built only then belongs to the opening. */
async function openAndDraw(settings: Parameters<typeof openEngine>[0]): Promise<Kuji> {
  const kuji = await openEngine(settings)
  await kuji.draw(poolId)
  return kuji
}

async function runLargePool(pass: Pass): Promise<Sample[]> {
  const items = pass.smoke ? 1000 : 1_000_000
  const pool = benchPool('weighted', items)
  let snapshots = 0
  const onEvent = ({ type }: { type: string }): void => {
    if (type === 'snapshot-written') snapshots++
  }
  const segmentBytes = pass.smoke ? 16 * 1024 : 2 * mebibyte
  const settings = { directory: pass.directory, durability: 'os', segmentBytes, onEvent } as const
  const created = await openEngine(settings)
  const put = await timed(async () => void (await created.putPool(pool)))
  await created.draw(poolId)
  await created.close()

  let kuji: Kuji | undefined
  const fromLog = await timed(async () => {
    kuji = await openAndDraw(settings)
  })
  // On until a rotation has led to a snapshot: the next opening starts from it.
  for (let tries = 0; snapshots === 0 && tries < 30_000; tries++) {
    if (tries < 300) await kuji!.drawMany(poolId, 100_000)
    else await setTimeout(10)
  }
  if (snapshots === 0) throw new Error('no snapshot was written')
  const { drawn } = await kuji!.pool(poolId)
  await kuji!.close()
  const fromSnapshot = await timed(async () => {
    kuji = await openAndDraw(settings)
  })
  const again = await kuji!.pool(poolId)
  await kuji!.close()
  if (again.items.length !== items || again.drawn !== drawn + 1)
    throw new Error(`${again.items.length} items and ${again.drawn} draws after a start from a snapshot`)
  return [put, fromLog, fromSnapshot].map(measured => sampleOf(measured, items))
}

export const largePool: Group = {
  name: 'large-pool',
  about:
    'a pool of 1,000,000 items: created, opened from the log, opened from a snapshot, up to its first draw',
  contestants: [
    {
      rows: ['open/1000000-items/put', 'open/1000000-items/from-log', 'open/1000000-items/from-snapshot'],
      level: 'target',
      run: runLargePool,
    },
  ],
}
