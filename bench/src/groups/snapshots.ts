import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import type { EngineEvent, Kuji } from '@kuji/engine'
import { checkTotal, hashOf, Tally } from '../fixtures/check.ts'
import { openEngine } from '../fixtures/engine.ts'
import { readLog } from '../fixtures/log-files.ts'
import { benchPool, poolId } from '../fixtures/pools.ts'
import type { Contestant, Group, Level, Pass, Sample } from '../group.ts'
import { latencyOf } from '../measure/latency.ts'

/**
 * Latency of draws while the helper builds a snapshot: from a rotation to the end of the snapshot and of the archiving
 * that it leads to. The same load on a log without rotation takes turns with it, slice by slice, and so meets the same
 * device in the same mood.
 */
const inFlight = 64
const kibibyte = 1024
const slices = 8
/** The first slices warm the code up. */
const warmUpSlices = 2
/** Draws of one slice: a fifth of a second or so. */
const sliceDraws = 64_000
/** The helper has finished when it has told of nothing for so long: its work must not fall into the other's slice. */
const quietMs = 500
const fillDraws = 50_000

interface Shape {
  readonly level: Level
  readonly name: string
  readonly items: number
  readonly segmentBytes: number
  /**
   * False: segments so small that the load itself rotates them again and again. True: bulk draws before a slice fill a
   * segment of some size, so that each slice begins with a rotation and with a segment's worth of work for the helper.
   */
  readonly filled: boolean
}

type Window = readonly [start: number, end: number]

/** One engine under load: when each draw of a slice was asked for and answered. */
class Subject {
  readonly #kuji: Kuji
  readonly #perSlice: number
  readonly asked: Float64Array
  readonly answered: Float64Array
  readonly starts: number[] = []
  seconds = 0

  constructor(kuji: Kuji, perSlice: number) {
    this.#kuji = kuji
    this.#perSlice = perSlice
    this.asked = new Float64Array(perSlice * slices)
    this.answered = new Float64Array(perSlice * slices)
  }

  async slice(): Promise<void> {
    const { length } = this.starts
    const first = this.#kuji.status().drawNumber + 1
    const tally = new Tally()
    const start = performance.now()
    this.starts.push(start)
    const offset = length * this.#perSlice - first
    const calls = this.#perSlice / inFlight
    await Promise.all(Array.from({ length: inFlight }, () => this.#lane(calls, offset, tally)))
    if (length >= warmUpSlices) this.seconds += (performance.now() - start) / 1000
    tally.check(first, this.#perSlice, 1)
  }

  async #lane(calls: number, offset: number, tally: Tally): Promise<void> {
    for (let call = 0; call < calls; call++) {
      const start = performance.now()
      const { id } = await this.#kuji.draw(poolId)
      this.asked[offset + id] = start
      this.answered[offset + id] = performance.now()
      tally.note(id)
    }
  }

  /** Latencies of the draws that were under way in a window, or of those in none. */
  latencies(windows: readonly Window[], inside: boolean): Float64Array {
    const chosen: number[] = []
    let window = 0
    for (let draw = warmUpSlices * this.#perSlice; draw < this.asked.length; draw++) {
      const asked = this.asked[draw]!
      const answered = this.answered[draw]!
      while (window < windows.length && windows[window]![1] < asked) window++
      const during = window < windows.length && windows[window]![0] <= answered
      if (during === inside) chosen.push(answered - asked)
    }
    return Float64Array.from(chosen)
  }
}

/** Pairs each start with the end of the work it set off: the last event before the next start. */
function windowsOf(starts: readonly number[], events: readonly number[]): Window[] {
  return starts.flatMap((start, k) => {
    const next = starts[k + 1] ?? Number.POSITIVE_INFINITY
    const end = events.findLast(time => time > start && time <= next)
    return end === undefined ? [] : [[start, end] as const]
  })
}

function newestSegment(directory: string): string {
  const names = readdirSync(directory).filter(name => name.startsWith('segment-'))
  return names
    .sort()
    .at(-1)!
    .slice(0, 'segment-'.length + 10)
}

/** Draws until the log goes over to its next file: then the one after that is begun. */
async function fillSegment(kuji: Kuji, directory: string): Promise<void> {
  const before = newestSegment(directory)
  while (newestSegment(directory) === before) await kuji.drawMany(poolId, fillDraws)
}

interface Engines {
  readonly still: Kuji
  readonly busy: Kuji
  readonly busyDirectory: string
  /** When the helper finished a snapshot or an archive. */
  readonly ends: number[]
  snapshots: number
}

async function untilQuiet({ ends }: Engines): Promise<void> {
  for (let seen = -1; seen !== ends.length; ) {
    seen = ends.length
    await setTimeout(quietMs)
  }
}

async function openEngines({ items, segmentBytes, filled }: Shape, pass: Pass): Promise<Engines> {
  const pool = benchPool('weighted', pass.smoke ? Math.min(1000, items) : items)
  const settings = { durability: 'sync', pool } as const
  const ends: number[] = []
  const busyDirectory = join(pass.directory, 'busy')
  const onEvent = ({ type }: EngineEvent): void => {
    if (type === 'snapshot-written') engines.snapshots++
    if (type === 'snapshot-written' || type === 'segment-archived') ends.push(performance.now())
  }
  const stillBytes = (pass.smoke ? 1 : 32) * kibibyte * kibibyte
  const busyBytes = pass.smoke && !filled ? 4 * kibibyte : segmentBytes
  const still = await openEngine({
    ...settings,
    directory: join(pass.directory, 'still'),
    segmentBytes: stillBytes,
  })
  const busy = await openEngine({
    ...settings,
    directory: busyDirectory,
    segmentBytes: busyBytes,
    onEvent,
  })
  const engines: Engines = { still, busy, busyDirectory, ends, snapshots: 0 }
  return engines
}

async function runShape(shape: Shape, pass: Pass): Promise<Sample[]> {
  const perSlice = Math.ceil(pass.draws(sliceDraws, 4 * inFlight) / inFlight) * inFlight
  const engines = await openEngines(shape, pass)
  const { busyDirectory } = engines
  try {
    const still = new Subject(engines.still, perSlice)
    const busy = new Subject(engines.busy, perSlice)
    for (let slice = 0; slice < slices; slice++) {
      await still.slice()
      if (shape.filled) await fillSegment(engines.busy, busyDirectory)
      await busy.slice()
      if (shape.filled) await untilQuiet(engines)
    }
    const last = engines.busy.status().drawNumber
    for (const kuji of [engines.still, engines.busy]) {
      await checkTotal(kuji, kuji === engines.busy ? last : perSlice * slices, true)
      await kuji.close()
    }
    let starts: readonly number[] = busy.starts
    if (!shape.filled) {
      const { firstDraws } = readLog(busyDirectory, 0, last)
      starts = firstDraws.filter(draw => draw > 1).map(draw => busy.answered[draw - 2]!)
    }
    const windows = windowsOf(starts, engines.ends)
    const during = busy.latencies(windows, true)
    const windowMs = windows.reduce((sum, [start, end]) => sum + end - start, 0) / windows.length
    const notes = { snapshots: engines.snapshots, draws_in_windows: during.length, window_ms: windowMs }
    return [
      sampleOf(still, still.latencies([], false), {}),
      sampleOf(busy, during, notes),
      sampleOf(busy, busy.latencies(windows, false), {}),
    ]
  } finally {
    await engines.still.close()
    await engines.busy.close()
  }
}

function sampleOf(subject: Subject, times: Float64Array, notes: Record<string, number>): Sample {
  const draws = (subject.asked.length / slices) * (slices - warmUpSlices)
  const none = { heapBytes: Number.NaN, gcCount: Number.NaN, gcMs: Number.NaN }
  const hash = hashOf({ draws, gapFree: 1 })
  return { draws, seconds: subject.seconds, ...none, latency: latencyOf(times), hash, notes }
}

function contestant(shape: Shape): Contestant {
  const name = `snapshots/${shape.name}/draw/sync/${inFlight}-in-flight`
  return {
    rows: [`${name}/no-rotation`, `${name}/during-snapshots`, `${name}/between-snapshots`],
    level: shape.level,
    run: pass => runShape(shape, pass),
  }
}

const large = { segmentBytes: 8 * kibibyte * kibibyte, filled: true, level: 'target' } as const
const shapes: readonly Shape[] = [
  { ...large, name: '8-MiB-segments', items: 6 },
  { ...large, name: '8-MiB-segments-100000-items', items: 100_000 },
  { name: '32-KiB-segments', items: 6, segmentBytes: 32 * kibibyte, filled: false, level: 'default' },
]

export const snapshots: Group = {
  name: 'snapshots',
  about: 'latency of draws while snapshots are built, and without',
  contestants: shapes.map(contestant),
}
