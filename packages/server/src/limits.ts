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
  /** Of each door. */
  connections: 20_000,
  /** RESP: the arguments of one command and the bytes of one argument, of callers who have given a key. */
  respArguments: 64,
  respArgumentBytes: 64 * 1024,
  /** The same of those who have not, but should. */
  respStrangerArguments: 10,
  respStrangerArgumentBytes: 16 * 1024,
  respFailedLogins: 5,
  /** How long the rest of a command may take to arrive, or a key where one is needed. */
  respPatienceSeconds: 10,
  /**
   * Commands that have arrived in part, of all connections; beyond it, those that hold more than a little are
   * refused.
   */
  respPartialBytes: 64 * 1024 * 1024,
  respSmallPartialBytes: 4 * 1024,
  /** Commands of one connection under way, and items in the answers to them: then it has to wait. */
  respInFlight: 1024,
  respAnswerItems: 16 * 1024,
  /** Replies that are gathered before they are written, though more commands are there to be taken up. */
  respUnsentBytes: 64 * 1024,
  /** Pools on one page of a list. */
  pageSize: 1000,
  defaultPageSize: 100,
  /** The head of a request: line and headers. */
  headerBytes: 16 * 1024,
  headersTimeoutMs: 5_000,
  requestTimeoutMs: 10_000,
  /** A connection that neither gives nor takes a byte for this long is cut: its other end is gone or has stopped. */
  stalledConnectionMs: 120_000,
  /** Streams of events that are open at once. */
  eventStreams: 256,
  /** How often a stream without events shows that it lives. */
  eventHeartbeatMs: 15_000,
  /** What a reader of events is told to wait before it comes back. */
  eventRetryMs: 1_000,
  /** Events are sent in pieces of this size, each when the one before has left. */
  eventPieceBytes: 64 * 1024,
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
