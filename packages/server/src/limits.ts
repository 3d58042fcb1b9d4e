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
  /** HTTP: requests of one connection that wait for the answer to the one before; with more, it is cut. */
  httpPipelined: 128,
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
  /** Ctrl-C under npm arrives twice, from the terminal and from npm: this close together they are one wish. */
  sameInterruptMs: 250,
  /** How long a stop waits for requests in flight before it cuts their connections. */
  drainMs: 10_000,
  /** The same after the log has failed, when the answers left to give are refusals. */
  failedDrainMs: 1_000,
  /** What Retry-After says. */
  overloadedRetrySeconds: 1,
  readOnlyRetrySeconds: 10,
  /** gRPC: a request message; the same as the body of a request over HTTP. */
  grpcMessageBytes: 64 * 1024,
  /** Calls at a time on one connection. */
  grpcConnectionStreams: 100,
  /** Items in the answers of one connection that have not left: then its next requests wait. */
  grpcAnswerItems: 20_000,
  /** Messages that have arrived in part, of all calls; beyond it, calls that hold more than a little are refused. */
  grpcPartialBytes: 64 * 1024 * 1024,
  grpcSmallPartialBytes: 4 * 1024,
  /** Silence after which a connection is asked whether it lives, and how long the answer may take. */
  grpcKeepaliveMs: 60_000,
  grpcKeepaliveTimeoutMs: 20_000,
  /** Requests of one stream of draws that are not answered yet; a power of two. Beyond it, reading pauses. */
  grpcStreamRequests: 256,
  /** Draws that they may ask for together; one request alone may ask for more. */
  grpcStreamDraws: 20_000,
  /** Characters of a correlation id. */
  grpcCorrelationIdLength: 255,
  /** Items (at most 131 bytes) and changes (1,700 and their items) of one message to a watcher: clients take 4 MiB. */
  grpcWatchedItems: 10_000,
  grpcWatchedChanges: 1_000,
  /** Characters of an error's message and of each of its facts: headers that are too large break a call. */
  grpcErrorLength: 256,
  /** How often health is looked at for those who watch it. */
  grpcHealthCheckMs: 1_000,
} as const
