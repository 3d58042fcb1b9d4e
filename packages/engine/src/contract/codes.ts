/** What a gRPC status number means; see grpc.io, "Status codes and their use in gRPC". */
const grpc = {
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  OUT_OF_RANGE: 11,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  UNAUTHENTICATED: 16,
} as const

/**
 * Every way in which kuji says no, in one table. Each protocol maps from it: HTTP takes `status`, gRPC `grpc`, and
 * RESP the code itself as the prefix of its error. docs/errors.md has the same table, which a test holds to this one.
 */
export const codes = {
  INVALID: {
    status: 400,
    grpc: grpc.INVALID_ARGUMENT,
    meaning: 'The request, or a field of it, is malformed or out of range.',
  },
  UNAUTHENTICATED: {
    status: 401,
    grpc: grpc.UNAUTHENTICATED,
    meaning: 'The API key is missing or not known here.',
  },
  FORBIDDEN: {
    status: 403,
    grpc: grpc.PERMISSION_DENIED,
    meaning: 'The API key does not have the scope that this request needs.',
  },
  POOL_NOT_FOUND: { status: 404, grpc: grpc.NOT_FOUND, meaning: 'No pool has this id.' },
  ITEM_NOT_FOUND: { status: 404, grpc: grpc.NOT_FOUND, meaning: 'The pool has no item with this id.' },
  DRAW_NOT_FOUND: { status: 404, grpc: grpc.NOT_FOUND, meaning: 'No receipt is kept for this draw number.' },
  POOL_EMPTY: { status: 409, grpc: grpc.FAILED_PRECONDITION, meaning: 'Nothing is left in the pool.' },
  INSUFFICIENT_STOCK: {
    status: 409,
    grpc: grpc.FAILED_PRECONDITION,
    meaning: 'The pool holds fewer units than the request asks for.',
  },
  POOL_PAUSED: {
    status: 409,
    grpc: grpc.FAILED_PRECONDITION,
    meaning: 'The pool is paused; resume it to draw.',
  },
  POOL_CLOSED: { status: 409, grpc: grpc.FAILED_PRECONDITION, meaning: 'The pool is closed for good.' },
  VERSION_CONFLICT: {
    status: 409,
    grpc: grpc.ABORTED,
    meaning: 'The pool has another version than the one that the change was made for.',
  },
  TOO_LARGE: { status: 413, grpc: grpc.OUT_OF_RANGE, meaning: 'The request is larger than a limit allows.' },
  KEY_CONFLICT: {
    status: 422,
    grpc: grpc.ALREADY_EXISTS,
    meaning: 'The idempotency key was used for another request.',
  },
  LIMIT_REACHED: {
    status: 429,
    grpc: grpc.RESOURCE_EXHAUSTED,
    meaning: 'The API key has used up its requests for now.',
  },
  OVERLOADED: {
    status: 503,
    grpc: grpc.UNAVAILABLE,
    meaning: 'The queue is full; try again after a moment.',
  },
  READ_ONLY: {
    status: 503,
    grpc: grpc.UNAVAILABLE,
    meaning: 'The disk is full; reads go on, and draws resume when there is room.',
  },
  CORRUPT: {
    status: 500,
    grpc: grpc.INTERNAL,
    meaning: 'The log or a snapshot is damaged; the start is refused.',
  },
  LOCKED: { status: 500, grpc: grpc.INTERNAL, meaning: 'Another process has the data directory open.' },
  OUTCOME_UNKNOWN: {
    status: 500,
    grpc: grpc.UNKNOWN,
    meaning: 'A write to the log failed; whether the request took place is known after the restart.',
  },
  INTERNAL: {
    status: 500,
    grpc: grpc.INTERNAL,
    meaning: 'A defect in kuji, or a fault of the machine that has no code of its own.',
  },
} as const satisfies Record<string, { status: number; grpc: number; meaning: string }>

/** A code of the table above. */
export type Code = keyof typeof codes
