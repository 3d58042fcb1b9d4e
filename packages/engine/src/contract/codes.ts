/**
 * Every way in which kuji says no, in one table. Each protocol maps from it: HTTP takes `status`, and the text of
 * `meaning` stands in docs/errors.md, which a test holds to this table.
 */
export const codes = {
  INVALID: { status: 400, meaning: 'The request, or a field of it, is malformed or out of range.' },
  POOL_NOT_FOUND: { status: 404, meaning: 'No pool has this id.' },
  ITEM_NOT_FOUND: { status: 404, meaning: 'The pool has no item with this id.' },
  POOL_EMPTY: { status: 409, meaning: 'Nothing is left in the pool.' },
  INSUFFICIENT_STOCK: { status: 409, meaning: 'The pool holds fewer units than the request asks for.' },
  POOL_PAUSED: { status: 409, meaning: 'The pool is paused; resume it to draw.' },
  POOL_CLOSED: { status: 409, meaning: 'The pool is closed for good.' },
  TOO_LARGE: { status: 413, meaning: 'The request is larger than a limit allows.' },
  OVERLOADED: { status: 503, meaning: 'The queue is full; try again after a moment.' },
  READ_ONLY: { status: 503, meaning: 'The disk is full; reads go on, and draws resume when there is room.' },
  CORRUPT: { status: 500, meaning: 'The log or a snapshot is damaged; the start is refused.' },
  LOCKED: { status: 500, meaning: 'Another process has the data directory open.' },
  OUTCOME_UNKNOWN: {
    status: 500,
    meaning: 'A write to the log failed; whether the request took place is known after the restart.',
  },
  INTERNAL: {
    status: 500,
    meaning: 'A defect in kuji, or a fault of the machine that has no code of its own.',
  },
} as const satisfies Record<string, { status: number; meaning: string }>

/** A code of the table above. */
export type Code = keyof typeof codes
