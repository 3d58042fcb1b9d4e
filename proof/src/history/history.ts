/**
 * What clients asked of kuji, and what they were answered: the input of the checker. It is plain data, so that a
 * simulator can make it as well as real clients over a network.
 *
 * Times are of one monotone clock that all clients share, in any unit. An operation is one *attempt*: a client that
 * asks again with the same key has made another one. Keys are taken to be kept for the whole history, and pools not to
 * be deleted in it.
 */
export interface History {
  /** In any order. */
  readonly operations: readonly Operation[]
  /** What the log holds in the end, in the order of draw numbers from the first one on. */
  readonly log?: readonly LoggedDraws[]
  /** How long, in milliseconds of the log's clock, and how many keys are kept; for the whole history where left out. */
  readonly keys?: { readonly retentionMs: number; readonly most: number }
  /** Where the log's clock is the one of `invoked` and `completed`, which then are in milliseconds. */
  readonly clock?: SharedClock
}

/** What the time of the log has to do with that of the clients. */
export interface SharedClock {
  /** The moment that `invoked` and `completed` count from, in milliseconds since 1970. */
  readonly zero: number
  readonly toleranceMs: number
}

export interface Operation {
  /** Who asked; for people. */
  readonly client: string
  readonly invoked: number
  /**
   * When the answer was there. For an outcome that is not known: when it had taken place if it ever did (the server
   * that was asked had ended, say), or `Infinity`.
   */
  readonly completed: number
  readonly request: Request
  readonly outcome: Outcome
}

export type Request =
  | DrawRequest
  | PutRequest
  | { readonly kind: 'restock'; readonly pool: string; readonly item: string; readonly units: number }
  | { readonly kind: 'reweigh'; readonly pool: string; readonly item: string; readonly weight: number }
  | { readonly kind: 'status'; readonly pool: string; readonly status: Status }
  | { readonly kind: 'read'; readonly pool: string }

export interface DrawRequest {
  readonly kind: 'draw'
  readonly pool: string
  readonly count: number
  readonly partial?: boolean
  readonly key?: string
  readonly recipient?: string
}

/** The pools that were there from the beginning are puts too. */
export interface PutRequest {
  readonly kind: 'put'
  readonly pool: string
  readonly items: readonly { readonly id: string; readonly stock: Stock }[]
  /** The item that whoever draws the last of the others gets on top. */
  readonly lastOne?: string
}

export type Status = 'open' | 'paused' | 'closed'
export type Stock = number | 'unlimited'

export type Outcome = Drawn | Changed | Shown | Refused | { readonly kind: 'unknown' }

/** A receipt. What a protocol does not tell is left out. */
export interface Drawn {
  readonly kind: 'drawn'
  readonly id: number
  readonly items: readonly string[]
  readonly version?: number
  /** Milliseconds since 1970, of the log's clock. */
  readonly at?: number
  readonly replayed?: boolean
}

/** A change took place. */
export interface Changed {
  readonly kind: 'changed'
  readonly version?: number
  /** False for a put that said what was so already. */
  readonly changed?: boolean
}

/** A pool as a reader saw it. */
export interface Shown {
  readonly kind: 'shown'
  readonly version: number
  readonly status: Status
  readonly drawn: number
  readonly items: readonly ShownItem[]
}

export interface ShownItem {
  readonly id: string
  readonly stock: Stock
  readonly remaining: Stock
  readonly held: number
  readonly drawn: number
}

/** Nothing was changed, by an answer that said so. */
export interface Refused {
  readonly kind: 'refused'
  readonly code: string
}

/** Draws of one record of the log. Without a request, they may be those of several requests in a row. */
export interface LoggedDraws {
  /** Draw number of the first item. */
  readonly id: number
  readonly pool: string
  readonly items: readonly string[]
  /** Milliseconds since 1970. Without it, a key may have been forgotten at any time where keys are. */
  readonly at?: number
  /** As the log has it where a key or a recipient was given. */
  readonly request?: {
    readonly count: number
    readonly partial: boolean
    readonly key?: string
    readonly recipient?: string
  }
}

/** What a history may break, one name for each rule. */
export const rules = {
  'number-reused': 'No two draws have a number in common.',
  'number-order': 'A draw that was answered before another was asked for has the lower numbers.',
  'time-runs-back': 'The time of draws never decreases with their numbers.',
  'time-off':
    'A draw is of no later time than its answer, and of no earlier one than the question of a draw that was answered ' +
    'before it was asked for.',
  'not-whole': 'A draw has as many items as were asked for; one that takes what is left has at least one.',
  'key-receipt': 'The same key with the same request has the identical receipt.',
  'key-conflict': 'The same key with another request is KEY_CONFLICT, and nothing else is.',
  'key-forgotten': 'A key that was answered is answered again, whatever has become of its pool.',
  'key-replayed': 'One attempt of a key makes the draw; those that are replayed rest on another one.',
  'version-order': "A pool's version never runs back, in real time and in the order of draw numbers.",
  'version-reused': 'Each change of a pool has a version of its own.',
  'version-unmade': 'A version that is seen was made by that many changes.',
  'item-unknown': 'An item drawn is one that the pool may have had.',
  'stock-exceeded': 'Never more of an item is drawn than its stock and its restocks.',
  'stock-shown': 'A reader sees a stock that has all answered restocks and none that nobody asked for.',
  'refusal-implausible': 'A refusal has a state of the pool that it can rest on.',
  'drawn-while-shut': 'Nothing is drawn from a pool that is paused or closed.',
  'status-shown': 'A reader sees a status that the pool may have had.',
  'read-stale': 'A reader sees all draws that were answered before.',
  'read-ahead': 'A reader sees no draws that nobody has asked for.',
  'read-sums':
    'What a reader sees adds up: stock is what remains, is held and is drawn, and none below zero.',
  'log-gap': 'Numbers in the log have no gap.',
  'log-lost': 'Every answered draw is in the log.',
  'log-differs': 'What the log has under the number of an answered draw is that draw.',
  'log-key-twice': 'A key is in the log once.',
  'log-unasked':
    'Every draw in the log was asked for, and an attempt of unknown outcome accounts for one at most.',
} as const

export type Rule = keyof typeof rules

/** A rule that the history breaks. */
export interface Finding {
  readonly rule: Rule
  readonly message: string
  /** Those that contradict each other; empty where the log speaks for itself. */
  readonly operations: readonly Operation[]
}
