import { limits } from '@kuji/engine/contract'
import { Type } from 'typebox'
import { serverLimits } from '../limits.ts'

const strict = { additionalProperties: false }

const Pool = Type.String({ description: 'The id of a pool.', examples: ['summer'] })

/** Which pool or item an id names, if any, is the engine's to say. */
export const PoolParams = Type.Object({ pool: Pool })
export const ItemParams = Type.Object({
  pool: Pool,
  item: Type.String({ description: 'The id of an item.', examples: ['diamond'] }),
})

/** Digits of a safe integer, as a path or a query carries it; which of them is one, the engine says. */
const digits = '[0-9]{0,15}'

export const DrawParams = Type.Object({
  id: Type.String({
    pattern: `^[1-9]${digits}$`,
    description: 'a draw number: a whole number from 1',
    examples: ['1'],
  }),
})

export const NoBody = Type.Object({}, strict)
export const NoQuery = Type.Object({}, strict)

export const DrawBody = Type.Object(
  {
    count: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: limits.drawCount,
        default: 1,
        description: 'Draws to make: all or none.',
      }),
    ),
    recipient: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: limits.recipientLength,
        description: 'Whom the draw is for; kept in the log.',
      }),
    ),
    partial: Type.Optional(
      Type.Boolean({
        default: false,
        description: 'Take what is left when that is less than count; only an empty pool is refused.',
      }),
    ),
  },
  { ...strict, title: 'DrawRequest', examples: [{ count: 10, recipient: 'user-7' }] },
)

/** What to say of fields that a caller may well expect in the body of a draw. */
export const drawRemarks = new Map([
  ['key', 'the key of a draw is the header Idempotency-Key'],
  ['hold', 'not in this version: holds come with a later release'],
])

export const PageQuery = Type.Object(
  {
    after: Type.Optional(
      Type.String({ description: 'Goes on behind this pool: `next` of the page before.' }),
    ),
    limit: Type.Optional(
      Type.String({
        pattern: '^(?:[1-9][0-9]{0,2}|1000)$',
        description: `a whole number from 1 to ${serverLimits.pageSize.toLocaleString('en')}`,
        default: String(serverLimits.defaultPageSize),
      }),
    ),
  },
  strict,
)

const position = {
  pattern: `^(?:0|[1-9]${digits})$`,
  description: 'a position in the log, a whole number from 0: events behind it are sent, without a gap',
}

export const EventsQuery = Type.Object({ after: Type.Optional(Type.String(position)) }, strict)

export const EventsHeaders = Type.Object({
  'last-event-id': Type.Optional(
    Type.String({ ...position, description: `${position.description}. Goes before after` }),
  ),
})

export const KeyHeaders = Type.Object({
  'idempotency-key': Type.Optional(
    Type.String({
      description:
        `Names the request, 1 to ${limits.keyLength} printable ASCII characters, in quotes or bare: sent again with ` +
        'the same key it gives the same receipt, and draws nothing.',
      examples: ['"order-42"'],
    }),
  ),
})

const IfMatch = Type.Optional(
  Type.String({
    description: 'The change is made only where the pool has this version; `*` is any.',
    examples: ['"3"'],
  }),
)

export const PutHeaders = Type.Object({
  'if-match': IfMatch,
  'if-none-match': Type.Optional(
    Type.String({
      description: '`*`, and nothing else: the pool is put only where there is none.',
      examples: ['*'],
    }),
  ),
})

export const PatchHeaders = Type.Object({ 'if-match': IfMatch })
