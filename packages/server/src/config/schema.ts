import { limits } from '@kuji/engine/contract'
import { type Static, Type } from 'typebox'
import { PoolManifestSchema } from '../schema/manifest.ts'

/** What holds where a configuration is silent. */
export const defaults = {
  data: './data',
  durability: 'sync',
  listen: '127.0.0.1:7070',
  reflection: true,
} as const

const strict = { additionalProperties: false }

const Listen = Type.String({
  minLength: 1,
  description: 'Address and port; port 0 takes a free one. Beyond loopback only with apiKeys.',
})

/** The configuration file. `kuji.schema.json` is this schema, for editors; a test keeps the two the same. */
export const ConfigurationSchema = Type.Object(
  {
    data: Type.Optional(
      Type.String({
        minLength: 1,
        default: defaults.data,
        description: 'Directory of the log, relative to this file; made when absent.',
      }),
    ),
    durability: Type.Optional(
      Type.Enum(['sync', 'os', 'none'], {
        default: defaults.durability,
        description:
          'When a draw is answered. sync: on the device; os: handed to the kernel, survives a crash of the ' +
          'process; none: memory only, nothing is kept.',
      }),
    ),
    segmentBytes: Type.Optional(
      Type.Integer({
        minimum: limits.segmentMinimumBytes,
        maximum: limits.segmentMaximumBytes,
        default: limits.segmentBytes,
        description: 'Size of one log file.',
      }),
    ),
    retention: Type.Optional(
      Type.Enum(['archive', 'remove'], {
        default: 'archive',
        description: 'What happens to log files that a snapshot has made superfluous.',
      }),
    ),
    http: Type.Optional(
      Type.Object({ listen: Type.Optional({ ...Listen, default: defaults.listen }) }, strict),
    ),
    resp: Type.Optional(Type.Object({ listen: Listen }, strict)),
    grpc: Type.Optional(
      Type.Object(
        {
          listen: Listen,
          reflection: Type.Optional(
            Type.Boolean({
              default: defaults.reflection,
              description: 'Whether clients may ask for the services and messages that there are.',
            }),
          ),
        },
        strict,
      ),
    ),
    pools: Type.Optional(
      Type.Array(PoolManifestSchema, {
        maxItems: limits.pools,
        description: 'Created when absent; a live pool is never overwritten.',
      }),
    ),
  },
  strict,
)

export type ConfigurationDocument = Static<typeof ConfigurationSchema>
