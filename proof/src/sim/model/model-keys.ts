import type { Receipt } from '@kuji/engine/contract'
import type { DrawOperation } from './operation.ts'

/** How long keys are kept, and how many. */
export interface KeyRules {
  readonly retentionMs: number
  readonly most: number
}

/** Between which times of the log, in milliseconds since 1970, something was decided. */
export interface TimeSpan {
  readonly from: number
  readonly to: number
}

/** The receipt that has to come again, or the conflict with it; for certain, or where the key may have expired. */
export interface Kept {
  readonly receipt: Receipt
  readonly same: boolean
  readonly certain: boolean
}

interface ModelKey {
  readonly operation: DrawOperation
  readonly receipt: Receipt
}

/** What holds where nobody has said anything. */
const usual: KeyRules = { retentionMs: 86_400_000, most: 1_000_000 }
const forgottenAtOnce = 16

/**
 * The keys that are kept, as the documents have it: a queue of draws, of which the oldest go when another comes. Which
 * ones follows from the log alone, so from the rules that it has, not from those that a start asks for: these come into
 * the log with the first request that has a key.
 */
export class ModelKeys {
  /** What the log says; null before the first key. */
  #logged: KeyRules | null = null
  /** What the process goes by that is up. */
  #settled = usual
  /**
   * Whether the disk may have been full. A request whose key is kept is answered where there is no room, and then the
   * log does not say what has changed: what holds for such an answer is open.
   */
  readonly #mayLackRoom: boolean
  readonly #queue: ModelKey[] = []
  readonly #latest = new Map<string, ModelKey>()
  /** Keys that went before their time, since the start. */
  forgottenEarly = 0

  constructor(mayLackRoom: boolean) {
    this.#mayLackRoom = mayLackRoom
  }

  /**
   * A start: what is not asked for stays as the log has it. Returns what is wrong with the log, or ''.
   * @param logged what the log says, where the start has found it to end
   */
  open(asked: Partial<KeyRules>, logged: KeyRules | null): string {
    if (!this.mayEndWith(logged))
      return `the log has keys kept by ${tell(logged)}, expected ${tell(this.#logged)}`
    this.#logged = logged
    this.#settled = { ...usual, ...logged, ...asked }
    this.forgottenEarly = 0
    return ''
  }

  /** Whether the log has other rules than the process, and none are told of before the next request with a key. */
  get isDue(): boolean {
    return this.#logged !== null && !isSame(this.#logged, this.#settled)
  }

  isDueTo(rules: KeyRules): boolean {
    return this.isDue && isSame(rules, this.#settled)
  }

  get #isOpen(): boolean {
    return this.isDue && this.#mayLackRoom
  }

  /** Takes in rules that stand in the log. Returns what is wrong with them, or ''. */
  log(rules: KeyRules): string {
    if (!isSame(rules, this.#settled))
      return `the log has ${tell(rules)}, asked for was ${tell(this.#settled)}`
    if (isSame(rules, this.#logged)) return `the log has ${tell(rules)} twice`
    this.#logged = rules
    return ''
  }

  /** A request with a key was answered by what is kept, or by the rules of its pool. */
  answered(byKept: boolean): void {
    if (this.isDue && !(byKept && this.#mayLackRoom)) this.#logged = this.#settled
  }

  find(operation: DrawOperation, { from, to }: TimeSpan): Kept | undefined {
    const found = this.#latest.get(nameOf(operation))
    if (operation.key === '' || found === undefined) return undefined
    const { receipt } = found
    const ends = (
      this.#isOpen ? [this.#logged!, this.#settled] : [this.isDue ? this.#settled : this.#logged!]
    ).map(({ retentionMs }) => receipt.at + retentionMs)
    if (Math.max(...ends) <= from) return undefined
    const { count, partial, recipient } = found.operation
    const same =
      count === operation.count && partial === operation.partial && recipient === operation.recipient
    return { receipt, same, certain: Math.min(...ends) > to }
  }

  /** Enters a draw, and forgets what has to go for it. */
  add(operation: DrawOperation, receipt: Receipt): void {
    this.#logged = this.#settled
    for (let gone = 0; gone < forgottenAtOnce; gone++) {
      const oldest = this.#queue[0]
      if (oldest === undefined) break
      const isExpired = oldest.receipt.at + this.#settled.retentionMs <= receipt.at
      if (!isExpired && this.#queue.length < this.#settled.most) break
      if (!isExpired) this.forgottenEarly++
      this.#queue.shift()
      const name = nameOf(oldest.operation)
      if (this.#latest.get(name) === oldest) this.#latest.delete(name)
    }
    const added = { operation, receipt }
    this.#queue.push(added)
    this.#latest.set(nameOf(operation), added)
  }

  /** The receipts that are kept, expired ones that have not gone yet included, oldest first. */
  get receipts(): readonly Receipt[] {
    return this.#queue.map(({ receipt }) => receipt)
  }

  get size(): number {
    return this.#queue.length
  }

  /** When the oldest draw was made that is kept; undefined where none is. */
  get oldestTime(): number | undefined {
    return this.#queue[0]?.receipt.at
  }

  /** The receipt that holds a draw number. */
  holding(draw: number): Receipt | undefined {
    return this.#queue.findLast(({ receipt: { id, items } }) => id <= draw && draw < id + items.length)
      ?.receipt
  }

  /** Whether a request may have been answered by these; before the first draw with a key there are none. */
  mayRestOn(rules: KeyRules | null): boolean {
    return this.#logged === null || this.mayEndWith(rules)
  }

  /** Whether these may be the rules that the log ends with. */
  mayEndWith(rules: KeyRules | null): boolean {
    return isSame(rules, this.#logged) || (this.#isOpen && isSame(rules, this.#settled))
  }
}

function nameOf({ pool, key }: DrawOperation): string {
  return `${pool} ${key}`
}

function isSame(a: KeyRules | null, b: KeyRules | null): boolean {
  return a?.retentionMs === b?.retentionMs && a?.most === b?.most
}

function tell(rules: KeyRules | null): string {
  return rules === null ? 'no rules' : `${rules.most} for ${rules.retentionMs} ms`
}
