import type { DrawManyReceipt, Kuji, Receipt } from '@kuji/engine'
import { Tally } from './fixtures/check.ts'
import { poolId } from './fixtures/pools.ts'
import type { Stopwatch } from './measure/latency.ts'

/** A closed load: so many calls at any time, each lane waiting for its answer before it asks again. */
export interface Load {
  /** 0: `draw`, one promise a draw. Otherwise draws of one `drawMany`. */
  readonly many: number
  readonly inFlight: number
  /** Each `draw` has a key that no draw had before. */
  readonly keyed?: boolean
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
  const { many, inFlight, keyed = false } = load
  const stride = inFlight <= 8 ? 1 : Math.max(4, inFlight / timedLanes)
  const lanes: Promise<void>[] = []
  for (let lane = 0; lane < inFlight; lane++) {
    const isTimed = lane % stride === 0
    if (many > 0)
      lanes.push(isTimed ? timedBulk(kuji, many, calls, tally, watch) : bulk(kuji, many, calls, tally))
    else if (keyed) lanes.push(keyedSingle(kuji, calls, tally, isTimed ? watch : null))
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

/** Keys given out by this process. */
let keys = 0

/** A key as long as those that callers make, and not the same for any two draws of a run. */
export function newKey(): string {
  return `order-2026-${++keys}`
}

async function keyedSingle(kuji: Kuji, calls: number, tally: Tally, watch: Stopwatch | null): Promise<void> {
  for (let call = 0; call < calls; call++) {
    const start = watch === null ? 0 : performance.now()
    const { id } = await kuji.draw(poolId, { key: newKey() })
    watch?.add(performance.now() - start)
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

function optionsOf({ keyed = false }: Load): { key: string } | undefined {
  return keyed ? { key: newKey() } : undefined
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
      count(await (load.many > 0 ? kuji.drawMany(poolId, load.many) : kuji.draw(poolId, optionsOf(load))))
  }
  await Promise.all(Array.from({ length: load.inFlight }, lane))
  return tally
}
