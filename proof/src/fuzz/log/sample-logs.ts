import { limits } from '@kuji/engine/contract'
import { openIn } from '../../../../packages/engine/src/open.ts'
import type { FileSet } from './file-set.ts'
import { directory, MemoryDisk } from './memory-disk.ts'
import { worldOn } from './world.ts'

interface SampleOptions {
  readonly seed: number
  /** Rounds of changes and draws. */
  readonly rounds: number
  readonly retention: 'archive' | 'remove'
  /** Whether it ends in order, or as a crash leaves it. */
  readonly closed: boolean
}

const samples: readonly SampleOptions[] = [
  { seed: 1, rounds: 1, retention: 'remove', closed: true },
  { seed: 2, rounds: 1, retention: 'remove', closed: false },
  { seed: 3, rounds: 5, retention: 'remove', closed: true },
  { seed: 4, rounds: 12, retention: 'archive', closed: false },
]

/** Logs with every kind of record; of the longer ones segments are full, snapshots written, segments archived. */
export async function makeSampleLogs(): Promise<FileSet[]> {
  return Promise.all(samples.map(makeSample))
}

async function makeSample({ seed, rounds, retention, closed }: SampleOptions): Promise<FileSet> {
  const disk = new MemoryDisk()
  const options = {
    dir: directory,
    durability: 'os' as const,
    segmentBytes: limits.segmentMinimumBytes,
    retention,
    onEvent: () => undefined,
    keys: { most: 5 },
  }
  const kuji = await openIn(options, worldOn(disk, seed))
  const items = [
    { id: 'a', weight: 0.5, stock: 50, metadata: { n: 1 } },
    { id: 'b', weight: 99.5, stock: 'unlimited' as const },
  ]
  const tickets = [
    { id: 'x', stock: 9 },
    { id: 'last', stock: 1 },
  ]
  for (let round = 0; round < rounds; round++) {
    const extra = { id: `extra-${round}`, weight: 3, stock: round }
    await kuji.putPool({ id: 'p', items: [...items, extra], fallback: 'b', metadata: { round } })
    await kuji.putPool({ id: `urn-${round}`, mode: 'urn', items: tickets, lastOne: 'last' })
    await kuji.draw('p', { count: 3, key: `k-${round}`, recipient: '誰か' })
    await kuji.draw(`urn-${round}`, { count: 10, partial: true, key: `u-${round}` })
    await kuji.drawMany('p', 20)
    await kuji.updateItem('p', 'a', { restock: 2, weight: (250 + round) / 1000 })
    await kuji.pausePool('p')
    await kuji.resumePool('p')
    if (round % 3 === 0) await kuji.deletePool(`urn-${round}`)
    else if (round % 3 === 1) await kuji.closePool(`urn-${round}`)
  }
  const before = disk.files
  await kuji.close()
  return new Map([...(closed ? disk.files : before)].filter(([path]) => !path.startsWith('spare')))
}
