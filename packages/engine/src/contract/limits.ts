/**
 * Every bound of kuji in one place, with the relations between them asserted below. Units come last in the names;
 * a bare name counts things.
 */
export const limits = {
  /** Characters of a pool or item id. */
  idLength: 128,
  /** Characters (UTF-16 units) of an idempotency key or a recipient. */
  keyLength: 255,
  recipientLength: 255,
  /** Keys kept at once: default, and the most that can be asked for. */
  keysDefault: 1_000_000,
  keys: 60_000_000,
  /** How long a key is kept, in milliseconds: default a day, from a minute to 90 days. */
  keyRetentionMs: 86_400_000,
  keyRetentionMinimumMs: 60_000,
  keyRetentionMaximumMs: 7_776_000_000,
  /**
   * Outcomes of the draws whose keys are kept, in bytes; beyond it the oldest keys go early. They stand in pages, of
   * which almost half may be empty: the memory is up to twice that.
   */
  keyOutcomeBytes: 2 ** 30,
  /** Pools in one log. */
  pools: 1_000_000,
  /** Items of one pool, those retired by later versions included. */
  items: 1_048_575,
  /** Items of all pools together; about 100 bytes of memory each. */
  totalItems: 8_388_608,
  /** Decimal places of a weight. */
  weightDecimals: 9,
  /** Sum of a pool's weights after scaling them to whole numbers: beyond it no exact table can be built. */
  weightSum: 2 ** 50,
  /** Units of one item, and of all finite items of a pool together. */
  stock: 2 ** 50,
  /** Draws of one `draw`. */
  drawCount: 10_000,
  /** Draws of one `drawMany`. */
  drawManyCount: 1_000_000,
  /** JSON text of one item's or one pool's metadata, in bytes. */
  metadataBytes: 4096,
  /** Nesting of metadata. */
  metadataDepth: 16,
  /** One pool's rules as the log holds them. */
  manifestBytes: 64 * 1024 * 1024,
  /**
   * Draws kept for those who watch, and eight for each change that they come in: a run of draws, one request with a key
   * or a recipient, or a change of a pool. The batches that are kept whatever they hold (two million draws, 16 MB, at
   * the most); and how long all that is kept without a watcher.
   */
  feedChanges: 1_000_000,
  feedBatches: 4,
  feedLingerMs: 300_000,
  /** Requests that wait or are under way at once; the next one is `OVERLOADED`. */
  queue: 65_536,
  /** Bytes of the changes among them (manifests may be large); the next one is `OVERLOADED`. */
  queueBytes: 256 * 1024 * 1024,
  /** A batch is closed when its records reach this size; one record alone may be larger. */
  batchTargetBytes: 1024 * 1024,
  /** One batch, whatever it holds. */
  batchBytes: 80 * 1024 * 1024,
  /** Smallest and default size of a log file. A batch that is larger than that gets a file of its own size. */
  segmentMinimumBytes: 4096,
  segmentBytes: 64 * 1024 * 1024,
  segmentMaximumBytes: 1024 * 1024 * 1024,
  /** The latest time in a log, in the year 2248: what is kept of a keyed draw has 43 bits for it. */
  time: 2 ** 43 - 1,
  /** Draw numbers and LSNs are safe integers. */
  safeInteger: Number.MAX_SAFE_INTEGER,
  /**
   * A log that has come to one of these is not gone on with. No writer comes that far: a million batches a second take
   * 142 years, and a start a second 136.
   */
  lsn: 2 ** 52,
  epoch: 2 ** 32 - 1,
} as const

const relations: readonly [boolean, string][] = [
  [limits.drawCount <= limits.drawManyCount, 'drawCount ≤ drawManyCount'],
  [limits.drawManyCount * 4 + 1024 <= limits.batchBytes, 'the largest drawMany fits a batch'],
  [limits.manifestBytes + 1024 <= limits.batchBytes, 'the largest manifest fits a batch'],
  [limits.items <= limits.totalItems, 'items ≤ totalItems'],
  [limits.batchBytes <= limits.queueBytes, 'the largest change fits the queue'],
  [limits.batchTargetBytes < limits.batchBytes, 'batchTargetBytes < batchBytes'],
  [limits.segmentMinimumBytes <= limits.segmentBytes, 'segmentMinimumBytes ≤ segmentBytes'],
  [limits.batchBytes < limits.segmentMaximumBytes, 'the largest batch fits a log file'],
  [limits.items < 2 ** 20, 'an alias table of the items and the reject column has at most 2^20 columns'],
  [limits.weightSum * 4 <= 2 ** 52, 'weights fit the 52 random bits of the widest alias table'],
  [limits.stock * 4 <= 2 ** 52, 'tickets fit the 52 random bits of the widest urn'],
  [limits.keys + 2 ** 16 < 2 ** 26, 'positions of keys fit the 26 bits that their index has'],
  [limits.drawCount + 1 < 2 ** 14, 'a keyed draw fits the 14 bits that its entry has for the count'],
  [(limits.drawCount + 1) * 4 <= 2 ** 16, 'the outcomes of a keyed draw fit a page'],
  [limits.keyOutcomeBytes <= 2 ** 30, 'the pages of outcomes, half empty, take half of the 32-bit addresses'],
  [(limits.queue & (limits.queue - 1)) === 0, 'the queue is a power of two'],
]
for (const [holds, relation] of relations)
  if (!holds) throw new Error(`limits contradict each other: ${relation}`)
