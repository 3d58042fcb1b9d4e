import type { Kuji } from '@kuji/engine'
import { checkTotal, hashOf } from '../fixtures/check.ts'
import { openEngine } from '../fixtures/engine.ts'
import { readLog } from '../fixtures/log-files.ts'
import { benchPool, poolId } from '../fixtures/pools.ts'
import type { Contestant, Group, Level, Pass, Sample } from '../group.ts'
import { drawsOf, type Load, runCounted } from '../load.ts'
import { timed } from '../measure/garbage.ts'

const mebibyte = 1024 * 1024
/** Openings of one log; the fastest way to see what the first one's cold code costs is not to count it. */
const openings = 2

interface LogShape {
  readonly name: string
  readonly level: Level
  readonly draws: number
  readonly load: Load
  readonly segmentBytes: number
}

const bulk: Load = { many: 10_000, inFlight: 32 }
const shapes: readonly LogShape[] = [
  { name: '1M-draws-in-bulk', level: 'default', draws: 1_000_000, load: bulk, segmentBytes: 64 * mebibyte },
  { name: '10M-draws-in-bulk', level: 'default', draws: 10_000_000, load: bulk, segmentBytes: 64 * mebibyte },
  { name: '50M-draws-in-bulk', level: 'target', draws: 50_000_000, load: bulk, segmentBytes: 64 * mebibyte },
  {
    name: '200M-draws-in-bulk',
    level: 'default',
    draws: 200_000_000,
    load: bulk,
    segmentBytes: 256 * mebibyte,
  },
  {
    name: '4M-single-draws-4096-in-flight',
    level: 'default',
    draws: 4_000_000,
    load: { many: 0, inFlight: 4096 },
    segmentBytes: 64 * mebibyte,
  },
]

/** Opening a directory whose log has to be replayed from its first batch: files, CRCs, hash chain, apply. */
function recovering(shape: LogShape): Contestant {
  return { rows: [`recovery/${shape.name}`], level: shape.level, run: pass => runRecovery(shape, pass) }
}

async function runRecovery({ draws, load, segmentBytes }: LogShape, pass: Pass): Promise<Sample[]> {
  const { directory } = pass
  const pool = benchPool('weighted', 6)
  const settings = {
    directory,
    durability: 'os',
    segmentBytes: pass.smoke ? mebibyte : segmentBytes,
  } as const
  const calls = Math.ceil(pass.draws(draws, drawsOf(load, 1)) / drawsOf(load, 1))
  const made = drawsOf(load, calls)
  const counted = new Float64Array(pool.items.length)
  const filled = await openEngine({ ...settings, pool })
  await runCounted(filled, load, calls, counted)
  const before = JSON.stringify(await filled.pool(poolId))
  await filled.close()
  let best: Awaited<ReturnType<typeof timed>> | undefined
  for (let opening = 0; opening < openings; opening++) {
    let kuji: Kuji | undefined
    const measured = await timed(async () => {
      kuji = await openEngine(settings)
    })
    const after = JSON.stringify(await kuji!.pool(poolId))
    await checkTotal(kuji!, made, true)
    await kuji!.close()
    if (after !== before) throw new Error('the recovered pool is not the pool that was closed')
    if (best === undefined || measured.seconds < best.seconds) best = measured
  }
  const log = readLog(directory, 0, made)
  const notes = { open_ms: best!.seconds * 1000 }
  const hash = hashOf({ made, sameState: 1 })
  return [
    {
      draws: made,
      batches: log.batches,
      ...best!,
      logBytes: log.bytes,
      fileBytes: log.fileBytes,
      hash,
      notes,
    },
  ]
}

export const recovery: Group = {
  name: 'recovery',
  about: 'recovery time against log size',
  contestants: shapes.map(recovering),
}
