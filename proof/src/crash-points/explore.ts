import { Chance } from '../chance.ts'
import { UsageError } from '../command/command.ts'
import { Violation } from '../sim/model/violation.ts'
import type { Trace } from '../sim/world/trace.ts'
import { type Checked, checkState } from './check-state.ts'
import { type DiskState, DiskStates } from './disk-states.ts'
import type { CrashPoint } from './points.ts'
import type { Recording } from './recording.ts'

/** Up to so many disk states of a moment all are looked at. */
export const statesOfPoint = 1024
/** The same for a crash during the recovery from one of these. */
const statesOfRecoveryPoint = 16

/** A crash: the place of the moment among all of the run, and which of what was not synced is there. */
export interface Crash {
  readonly point: number
  readonly kept: bigint
}

export interface Failure {
  readonly crash: Crash
  /** The crash in the recovery from that one. */
  readonly second: Crash | null
  readonly why: string
}

export interface Counts {
  points: number
  /** Disk states that the crashes may have left, and how many of them were looked at. */
  possible: number
  states: number
  /** Starts from them: those that were the same are one. */
  starts: number
  /** Points where not all states were looked at. */
  sampled: number
}

export const noCounts = (): Counts => ({ points: 0, possible: 0, states: 0, starts: 0, sampled: 0 })

/** Looks at what crashes leave, moment by moment. */
export class Exploration {
  readonly first = noCounts()
  readonly second = noCounts()
  readonly failures: Failure[] = []
  /** Crashes that left a disk that none before them had left. */
  readonly distinct: Crash[] = []
  readonly #recording: Recording
  readonly #most: number
  /** What came of each disk that was started from: the LSN, or why it was wrong. */
  readonly #known = new Map<string, number | Error>()
  readonly #passed = new Set<string>()

  /** @param most states of a moment that are looked at */
  constructor(recording: Recording, most = statesOfPoint) {
    this.#recording = recording
    this.#most = most
  }

  /** Looks at every state of one moment. */
  async explore(place: number): Promise<void> {
    const point = this.#recording.points[place]!
    const states = new DiskStates(point.device)
    const least = this.#recording.oracle.lsnOf(point.answered)
    const killed = this.#recording.engine.durability === 'os'
    const subsets = killed ? [states.all] : states.subsets(this.#most, new Chance(place, 'subsets'))
    this.first.points++
    this.first.possible += killed ? 1 : states.possible
    if (!killed && states.possible > this.#most) this.first.sampled++
    for (const kept of subsets) {
      this.first.states++
      const starts = this.first.starts
      const lsn = await this.#start(states.state(kept), point, this.first)
      if (this.first.starts > starts) this.distinct.push({ point: place, kept })
      const why = judge(lsn, least)
      if (why !== '') this.failures.push({ crash: { point: place, kept }, second: null, why })
    }
  }

  /**
   * Starts from one state of a moment, and crashes in the middle of that, at each of its calls. Returns when no more
   * than `most` of these crashes have been looked at: those of the whole start, not of its beginning.
   */
  async exploreRecovery(crash: Crash, most: number): Promise<void> {
    const recording = this.#recording
    const point = recording.points[crash.point]!
    const { ahead } = point
    let checked: Checked
    try {
      checked = await checkState(recording, new DiskStates(point.device).state(crash.kept).files, {
        ahead,
        watched: true,
        passed: this.#passed,
      })
    } catch {
      // The first level tells of it.
      return
    }
    const moments = checked.recovery.points
    const chance = new Chance(crash.point, `recovery ${crash.kept}`)
    let left = most
    for (const { point: place, kept, states } of this.#crashesOf(moments, chance)) {
      if (left-- <= 0) return
      this.second.states++
      const lsn = await this.#start(states.state(kept), moments[place]!, this.second)
      const why =
        judge(lsn, checked.lsn) ||
        (lsn === checked.lsn ? '' : `recovered to LSN ${lsn}, and ${checked.lsn} before`)
      if (why !== '') this.failures.push({ crash, second: { point: place, kept }, why })
    }
  }

  /** None and all of what is not synced, at each moment of a start in an order by chance; then the other subsets. */
  *#crashesOf(
    moments: readonly CrashPoint[],
    chance: Chance,
  ): Generator<Crash & { readonly states: DiskStates }> {
    const killed = this.#recording.engine.durability === 'os'
    const visited: (readonly [place: number, states: DiskStates])[] = []
    for (const point of chance.shuffle([...moments.keys()])) {
      const states = new DiskStates(moments[point]!.device)
      visited.push([point, states])
      this.second.points++
      this.second.possible += killed ? 1 : states.possible
      if (!killed && states.possible > statesOfRecoveryPoint) this.second.sampled++
      yield { point, kept: states.all, states }
      if (!killed && states.all !== 0n) yield { point, kept: 0n, states }
    }
    if (killed) return
    for (const [point, states] of visited)
      for (const kept of states.subsets(statesOfRecoveryPoint, chance))
        if (kept !== 0n && kept !== states.all) yield { point, kept, states }
  }

  async #start(state: DiskState, { ahead }: CrashPoint, counts: Counts): Promise<number | Error> {
    let result = this.#known.get(state.key)
    if (result === undefined) {
      counts.starts++
      try {
        result = (await checkState(this.#recording, state.files, { ahead, passed: this.#passed })).lsn
      } catch (error) {
        result = error as Error
      }
      this.#known.set(state.key, result)
    }
    return result
  }
}

function judge(lsn: number | Error, least: number): string {
  if (lsn instanceof Error) return lsn instanceof Violation ? lsn.message : (lsn.stack ?? lsn.message)
  return lsn < least ? `recovered to LSN ${lsn}, and LSN ${least} had been answered` : ''
}

/** The moment of a crash, and the states that it may leave. Throws `UsageError` where there is no such crash. */
export function findCrash(
  option: string,
  { point, kept }: Crash,
  moments: readonly CrashPoint[],
): { readonly moment: CrashPoint; readonly states: DiskStates } {
  const moment = moments[point]
  if (moment === undefined) throw new UsageError(`${option}: there are moments 0 to ${moments.length - 1}`)
  const states = new DiskStates(moment.device)
  if (kept > states.all)
    throw new UsageError(`${option}: moment ${point} has 0x0 to 0x${states.all.toString(16)}`)
  return { moment, states }
}

/** Makes one crash again, and one in its recovery where that is wanted, with a trace. Throws what was wrong. */
export async function replay(
  recording: Recording,
  crash: Crash,
  second: Crash | null,
  trace: Trace,
): Promise<void> {
  const { moment: point, states } = findCrash('--crash', crash, recording.points)
  const least = recording.oracle.lsnOf(point.answered)
  const tell = (what: string): void => trace.add(point.ahead, what)
  tell(`the power goes ${describePoint(point)}; ${states.describe(crash.kept)}`)
  const { files } = states.state(crash.kept)
  const { ahead } = point
  let { lsn, recovery } = await checkState(recording, files, { ahead, trace, watched: true })
  if (second !== null) {
    const { moment, states: left } = findCrash('--second-crash', second, recovery.points)
    tell(`the power goes ${describePoint(moment)} of the recovery; ${left.describe(second.kept)}`)
    const expected = lsn
    ;({ lsn } = await checkState(recording, left.state(second.kept).files, { ahead: moment.ahead, trace }))
    if (lsn !== expected)
      throw new Violation('after recovery: another LSN', `recovered to LSN ${lsn}, and ${expected} before`)
  }
  const why = judge(lsn, least)
  if (why !== '') throw new Violation('after recovery: lost', why)
}

export function describePoint({ callNumber, call, moment }: CrashPoint): string {
  const bytes = call.bytes === 0 ? '' : `, ${call.bytes} bytes`
  return `${moment} call ${callNumber} (${call.name} ${call.path}${bytes})`
}
