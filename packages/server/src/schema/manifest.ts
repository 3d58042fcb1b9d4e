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

const Weight = Type.Number({
  minimum: 0,
  description: `Relative chance while in stock, with at most ${limits.weightDecimals} decimal places; urns have none.`,
})

const Metadata = Type.Unsafe<Json>({ description: 'Free-form data, kept and given back as it is.' })

const ItemManifestSchema = Type.Object(
  {
    id: Id,
    weight: Type.Optional(Weight),
    stock: Type.Union([Type.Integer({ minimum: 0, maximum: limits.stock }), Type.Literal('unlimited')], {
      description: 'Units there are in all, those already drawn included.',
    }),
    metadata: Type.Optional(Metadata),
  },
  { ...strict, title: 'ItemManifest' },
)

const Rules = {
  mode: Type.Optional(
    Type.Enum(['weighted', 'urn'], {
      default: 'weighted',
      description: 'Chance by weight, or like tickets drawn from a box without putting them back.',
    }),
  ),
  items: Type.Array(ItemManifestSchema, { minItems: 1, maxItems: limits.items }),
  fallback: Type.Optional(Id),
  lastOne: Type.Optional(Id),
  metadata: Type.Optional(Metadata),
}

export const PoolManifestSchema = Type.Object({ id: Id, ...Rules }, strict)

/** A manifest whose id may be left out, since the path of the request names the pool. */
export const PoolBodySchema = Type.Object(
  { id: Type.Optional(Id), ...Rules },
  {
    ...strict,
    title: 'PoolManifest',
    examples: [
      {
        items: [
          { id: 'sledge', weight: 1, stock: 5 },
          { id: 'snow', weight: 99, stock: 'unlimited' },
        ],
      },
    ],
  },
)

export const ItemUpdateSchema = Type.Object(
  {
    restock: Type.Optional(
      Type.Integer({ minimum: 1, maximum: limits.stock, description: 'Units to add to the stock.' }),
    ),
    weight: Type.Optional(Weight),
  },
  { ...strict, minProperties: 1, title: 'ItemUpdate', examples: [{ restock: 20 }] },
)
