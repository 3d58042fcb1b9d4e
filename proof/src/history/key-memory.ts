import type { AskedDraws } from './draws.ts'
import type { History, LoggedDraws } from './history.ts'
import { compare, countBelow } from './intervals.ts'

/** A draw with a key, and when it was made. */
interface KeyedDraw {
  readonly id: number
  readonly at?: number
}

/** Whether a key may have been forgotten, so that another draw could be made with it. */
export class KeyMemory {
  readonly #retention: History['keys']
  /** First numbers of the draws with a key, and how many more there may have been. */
  readonly #keyed: Float64Array
  readonly #open: number

  constructor(retention: History['keys'], asked: AskedDraws, log: readonly LoggedDraws[] | undefined) {
    this.#retention = retention
    const ids =
      log === undefined
        ? asked.draws.flatMap(({ id, key }) => (key === undefined ? [] : [id]))
        : log.flatMap(({ id, request }) => (request?.key === undefined ? [] : [id]))
    this.#keyed = Float64Array.from(ids).sort(compare)
    this.#open =
      log === undefined ? asked.open.filter(({ attempt }) => attempt.request.key !== undefined).length : 0
  }

  get forgets(): boolean {
    return this.#retention !== undefined
  }

  /** Between one draw and a later one. */
  mayForget(earlier: KeyedDraw, later: KeyedDraw): boolean {
    if (this.#retention === undefined) return false
    const { retentionMs, most } = this.#retention
    if (earlier.at === undefined || later.at === undefined) return true
    if (later.at >= earlier.at + retentionMs) return true
    const between = countBelow(this.#keyed, later.id) - countBelow(this.#keyed, earlier.id, true)
    // The draw that would have been the last one to be kept beside it may be the later one itself.
    return between + this.#open >= most - 1
  }
}
