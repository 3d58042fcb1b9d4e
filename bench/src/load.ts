import type { DrawManyReceipt, Kuji, Receipt } from '@kuji/engine'
import { Tally } from './fixtures/check.ts'
import { poolId } from './fixtures/pools.ts'
import type { Stopwatch } from './measure/latency.ts'

/** A closed load: so many calls at any time, each lane waiting for its answer before it asks again. */
export interface Load {
  /** 0: `draw`, one promise a draw. Otherwise draws of one `drawMany`. */
  readonly many: number
  readonly inFlight: number
}

/** Lanes whose calls are timed: reading the clock costs about as much as a draw in a bulk. */
const timedLanes = 16

/** Draws that a load makes with so many calls a lane. */
export function drawsOf({ many, inFlight }: Load, callsPerLane: number): number {
  return Math.max(1, many) * inFlight * callsPerLane
}

/** Calls a lane for about so many draws. */
export function callsPerLane(load: Load, draws: number): number {
  return Math.max(1, Math.round(draws / drawsOf(load, 1)))
}

/** Runs the load, timing some of its calls, and returns the sums over its receipts. */
export async function runLoad(kuji: Kuji, load: Load, calls: number, watch: Stopwatch): Promise<Tally> {
  const tally = new Tally()
  const { many, inFlight } = load
  const stride = inFlight <= 8 ? 1 : Math.max(4, inFlight / timedLanes)
  const lanes: Promise<void>[] = []
  for (let lane = 0; lane < inFlight; lane++) {
    const isTimed = lane % stride === 0
    if (many > 0)
      lanes.push(isTimed ? timedBulk(kuji, many, calls, tally, watch) : bulk(kuji, many, calls, tally))
    else lanes.push(isTimed ? timedSingle(kuji, calls, tally, watch) : single(kuji, calls, tally))
  }
  await Promise.all(lanes)
  return tally
}

async function single(kuji: Kuji, calls: number, tally: Tally): Promise<void> {
  for (let call = 0; call < calls; call++) tally.note((await kuji.draw(poolId)).id)
}

async function timedSingle(kuji: Kuji, calls: number, tally: Tally, watch: Stopwatch): Promise<void> {
  for (let call = 0; call < calls; call++) {
    const start = performance.now()
    const { id } = await kuji.draw(poolId)
    watch.add(performance.now() - start)
    tally.note(id)
  }
}

async function bulk(kuji: Kuji, many: number, calls: number, tally: Tally): Promise<void> {
  for (let call = 0; call < calls; call++) tally.note((await kuji.drawMany(poolId, many)).id)
}

async function timedBulk(
  kuji: Kuji,
  many: number,
  calls: number,
  tally: Tally,
  watch: Stopwatch,
): Promise<void> {
  for (let call = 0; call < calls; call++) {
    const start = performance.now()
    const { id } = await kuji.drawMany(poolId, many)
    watch.add(performance.now() - start)
    tally.note(id)
  }
}

/** The same load with every outcome counted by item; it warms the code up, and what it counts is checked. */
export async function runCounted(
  kuji: Kuji,
  load: Load,
  calls: number,
  counted: Float64Array,
): Promise<Tally> {
  const tally = new Tally()
  const indexes = new Map<string, number>()
  if (load.many === 0)
    for (const [index, item] of (await kuji.pool(poolId)).items.entries()) indexes.set(item.id, index)
  const count = (receipt: Receipt | DrawManyReceipt): void => {
    tally.note(receipt.id)
    for (const item of receipt.items) counted[typeof item === 'number' ? item : indexes.get(item)!]!++
  }
  const lane = async (): Promise<void> => {
    for (let call = 0; call < calls; call++)
      count(await (load.many > 0 ? kuji.drawMany(poolId, load.many) : kuji.draw(poolId)))
  }
  await Promise.all(Array.from({ length: load.inFlight }, lane))
  return tally
}
