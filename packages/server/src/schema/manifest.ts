import type { Json } from '@kuji/engine/contract'
import { limits } from '@kuji/engine/contract'
import { Type } from 'typebox'

/**
 * The shape of a pool's rules, for the configuration and for HTTP alike. What one field means to another (a
 * weight in an urn, a fallback that is no item) is the engine's to judge: it has every rule once, for every
 * way in.
 */
const strict = { additionalProperties: false }

const Id = Type.String({
  minLength: 1,
  maxLength: limits.idLength,
  pattern: '^[A-Za-z0-9_][A-Za-z0-9._:-]*$',
  description:
    `an id: 1 to ${limits.idLength} letters, digits, ".", "_", "-" or ":", ` +
    'the first a letter, a digit or "_"',
})

const Weight = Type.Number({ minimum: 0 })

const Metadata = Type.Unsafe<Json>({ description: 'Free-form data, kept and given back as it is.' })

const ItemManifestSchema = Type.Object(
  {
    id: Id,
    weight: Type.Optional(Weight),
    stock: Type.Union([Type.Integer({ minimum: 0, maximum: limits.stock }), Type.Literal('unlimited')]),
    metadata: Type.Optional(Metadata),
  },
  strict,
)

const Rules = {
  mode: Type.Optional(Type.Enum(['weighted', 'urn'])),
  items: Type.Array(ItemManifestSchema, { minItems: 1, maxItems: limits.items }),
  fallback: Type.Optional(Id),
  lastOne: Type.Optional(Id),
  metadata: Type.Optional(Metadata),
}

export const PoolManifestSchema = Type.Object({ id: Id, ...Rules }, strict)

/** A manifest whose id may be left out, since the path of the request names the pool. */
export const PoolBodySchema = Type.Object({ id: Type.Optional(Id), ...Rules }, strict)

export const ItemUpdateSchema = Type.Object(
  {
    restock: Type.Optional(Type.Integer({ minimum: 1, maximum: limits.stock })),
    weight: Type.Optional(Weight),
  },
  { ...strict, minProperties: 1 },
)
