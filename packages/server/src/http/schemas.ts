import { limits } from '@kuji/engine/contract'
import { Type } from 'typebox'
import { serverLimits } from '../limits.ts'

/** Which pool or item an id names, if any, is the engine's to say. */
export const PoolParams = Type.Object({ pool: Type.String() })
export const ItemParams = Type.Object({ pool: Type.String(), item: Type.String() })

const strict = { additionalProperties: false }

export const NoBody = Type.Object({}, strict)

export const DrawBody = Type.Object(
  {
    count: Type.Optional(Type.Integer({ minimum: 1, maximum: limits.drawCount })),
    partial: Type.Optional(Type.Boolean()),
  },
  strict,
)

export const PageQuery = Type.Object(
  {
    after: Type.Optional(Type.String()),
    limit: Type.Optional(
      Type.String({
        pattern: '^(?:[1-9][0-9]{0,2}|1000)$',
        description: `a whole number from 1 to ${serverLimits.pageSize.toLocaleString('en')}`,
      }),
    ),
  },
  strict,
)
