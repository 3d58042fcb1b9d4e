import { asDraw, assignRanges, type UnclaimedRange } from './assign.ts'
import type { AskedDraws, Draw } from './draws.ts'
import { byNumber, keyOf, narrowTimes, spanOf } from './draws.ts'
import type { DrawRequest, Finding, LoggedDraws, Operation, Rule } from './history.ts'
import type { Interval } from './intervals.ts'
import { countBelow } from './intervals.ts'
import type { KeyMemory } from './key-memory.ts'
import { tell } from './numbers.ts'

/** What the log adds to what was answered: draws of attempts whose outcome was not known. */
export interface LogVerdict {
  readonly findings: readonly Finding[]
  /** Found in the log alone. */
  readonly draws: readonly Draw[]
}

/** Holds all that was answered against the log, and all that the log has against what was asked for. */
export function checkLog(
  log: readonly LoggedDraws[],
  asked: AskedDraws,
  lastOnes: ReadonlySet<string>,
  memory: KeyMemory,
): LogVerdict {
  const gap = findGap(log)
  // Whatever else is said of a log with a gap would be the same thing again.
  if (gap !== undefined) return { findings: [gap], draws: [] }
  return new LogCheck(log, asked, lastOnes, memory).verdict()
}

function findGap(log: readonly LoggedDraws[]): Finding | undefined {
  let next = 1
  for (const { id, items } of log) {
    if (id !== next)
      return { rule: 'log-gap', message: `draw ${next} is followed by draw ${id}`, operations: [] }
    next += items.length
  }
  return undefined
}

/** A range that may be found to go on. */
type GrowingRange = UnclaimedRange & { readonly items: string[] }

class LogCheck {
  readonly #findings: Finding[] = []
  readonly #found: Draw[] = []
  readonly #log: readonly LoggedDraws[]
  readonly #asked: AskedDraws
  readonly #lastOnes: ReadonlySet<string>
  readonly #memory: KeyMemory
  readonly #starts: Float64Array
  readonly #last: number
  /** By number: whether an answered draw accounts for it. */
  readonly #answered: Uint8Array
  /** What is known of the time of a number: that of draws around it. */
  #around: { ids: Float64Array; times: readonly Draw[] } = { ids: new Float64Array(0), times: [] }

  constructor(
    log: readonly LoggedDraws[],
    asked: AskedDraws,
    lastOnes: ReadonlySet<string>,
    memory: KeyMemory,
  ) {
    this.#memory = memory
    this.#log = log
    this.#asked = asked
    this.#lastOnes = lastOnes
    this.#starts = Float64Array.from(log, ({ id }) => id)
    const end = log.at(-1)
    this.#last = end === undefined ? 0 : end.id + end.items.length - 1
    this.#answered = new Uint8Array(this.#last + 2)
    this.#learnTimes(asked.draws)
  }

  verdict(): LogVerdict {
    for (const draw of this.#asked.draws) this.#checkAnswered(draw)
    for (const run of this.#log) if (run.request?.key !== undefined) this.#checkKeyed(run, run.request.key)
    this.#learnTimes([...this.#asked.draws, ...this.#found])
    const unclaimed: GrowingRange[] = []
    for (const run of this.#log) if (run.request?.key === undefined) this.#collectUnclaimed(run, unclaimed)
    const open = this.#asked.open.filter(({ attempt }) => attempt.request.key === undefined)
    const { claimed, unasked } = assignRanges(unclaimed, open, this.#lastOnes)
    this.#found.push(...claimed)
    for (const range of unasked) {
      const { id, pool, items } = range
      const message = `draws ${id}-${id + items.length - 1} of ${pool} are not those of any attempt`
      this.#findings.push({ rule: 'log-unasked', message, operations: [] })
      this.#found.push(asDraw(range, []))
    }
    return { findings: this.#findings, draws: this.#found }
  }

  #learnTimes(draws: readonly Draw[]): void {
    const times = narrowTimes(byNumber(draws))
    this.#around = { ids: Float64Array.from(times, ({ id }) => id), times }
  }

  #runAt(number: number): LoggedDraws | undefined {
    const run = this.#log[countBelow(this.#starts, number, true) - 1]
    return run !== undefined && number < run.id + run.items.length ? run : undefined
  }

  #checkAnswered(draw: Draw): void {
    const { id, items, operations } = draw
    if (id + items.length - 1 > this.#last || id < 1) {
      const message = `${tell(draw)} was answered, and the log ends with draw ${this.#last}`
      this.#findings.push({ rule: 'log-lost', message, operations })
      this.#answered.fill(1, Math.max(0, id))
      return
    }
    for (let k = 0; k < items.length; ) {
      const run = this.#runAt(id + k)!
      const at = id + k - run.id
      const length = Math.min(items.length - k, run.items.length - at)
      if (!isSameDraw(draw, run, k, at, length)) {
        const message = `${tell(draw)} was answered, and the log has another draw there`
        this.#findings.push({ rule: 'log-differs', message, operations })
        // Its place is taken all the same.
        this.#answered.fill(1, id, id + items.length)
        return
      }
      this.#answered.fill(1, id + k, id + k + length)
      k += length
    }
  }

  /** The last draw of each key. */
  readonly #loggedKeys = new Map<string, LoggedDraws>()
  /** By key and request: how many attempts of unknown outcome account for draws already. */
  readonly #usedAttempts = new Map<string, number>()

  #checkKeyed(run: LoggedDraws, key: string): void {
    const { id, pool, request } = run
    const name = keyOf(pool, key)
    const before = this.#loggedKeys.get(name)
    const report = (rule: Rule, message: string, operations: readonly Operation[]): void => {
      this.#findings.push({ rule, message, operations })
      this.#found.push(asDraw({ ...run, ...this.#timeOf(id) }, []))
    }
    if (before !== undefined && !this.#memory.mayForget(before, run)) {
      report('log-key-twice', `key ${key} of ${pool} is in the log as draws ${before.id} and ${id}`, [])
      return
    }
    this.#loggedKeys.set(name, run)
    if (this.#answered[id] === 1) return
    const asked = JSON.stringify([name, request])
    const used = this.#usedAttempts.get(asked) ?? 0
    this.#usedAttempts.set(asked, used + 1)
    const { attempts = [], draws = [] } = this.#asked.keyed.get(name) ?? {}
    const makers = attempts.filter(
      attempt => attempt.outcome.kind === 'unknown' && isRequestOf(attempt.request, request!),
    )
    if (draws.length > 0 && !this.#memory.forgets)
      report(
        'log-unasked',
        `draw ${id} of ${pool} has key ${key}, answered as draw ${draws[0]!.id}`,
        attempts,
      )
    else if (makers.length <= used)
      report('log-unasked', `draw ${id} of ${pool} has key ${key}, and no attempt is left for it`, attempts)
    else this.#found.push(asDraw({ ...run, ...spanOf(makers) }, makers))
  }

  /** Adds the parts of a run that no answer accounts for. Parts that follow on each other are one. */
  #collectUnclaimed(run: LoggedDraws, unclaimed: GrowingRange[]): void {
    const { id, pool, items, request } = run
    for (let k = 0; k < items.length; k++) {
      if (this.#answered[id + k] === 1) continue
      let end = k + 1
      while (end < items.length && this.#answered[id + end] === 0) end++
      const before = unclaimed.at(-1)
      const follows = before !== undefined && before.id + before.items.length === id + k
      if (follows && before.pool === pool && before.request === undefined && request === undefined)
        for (let place = k; place < end; place++) before.items.push(items[place]!)
      else {
        const rest = request === undefined ? {} : { request }
        unclaimed.push({ id: id + k, pool, items: items.slice(k, end), ...rest, ...this.#timeOf(id + k) })
      }
      k = end
    }
  }

  #timeOf(number: number): Interval {
    const { ids, times } = this.#around
    const next = countBelow(ids, number)
    return {
      from: times[next - 1]?.from ?? Number.NEGATIVE_INFINITY,
      to: times[next]?.to ?? Number.POSITIVE_INFINITY,
    }
  }
}

function isSameDraw(draw: Draw, run: LoggedDraws, k: number, at: number, length: number): boolean {
  const { request } = run
  if (draw.pool !== run.pool || draw.key !== request?.key || draw.recipient !== request?.recipient)
    return false
  if (draw.at !== undefined && run.at !== undefined && draw.at !== run.at) return false
  if (request !== undefined) {
    const { count, partial = false } = draw.operations[0]!.request
    if (at !== 0 || k !== 0 || run.items.length !== draw.items.length) return false
    if (count !== request.count || partial !== request.partial) return false
  }
  for (let i = 0; i < length; i++) if (draw.items[k + i] !== run.items[at + i]) return false
  return true
}

function isRequestOf(request: DrawRequest, logged: NonNullable<LoggedDraws['request']>): boolean {
  return (
    request.count === logged.count &&
    (request.partial ?? false) === logged.partial &&
    request.recipient === logged.recipient
  )
}
