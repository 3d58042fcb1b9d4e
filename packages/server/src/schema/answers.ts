import { codes, type Json, limits } from '@kuji/engine/contract'
import { Type } from 'typebox'
import { states } from '../health.ts'

/** What the server answers over HTTP, for its OpenAPI document. A title makes a schema a component of its own. */

const whole = (description: string, minimum = 0) =>
  Type.Integer({ minimum, maximum: limits.safeInteger, description })

const Stock = Type.Union([Type.Integer({ minimum: 0, maximum: limits.stock }), Type.Literal('unlimited')], {
  title: 'Stock',
  description: 'Units of an item.',
})

const Id = Type.String({ minLength: 1, maxLength: limits.idLength })
const Metadata = Type.Unsafe<Json>({ description: 'Free-form data, as it was put.' })
const Mode = Type.Enum(['weighted', 'urn'])
const Status = Type.Enum(['open', 'paused', 'closed'])
const Version = whole('1 for a new pool, one more for every change of its rules.', 1)
const Time = Type.String({ format: 'date-time', description: 'Time in the log, RFC 3339, in UTC.' })

export const ReceiptSchema = Type.Object(
  {
    id: whole('The first draw number; item k has the number id + k.', 1),
    pool: Id,
    items: Type.Array(Id, {
      minItems: 1,
      maxItems: limits.drawCount,
      description: 'Item ids in the order drawn.',
    }),
    version: Version,
    at: Time,
    replayed: Type.Boolean({ description: 'Whether an earlier request made this draw.' }),
  },
  {
    title: 'Receipt',
    examples: [
      {
        id: 1,
        pool: 'summer',
        items: ['mud', 'mud', 'diamond'],
        version: 1,
        at: '2026-11-23T21:27:21.108Z',
        replayed: false,
      },
    ],
  },
)

const ItemStateSchema = Type.Object(
  {
    id: Id,
    weight: Type.Optional(
      Type.Number({ minimum: 0, description: 'As declared; absent in urns and for the lastOne item.' }),
    ),
    stock: Stock,
    remaining: Stock,
    held: whole('Units kept for holds (none in this version).'),
    drawn: whole('Units drawn.'),
    odds: Type.Number({ minimum: 0, maximum: 1, description: 'Chance of the next draw.' }),
    metadata: Type.Optional(Metadata),
  },
  { title: 'ItemState' },
)

export const PoolStateSchema = Type.Object(
  {
    id: Id,
    version: Version,
    mode: Mode,
    status: Status,
    drawn: whole('Draws from this pool in all.'),
    fallback: Type.Optional(Id),
    lastOne: Type.Optional(Id),
    metadata: Type.Optional(Metadata),
    items: Type.Array(ItemStateSchema),
  },
  { title: 'PoolState' },
)

export const PoolSummarySchema = Type.Object(
  {
    id: Id,
    version: Version,
    mode: Mode,
    status: Status,
    drawn: whole('Draws from this pool in all.'),
    items: whole('Number of items.', 1),
    remaining: Stock,
  },
  { title: 'PoolSummary' },
)

export const PoolPageSchema = Type.Object(
  {
    pools: Type.Array(PoolSummarySchema),
    next: Type.Optional(Type.String({ description: 'What to pass as `after`; absent on the last page.' })),
  },
  { title: 'PoolPage' },
)

export const PutResultSchema = Type.Object(
  {
    id: Id,
    version: Version,
    created: Type.Boolean({ description: 'False when the pool was there already.' }),
    changed: Type.Boolean({ description: 'False when the rules are what they were: the version stayed.' }),
  },
  { title: 'PutResult', examples: [{ id: 'winter', version: 1, created: true, changed: true }] },
)

export const HealthSchema = Type.Object(
  {
    durability: Type.Enum(['sync', 'os', 'none']),
    state: Type.Enum([...states]),
    reason: Type.Optional(Type.String({ description: 'Why, when the state is not `open`.' })),
    lsn: whole('The last position in the log that is durable.'),
    drawNumber: whole('The last draw number that is durable.'),
    queued: whole('Requests that wait or are under way.'),
    keys: whole('Idempotency keys that are kept.'),
    keyBytes: whole('Memory that they take.'),
    keysForgottenEarly: whole('Keys that had to go before their time, since the start.'),
    oldestKeyMs: Type.Optional(whole('Age of the oldest key, in milliseconds; absent without keys.')),
    heapBytes: whole('What pools and the item lists of kept receipts take of the heap, an estimate.'),
    heapBytesMost: whole('The most that they may; a put that would make it more is refused.'),
    segment: Type.Optional(whole('The log file that is being written; absent without a log.')),
    snapshotLsn: Type.Optional(
      whole('Position of the newest snapshot, 0 where there is none; absent without a log.'),
    ),
  },
  { title: 'Health' },
)

const LogChangeSchema = Type.Union([
  Type.Object(
    {
      type: Type.Literal('draws'),
      pool: Id,
      id: whole('Draw number of the first item.', 1),
      items: Type.Array(Id),
      key: Type.Optional(
        Type.String({ description: 'The idempotency key of the request, where it had one.' }),
      ),
      recipient: Type.Optional(Type.String()),
    },
    { title: 'Draws' },
  ),
  Type.Object(
    {
      type: Type.Literal('pool'),
      pool: Id,
      change: Type.Enum(['put', 'updated', 'paused', 'resumed', 'closed', 'deleted']),
    },
    { title: 'PoolChange' },
  ),
])

export const LogEventSchema = Type.Object(
  {
    lsn: whole('Position in the log, and the id of the event.'),
    at: Time,
    changes: Type.Array(LogChangeSchema),
  },
  { title: 'LogEvent', description: 'The data of an event: one durable batch.' },
)

export const ProblemSchema = Type.Object(
  {
    type: Type.String({ pattern: '^urn:kuji:error:[A-Z_]+$' }),
    title: Type.String({ description: 'What the code means.' }),
    status: Type.Integer({ minimum: 400, maximum: 599 }),
    code: Type.Enum(Object.keys(codes), { description: 'Stable, for programs.' }),
    detail: Type.String({ description: 'What is wrong here, for people.' }),
    field: Type.Optional(Type.String({ description: 'The field or header that the detail speaks of.' })),
  },
  {
    title: 'Problem',
    description: 'A problem document of RFC 9457. Facts that help may stand beside its members.',
    additionalProperties: Type.Union([Type.String(), Type.Number(), Type.Boolean()]),
    examples: [
      {
        field: 'count',
        type: 'urn:kuji:error:INVALID',
        title: codes.INVALID.meaning,
        status: 400,
        code: 'INVALID',
        detail: 'count: expected a whole number from 1 to 10,000, got 0',
      },
    ],
  },
)
