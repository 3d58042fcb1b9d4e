import type { Drawn, DrawRequest, Operation } from './history.ts'
import type { Interval } from './intervals.ts'
import { compare } from './intervals.ts'

/** One attempt to draw, its kinds known. */
export interface Attempt extends Operation {
  readonly request: DrawRequest
}

/** A draw that took place, however many attempts asked for it. It was decided at one moment of the interval. */
export interface Draw extends Interval {
  readonly id: number
  readonly pool: string
  readonly items: readonly string[]
  readonly version?: number
  readonly at?: number
  readonly key?: string
  readonly recipient?: string
  readonly operations: readonly Attempt[]
}

/** All attempts with one key of one pool. */
export interface KeyedAttempts {
  readonly pool: string
  readonly key: string
  readonly attempts: readonly Attempt[]
  /** Distinct ones, by their first number. More than one is against the rules, unless the key was forgotten. */
  readonly draws: readonly Draw[]
}

/** A draw that may have taken place: no attempt at it was answered. */
export interface OpenDraw extends Interval {
  readonly pool: string
  readonly attempt: Attempt
}

export interface AskedDraws {
  readonly draws: readonly Draw[]
  readonly keyed: ReadonlyMap<string, KeyedAttempts>
  readonly open: readonly OpenDraw[]
}

export function keyOf(pool: string, key: string): string {
  return JSON.stringify([pool, key])
}

export function isDraw(operation: Operation): operation is Attempt {
  return operation.request.kind === 'draw'
}

export function isSameRequest(a: DrawRequest, b: DrawRequest): boolean {
  return (
    a.pool === b.pool &&
    a.count === b.count &&
    (a.partial ?? false) === (b.partial ?? false) &&
    a.key === b.key &&
    a.recipient === b.recipient
  )
}

/** Puts the attempts together that ask for one draw; where keys are forgotten, one key may have made several. */
export function gatherDraws(operations: readonly Operation[], forgets: boolean): AskedDraws {
  const draws: Draw[] = []
  const open: OpenDraw[] = []
  const byKey = new Map<string, Attempt[]>()
  for (const attempt of operations) {
    if (!isDraw(attempt)) continue
    const { request, outcome } = attempt
    if (request.key !== undefined) {
      const name = keyOf(request.pool, request.key)
      const attempts = byKey.get(name)
      if (attempts === undefined) byKey.set(name, [attempt])
      else attempts.push(attempt)
    } else if (outcome.kind === 'drawn') draws.push(makeDraw([attempt], [attempt], outcome))
    else if (outcome.kind === 'unknown') open.push(openDraw([attempt]))
  }
  const keyed = new Map<string, KeyedAttempts>()
  for (const [name, attempts] of byKey) {
    const { pool, key } = attempts[0]!.request
    const answered = drawsOfKey(attempts)
    keyed.set(name, { pool, key: key!, attempts, draws: answered })
    for (const draw of answered) draws.push(draw)
    const unknown = attempts.filter(({ outcome }) => outcome.kind === 'unknown')
    if (forgets) for (const attempt of unknown) open.push(openDraw([attempt]))
    else if (answered.length === 0 && unknown.length > 0) open.push(openDraw(unknown))
  }
  return { draws, keyed, open }
}

/** At most one of the attempts took place; for bounds it is the one that takes most. */
function openDraw(attempts: readonly Attempt[]): OpenDraw {
  const attempt = attempts.reduce((most, next) => (next.request.count > most.request.count ? next : most))
  return { pool: attempt.request.pool, attempt, ...spanOf(attempts) }
}

/** The time of what one of these did, at most. */
export function spanOf(attempts: readonly Attempt[]): Interval {
  return {
    from: attempts.reduce((first, { invoked }) => Math.min(first, invoked), Number.POSITIVE_INFINITY),
    to: attempts.reduce((last, { completed }) => Math.max(last, completed), Number.NEGATIVE_INFINITY),
  }
}

function drawsOfKey(attempts: readonly Attempt[]): Draw[] {
  const byId = new Map<number, Attempt[]>()
  for (const attempt of attempts) {
    if (attempt.outcome.kind !== 'drawn') continue
    const same = byId.get(attempt.outcome.id)
    if (same === undefined) byId.set(attempt.outcome.id, [attempt])
    else same.push(attempt)
  }
  return [...byId.values()].map(answered => {
    // One that made the draw is its time; where none says so, the first that asked may have made it.
    const maker = answered.find(({ outcome }) => (outcome as Drawn).replayed === false)
    const asked = maker === undefined ? attempts.filter(isPossibleMaker) : [maker]
    return makeDraw(asked, answered, wholeReceipt(answered))
  })
}

/** Each protocol tells a part of it. Where two tell the same differently, the first counts here. */
function wholeReceipt(answered: readonly Attempt[]): Drawn {
  const receipts = answered.map(({ outcome }) => outcome as Drawn)
  const version = receipts.find(receipt => receipt.version !== undefined)?.version
  const at = receipts.find(receipt => receipt.at !== undefined)?.at
  return {
    ...receipts[0]!,
    ...(version === undefined ? {} : { version }),
    ...(at === undefined ? {} : { at }),
  }
}

function isPossibleMaker({ outcome }: Attempt): boolean {
  return outcome.kind === 'drawn' || outcome.kind === 'unknown'
}

function makeDraw(asked: readonly Attempt[], answered: readonly Attempt[], receipt: Drawn): Draw {
  const { pool, key, recipient } = answered[0]!.request
  const { id, items, version, at } = receipt
  return {
    ...{ id, pool, items, operations: answered },
    ...(version === undefined ? {} : { version }),
    ...(at === undefined ? {} : { at }),
    ...(key === undefined ? {} : { key }),
    ...(recipient === undefined ? {} : { recipient }),
    from: asked.reduce((first, { invoked }) => Math.min(first, invoked), Number.POSITIVE_INFINITY),
    to: answered.reduce((first, { completed }) => Math.min(first, completed), Number.POSITIVE_INFINITY),
  }
}

export function byNumber(draws: readonly Draw[]): Draw[] {
  return draws.toSorted((a, b) => compare(a.id, b.id))
}

/**
 * Narrows the time of each draw by its neighbours: numbers are given in the order of decisions, so a draw comes after
 * whatever has a lower number, and before whatever has a higher one. Draws are in the order of their numbers.
 */
export function narrowTimes(draws: readonly Draw[]): Draw[] {
  const froms = new Float64Array(draws.length)
  let latest = Number.NEGATIVE_INFINITY
  for (const [index, { from }] of draws.entries()) froms[index] = latest = Math.max(latest, from)
  const narrowed: Draw[] = new Array(draws.length)
  let first = Number.POSITIVE_INFINITY
  for (let i = draws.length - 1; i >= 0; i--) {
    first = Math.min(first, draws[i]!.to)
    narrowed[i] = { ...draws[i]!, from: froms[i]!, to: first }
  }
  return narrowed
}
