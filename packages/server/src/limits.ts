import { limits } from '@kuji/engine/contract'

/** Every bound of the server in one place; those of the engine stand in its own table. Units come last. */
export const serverLimits = {
  /** A configuration file. */
  configurationBytes: 64 * 1024 * 1024,
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
