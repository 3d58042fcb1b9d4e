import { limits } from '@kuji/engine/contract'
import { type Static, Type } from 'typebox'
import { keyNameForm, keyNamePattern } from '../access/api-key.ts'
import { scopes } from '../access/caller.ts'
import { serverLimits } from '../limits.ts'
import { logFormats, logLevels } from '../logger.ts'
import { PoolManifestSchema } from '../schema/manifest.ts'
import { durationPattern } from './duration.ts'

/** What holds where a configuration is silent. */
export const defaults = {
  data: './data',
  durability: 'sync',
  listen: '127.0.0.1:7070',
  reflection: true,
  logLevel: 'info',
} as const

const strict = { additionalProperties: false }

const Listen = Type.String({
  minLength: 1,
  description: 'Address and port; port 0 takes a free one. Beyond loopback only with apiKeys.',
})

const Tls = Type.Object(
  {
    certificate: Type.String({
      minLength: 1,
      description: 'PEM file, relative to this one: the certificate, then those it was issued under.',
    }),
    key: Type.String({ minLength: 1, description: 'PEM file, relative to this one: the private key.' }),
  },
  { ...strict, description: 'With it all servers speak TLS only. Read at the start.' },
)

const ApiKey = Type.Object(
  {
    name: Type.String({ pattern: keyNamePattern, description: keyNameForm }),
    hash: Type.String({
      pattern: '^sha256:[0-9a-f]{64}$',
      description: '"sha256:" and 64 hexadecimal digits, as `kuji keys new` prints it',
      // What stands here by mistake may be the key itself, which no message may repeat.
      writeOnly: true,
    }),
    scopes: Type.Array(Type.Enum([...scopes]), {
      minItems: 1,
      description:
        'draw; read: pools, receipts, events, metrics; admin: changes of pools. None includes another.',
    }),
    requestsPerSecond: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: serverLimits.requestsPerSecond,
        description: 'Requests that pass in the long run; without it there is no limit.',
      }),
    ),
    burst: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: serverLimits.requestsPerSecond,
        description: 'Requests that pass at once after a rest; as many as in a second when left out.',
      }),
    ),
  },
  strict,
)

const Idempotency = Type.Object(
  {
    retention: Type.Optional(
      Type.Union(
        [
          Type.Integer({
            minimum: limits.keyRetentionMinimumMs / 1000,
            maximum: limits.keyRetentionMaximumMs / 1000,
          }),
          Type.String({ pattern: durationPattern, description: 'a duration like 90s, 30m, 24h or 7d' }),
        ],
        {
          default: '24h',
          description:
            'How long a key is kept: seconds, or a duration; a minute to 90 days. Left out: as the log has it.',
        },
      ),
    ),
    keys: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: limits.keys,
        default: limits.keysDefault,
        description: 'How many keys are kept at most; the oldest go first. Left out: as the log has it.',
      }),
    ),
  },
  { ...strict, description: 'Idempotency keys of draws.' },
)

const Log = Type.Object(
  {
    level: Type.Optional(Type.Enum([...logLevels], { default: defaults.logLevel })),
    format: Type.Optional(
      Type.Enum([...logFormats], { description: 'Default: text on a terminal, json elsewhere.' }),
    ),
  },
  strict,
)

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
    tls: Type.Optional(Tls),
    apiKeys: Type.Optional(
      Type.Array(ApiKey, {
        maxItems: serverLimits.apiKeys,
        description: 'Who may do what. Without any, everybody on this machine may do everything.',
      }),
    ),
    idempotency: Type.Optional(Idempotency),
    log: Type.Optional(Log),
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
