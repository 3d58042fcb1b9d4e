import { limits } from '@kuji/engine/contract'

/** Every bound of the server in one place; those of the engine stand in its own table. Units come last. */
export const serverLimits = {
  /** A configuration file. */
  configurationBytes: 64 * 1024 * 1024,
  /** A certificate chain or a private key. */
  pemBytes: 1024 * 1024,
  apiKeys: 10_000,
  /** Characters of a key that is presented: a longer one is nobody's. */
  presentedKeyLength: 256,
  /** The largest limit of a key that can be asked for. */
  requestsPerSecond: 10_000_000,
  /** The body of a request, counted while it arrives. */
  bodyBytes: 64 * 1024,
  /** Nesting of a body: metadata inside an item inside the list inside the manifest. */
  bodyDepth: limits.metadataDepth + 3,
  connections: 4096,
  /** Pools on one page of a list. */
  pageSize: 1000,
  defaultPageSize: 100,
  headersTimeoutMs: 5_000,
  requestTimeoutMs: 10_000,
  /** How often slow requests are looked for. */
  timeoutCheckMs: 1_000,
  /** How long a stop waits for requests in flight before it cuts their connections. */
  drainMs: 10_000,
  /** The same after the log has failed, when the answers left to give are refusals. */
  failedDrainMs: 1_000,
  /** What Retry-After says. */
  overloadedRetrySeconds: 1,
  readOnlyRetrySeconds: 10,
} as const
