import type { Durability, Kuji, PoolManifest } from '@kuji/engine'
import { checkItems, checkTotal, hashOf } from './fixtures/check.ts'
import { openEngine } from './fixtures/engine.ts'
import { readLog } from './fixtures/log-files.ts'
import { benchPool } from './fixtures/pools.ts'
import type { Contestant, Level, Pass, Sample } from './group.ts'
import type { Load } from './load.ts'
import { callsPerLane, drawsOf, runCounted, runLoad } from './load.ts'
import { timed } from './measure/garbage.ts'
import { Stopwatch } from './measure/latency.ts'

/** A row that puts one load on one engine. */
export interface LoadedEngine {
  readonly name: string
  readonly level: Level
  readonly durability: Durability
  readonly mode?: 'weighted' | 'urn'
  readonly items: number
  readonly load: Load
  /** Draws of a full-sized pass. */
  readonly draws: number
  readonly segmentBytes?: number
  readonly retention?: 'archive' | 'remove'
}

/** Draws before the clock starts, as a share of those after. */
const warmUpShare = 0.25
/** Pools up to this size are held against the receipts in every round, larger ones in the first. */
const smallItems = 1000
const smokeItems = 1000
const smokeSegmentBytes = 1024 * 1024

export function loadedEngine(row: LoadedEngine): Contestant {
  return { rows: [row.name], level: row.level, run: async pass => [await runLoaded(row, pass)] }
}

async function runLoaded(row: LoadedEngine, pass: Pass): Promise<Sample> {
  const { durability, load, retention } = row
  const segmentBytes = pass.smoke ? smokeSegmentBytes : row.segmentBytes
  const items = pass.smoke ? Math.min(smokeItems, row.items) : row.items
  const pool = benchPool(row.mode ?? 'weighted', items)
  const sized = segmentBytes === undefined ? {} : { segmentBytes }
  const kept = retention === undefined ? {} : { retention }
  const kuji = await openEngine({ directory: pass.directory, durability, pool, ...sized, ...kept })
  try {
    const itemsToo = items <= smallItems || pass.round === 0
    const warmUp = await runWarmUp(kuji, pool, row, pass, itemsToo)
    const calls = callsPerLane(load, pass.draws(row.draws, drawsOf(load, 1)))
    const draws = drawsOf(load, calls)
    const watch = new Stopwatch(load.inFlight * calls)
    const lsnBefore = kuji.status().lsn
    let tally: Awaited<ReturnType<typeof runLoad>> | undefined
    const measured = await timed(async () => {
      tally = await runLoad(kuji, load, calls, watch)
    })
    const batches = kuji.status().lsn - lsnBefore
    tally!.check(warmUp + 1, draws / Math.max(1, load.many), Math.max(1, load.many))
    await checkTotal(kuji, warmUp + draws, itemsToo)
    await kuji.close()
    const hash = hashOf({ pool: pool.items.length, first: warmUp + 1, draws, gapFree: 1, asReceipts: 1 })
    const sample = { draws, batches, ...measured, latency: watch.latency(), hash }
    if (durability === 'none') return sample
    const { bytes, fileBytes } = readLog(pass.directory, warmUp, warmUp + draws)
    return { ...sample, logBytes: bytes, fileBytes }
  } finally {
    await kuji.close()
  }
}

/** Returns the number of draws made. */
async function runWarmUp(
  kuji: Kuji,
  pool: PoolManifest,
  { load, draws }: LoadedEngine,
  pass: Pass,
  itemsToo: boolean,
): Promise<number> {
  const calls = callsPerLane(load, pass.draws(draws * warmUpShare, drawsOf(load, 1)))
  const made = drawsOf(load, calls)
  const counted = new Float64Array(pool.items.length)
  const tally = await runCounted(kuji, load, calls, counted)
  tally.check(1, made / Math.max(1, load.many), Math.max(1, load.many))
  if (itemsToo) await checkItems(kuji, counted, made)
  return made
}
