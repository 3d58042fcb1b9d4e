import type { Attempt, Draw, OpenDraw } from './draws.ts'
import type { LoggedDraws } from './history.ts'
import type { Interval } from './intervals.ts'
import { compare, IntervalIndex } from './intervals.ts'

/** Numbers in a row, of one pool, that no answer accounts for. */
export interface UnclaimedRange extends LoggedDraws, Interval {}

export interface Assignment {
  readonly claimed: readonly Draw[]
  readonly unasked: readonly UnclaimedRange[]
}

/**
 * Steps of the search for one group of ranges. Which attempts of unknown outcome fill which ranges is a question of
 * packing, so the exact answer may take for ever. The groups that a lost connection leaves have some dozens of attempts
 * of a handful of sizes, and take hardly a step more than there are attempts. Beyond the limit only sums are compared.
 */
const mostSteps = 50_000

/**
 * Gives each range to attempts of unknown outcome that fill it to the last draw, in an order that fits their times;
 * each attempt is used once. There may be several ways, so what is known of the time of a range is that of its
 * neighbours, not that of the attempts which were found for it.
 */
export function assignRanges(
  ranges: readonly UnclaimedRange[],
  open: readonly OpenDraw[],
  lastOnes: ReadonlySet<string>,
): Assignment {
  const claimed: Draw[] = []
  const unasked: UnclaimedRange[] = []
  const byKind = Map.groupBy(open, ({ attempt }) => kindOf(attempt.request))
  for (const [kind, list] of Map.groupBy(ranges, kindOf)) {
    const attempts = new IntervalIndex(byKind.get(kind) ?? [])
    for (const group of groupRanges(list, attempts)) {
      const search = new Search(group, lastOnes.has(list[0]!.pool) ? 1 : 0)
      const failed = search.run()
      if (failed === undefined) claimed.push(...search.claimed)
      else unasked.push(failed)
    }
  }
  return { claimed, unasked }
}

/** Who can only be mistaken for each other: draws without a name from one pool, or with the same recipient. */
function kindOf({ pool, recipient, request }: Named): string {
  return JSON.stringify([pool, recipient ?? request?.recipient ?? null])
}

interface Named {
  readonly pool: string
  readonly recipient?: string
  readonly request?: { readonly recipient?: string }
}

interface Candidates {
  readonly range: UnclaimedRange
  readonly open: readonly OpenDraw[]
}

/** Ranges whose attempts have nothing to do with those of the others. They come in the order of time. */
function groupRanges(ranges: readonly UnclaimedRange[], attempts: IntervalIndex<OpenDraw>): Candidates[][] {
  const groups: Candidates[][] = []
  const inGroup = new Set<OpenDraw>()
  for (const range of ranges) {
    const open = attempts.overlapping(range)
    if (!open.some(attempt => inGroup.has(attempt))) {
      groups.push([])
      inGroup.clear()
    }
    groups.at(-1)!.push({ range, open })
    for (const attempt of open) inGroup.add(attempt)
  }
  return groups
}

/** An attempt, and how many draws it may have made. */
interface Choice {
  readonly open: OpenDraw
  readonly size: number
}

/** Where the search stands: at this draw of this range, after a decision that came no earlier than `since`. */
interface Place {
  readonly range: number
  readonly taken: number
  readonly since: number
}

class Search {
  readonly #group: readonly Candidates[]
  readonly #extra: number
  readonly #used = new Set<OpenDraw>()
  /** The way taken, with what else could be tried at each step. */
  readonly #path: { readonly place: Place; readonly choices: readonly Choice[]; at: number }[] = []
  #steps = 0
  #furthest = 0

  constructor(group: readonly Candidates[], extra: number) {
    this.#group = group
    this.#extra = extra
  }

  /** Returns a range that cannot be filled, or undefined. */
  run(): UnclaimedRange | undefined {
    if (this.#fill()) return undefined
    if (this.#steps < mostSteps) return this.#group[this.#furthest]!.range
    this.#path.length = 0
    return this.#findMissing()
  }

  /** The ranges as draws, each with the attempts that fill it. */
  get claimed(): Draw[] {
    const byRange = Map.groupBy(this.#path, ({ place }) => place.range)
    return this.#group.map(({ range }, index) => {
      const path = byRange.get(index) ?? []
      return asDraw(
        range,
        path.map(({ choices, at }) => choices[at]!.open.attempt),
      )
    })
  }

  /** Depth first, without recursion: a range may be filled by thousands of single draws. */
  #fill(): boolean {
    let place: Place = { range: 0, taken: 0, since: Number.NEGATIVE_INFINITY }
    while (place.range < this.#group.length) {
      this.#furthest = Math.max(this.#furthest, place.range)
      this.#path.push({ place, choices: this.#choices(place), at: -1 })
      let top = this.#path.at(-1)!
      while (++top.at >= top.choices.length) {
        this.#path.pop()
        if (this.#path.length === 0) return false
        top = this.#path.at(-1)!
        this.#used.delete(top.choices[top.at]!.open)
      }
      if (++this.#steps >= mostSteps) return false
      place = this.#take(top.place, top.choices[top.at]!)
    }
    return true
  }

  #take({ range, taken, since }: Place, { open, size }: Choice): Place {
    this.#used.add(open)
    const end = taken + size
    const next = { since: Math.max(since, open.from) }
    return end === this.#group[range]!.range.items.length
      ? { ...next, range: range + 1, taken: 0 }
      : { ...next, range, taken: end }
  }

  /**
   * Of two attempts for the same, one that was asked for and over no later than the other can take its place in every
   * solution, so the other is not tried.
   */
  #choices({ range: index, taken, since }: Place): Choice[] {
    const { range, open } = this.#group[index]!
    const left = range.items.length - taken
    const best = new Map<string, OpenDraw[]>()
    for (const candidate of open) {
      if (this.#used.has(candidate) || candidate.to < since) continue
      const { count, partial = false } = candidate.attempt.request
      const others = best.get(`${count} ${partial}`)
      if (others === undefined) best.set(`${count} ${partial}`, [candidate])
      // They come by when they were asked for.
      else if (candidate.to < others.at(-1)!.to) others.push(candidate)
    }
    const choices: Choice[] = []
    for (const candidate of [...best.values()].flat())
      for (const size of sizesOf(candidate.attempt, left, this.#extra))
        if (range.request === undefined || size === left) choices.push({ open: candidate, size })
    return choices.sort((a, b) => compare(b.size, a.size) || compare(a.open.to, b.open.to))
  }

  #findMissing(): UnclaimedRange | undefined {
    const attempts = new Set(this.#group.flatMap(({ open }) => open))
    let room = 0
    for (const { attempt } of attempts) room += attempt.request.count + this.#extra
    return this.#group.find(({ range }) => (room -= range.items.length) < 0)?.range
  }
}

function* sizesOf({ request: { count, partial } }: Attempt, left: number, extra: number): Generator<number> {
  if (extra === 1 && count + 1 <= left) yield count + 1
  if (count <= left) yield count
  if (partial === true) for (let size = Math.min(count - 1, left); size > 0; size--) yield size
}

export function asDraw(
  { id, pool, items, request, from, to }: UnclaimedRange,
  operations: readonly Attempt[],
): Draw {
  const { key, recipient } = request ?? {}
  return {
    ...{ id, pool, items, from, to, operations },
    ...(key === undefined ? {} : { key }),
    ...(recipient === undefined ? {} : { recipient }),
  }
}
