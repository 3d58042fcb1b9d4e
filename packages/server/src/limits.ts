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
  grpc: {
    /** A request message; the same as the body of a request over HTTP. */
    messageBytes: 64 * 1024,
    /** Calls at a time on one connection. */
    connectionStreams: 100,
    /** Silence after which a connection is asked whether it lives, and how long the answer may take. */
    keepaliveMs: 60_000,
    keepaliveTimeoutMs: 20_000,
    /** Requests of one stream of draws that are not answered yet; a power of two. Beyond it, reading pauses. */
    streamRequests: 256,
    /** Draws that they may ask for together; one request alone may ask for more. */
    streamDraws: 20_000,
    /** Characters of a correlation id. */
    correlationIdLength: 255,
    /** Items (at most 131 bytes) and changes (1,700 and their items) of one message to a watcher: clients take 4 MiB. */
    watchedItems: 10_000,
    watchedChanges: 1_000,
    /** Characters of an error's message and of each of its facts: headers that are too large break a call. */
    errorLength: 256,
    /** How often health is looked at for those who watch it. */
    healthCheckMs: 1_000,
  },
} as const
