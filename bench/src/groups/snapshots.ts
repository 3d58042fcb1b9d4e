import type { EngineEvent, Kuji } from '@kuji/engine'
import { checkTotal, hashOf, Tally } from '../fixtures/check.ts'
import { openEngine } from '../fixtures/engine.ts'
import { readLog } from '../fixtures/log-files.ts'
import { benchPool, poolId } from '../fixtures/pools.ts'
import type { Contestant, Group, Pass, Sample } from '../group.ts'
import { timed } from '../measure/garbage.ts'
import { latencyOf } from '../measure/latency.ts'

/**
 * Latency of draws while the helper builds a snapshot. Log files are small, so that it does so again and again; a
 * window reaches from a rotation (the first answer out of a new file) to the end of the snapshot and the archiving
 * that it led to. Beside it runs the same load on a log without rotation.
 */
const inFlight = 64
const kibibyte = 1024

interface Shape {
  readonly items: number
  readonly segmentBytes: number
  readonly rotating: boolean
}

/** Every draw of a pass: when it was asked for, when answered. */
interface Times {
  readonly asked: Float64Array
  readonly answered: Float64Array
}

async function runLanes(kuji: Kuji, calls: number, first: number, times: Times, tally: Tally): Promise<void> {
  const lane = async (): Promise<void> => {
    for (let call = 0; call < calls; call++) {
      const start = performance.now()
      const { id } = await kuji.draw(poolId)
      times.asked[id - first] = start
      times.answered[id - first] = performance.now()
      tally.note(id)
    }
  }
  await Promise.all(Array.from({ length: inFlight }, lane))
}

function timesOf(draws: number): Times {
  return { asked: new Float64Array(draws), answered: new Float64Array(draws) }
}

/** Pairs each rotation with the end of the work it set off: the last event before the next rotation. */
function windowsOf(rotations: readonly number[], events: readonly number[]): (readonly [number, number])[] {
  return rotations.flatMap((start, k) => {
    const next = rotations[k + 1] ?? Number.POSITIVE_INFINITY
    const end = events.findLast(time => time > start && time <= next)
    return end === undefined ? [] : [[start, end] as const]
  })
}

/** Latencies of the draws that were under way in a window, or in none. */
function latencies(
  times: Times,
  windows: readonly (readonly [number, number])[],
  inside: boolean,
): Float64Array {
  const chosen: number[] = []
  let window = 0
  for (let k = 0; k < times.asked.length; k++) {
    const asked = times.asked[k]!
    const answered = times.answered[k]!
    while (window < windows.length && windows[window]![1] < asked) window++
    const during = window < windows.length && windows[window]![0] <= answered
    if (during === inside) chosen.push(answered - asked)
  }
  return Float64Array.from(chosen)
}

async function runShape(shape: Shape, pass: Pass): Promise<Sample[]> {
  const pool = benchPool('weighted', pass.smoke ? Math.min(1000, shape.items) : shape.items)
  const ends: number[] = []
  let snapshots = 0
  const onEvent = ({ type }: EngineEvent): void => {
    if (type === 'snapshot-written') snapshots++
    if (type === 'snapshot-written' || type === 'segment-archived') ends.push(performance.now())
  }
  const segmentBytes = pass.smoke && shape.rotating ? 16 * kibibyte : shape.segmentBytes
  const kuji = await openEngine({
    directory: pass.directory,
    durability: 'sync',
    pool,
    segmentBytes,
    onEvent,
  })
  try {
    const calls = Math.ceil(pass.draws(1_500_000, inFlight) / inFlight)
    const warmUpCalls = Math.ceil(calls / 5)
    const warmUp = warmUpCalls * inFlight
    const draws = calls * inFlight
    const tally = new Tally()
    await runLanes(kuji, warmUpCalls, 1, timesOf(warmUp), tally)
    const times = timesOf(draws)
    const measured = await timed(() => runLanes(kuji, calls, warmUp + 1, times, tally))
    tally.check(1, warmUp + draws, 1)
    await checkTotal(kuji, warmUp + draws, true)
    await kuji.close()
    const log = readLog(pass.directory, warmUp, warmUp + draws)
    const hash = hashOf({ draws, gapFree: 1 })
    const sample = { draws, ...measured, logBytes: log.bytes, fileBytes: log.fileBytes, hash }
    if (!shape.rotating) {
      const all = latencyOf(latencies(times, [], false))
      return [{ ...sample, latency: all, notes: { snapshots } }]
    }
    const rotations = log.firstDraws
      .filter(draw => draw > warmUp + 1 && draw <= warmUp + draws)
      .map(draw => times.answered[draw - warmUp - 2]!)
    const windows = windowsOf(rotations, ends)
    const windowMs = windows.reduce((sum, [start, end]) => sum + end - start, 0)
    const notes = {
      snapshots,
      rotations: rotations.length,
      snapshot_share: windowMs / 1000 / measured.seconds,
    }
    return [
      { ...sample, latency: latencyOf(latencies(times, windows, true)), notes },
      { ...sample, latency: latencyOf(latencies(times, windows, false)), notes },
    ]
  } finally {
    await kuji.close()
  }
}

function pair(items: number, segmentBytes: number): Contestant[] {
  const name = `snapshots/${items}-items/draw/sync/${inFlight}-in-flight`
  const still = { items, segmentBytes: 32 * kibibyte * kibibyte, rotating: false }
  const busy = { items, segmentBytes, rotating: true }
  return [
    { rows: [`${name}/no-rotation`], level: 'target', run: pass => runShape(still, pass) },
    {
      rows: [`${name}/during-snapshots`, `${name}/between-snapshots`],
      level: 'target',
      run: pass => runShape(busy, pass),
    },
  ]
}

export const snapshots: Group = {
  name: 'snapshots',
  about: 'latency of draws while snapshots are built, and without',
  contestants: [...pair(6, 256 * kibibyte), ...pair(100_000, 1024 * kibibyte)],
}
