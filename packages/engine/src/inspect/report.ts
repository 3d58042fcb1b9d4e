import type { ItemIndexes, PoolManifest, Status } from '../contract/index.ts'

/**
 * What is wrong with a log:
 * `torn`: its last batch is not whole and nothing follows · `damage`: bytes that were once right are not ·
 * `gap`: a file is missing · `foreign`: a file of another directory, or under another number ·
 * `chain`: a batch with a good checksum that does not follow on from the one before, or makes no sense ·
 * `stock`: more was drawn than there was · `snapshot`: a snapshot is bad, contradicts the log, or none is left ·
 * `format`: a file of a newer kuji.
 */
export type LogFaultKind = 'torn' | 'damage' | 'gap' | 'foreign' | 'chain' | 'stock' | 'snapshot' | 'format'

export interface LogFault {
  readonly kind: LogFaultKind
  /** Path in the directory. */
  readonly file: string
  readonly offset: number
  /** The LSNs that cannot be read because of it; null where there are none, or where it is not known. */
  readonly firstLsn: number | null
  readonly lastLsn: number | null
  readonly message: string
}

/** How a segment ends: by one of the seals, without one, without a batch, or at a place that cannot be read. */
export type SegmentEnd = 'full' | 'idle' | 'shutdown' | 'open' | 'empty' | 'unreadable'

export interface SegmentReport {
  readonly number: number
  readonly file: string
  /** Size of the file. */
  readonly bytes: number
  readonly archived: boolean
  /** Whole batches in it, and where the first run of them ends. */
  readonly batches: number
  readonly firstLsn: number | null
  readonly lastLsn: number | null
  readonly firstDraw: number | null
  readonly lastDraw: number | null
  readonly end: SegmentEnd
  /** Whether its batches were applied, all up to its end; where not, they were looked at one by one. */
  readonly replayed: boolean
}

export interface SnapshotReport {
  /** The segment whose end it is. */
  readonly segment: number
  readonly file: string
  readonly bytes: number
  /** Null where it cannot be read, as are `drawNumber` and `stateHash`. */
  readonly lsn: number | null
  readonly drawNumber: number | null
  readonly stateHash: string | null
  /** Why it cannot be used, or ''. */
  readonly fault: string
  /** Whether its state hash, chain hash and numbers are those of the replay; null where the replay does not come by. */
  readonly matches: boolean | null
}

/** What a log holds, and whether it is whole. */
export interface LogReport {
  readonly directory: string
  /** Identity of the directory, in hexadecimal. */
  readonly identity: string
  readonly shard: number
  /** Format version of this reader, and of all that it read. */
  readonly format: number
  /** Archived and live, by number. */
  readonly segments: readonly SegmentReport[]
  readonly snapshots: readonly SnapshotReport[]
  /** LSN and draw number behind which the reading began: 0, or those of a snapshot where older segments are gone. */
  readonly startLsn: number
  readonly startDrawNumber: number
  /** Where the log ends, or can be read no further. */
  readonly lsn: number
  readonly drawNumber: number
  readonly pools: number
  readonly stateHash: string
  /** True where the log grew as it was read: a server is running. */
  readonly growing: boolean
  /** True where an observer has stopped the reading. */
  readonly stopped: boolean
  /** What a start would cut (`torn`) or refuse (all others). */
  readonly fault: LogFault | null
  /** What a start does not need: history behind a good snapshot, snapshots besides the one it takes. */
  readonly warnings: readonly LogFault[]
}

/** A run of draws from one pool. `items` holds one index into `itemIds` for each, from `start` on. */
export interface LoggedDraws {
  readonly lsn: number
  /** Time in the log, milliseconds since 1970. */
  readonly at: number
  readonly pool: string
  readonly version: number
  readonly itemIds: readonly string[]
  readonly firstDraw: number
  readonly items: ItemIndexes
  readonly start: number
  readonly count: number
  /** Of the request that these draws are, where it had them. */
  readonly key?: string
  readonly recipient?: string
}

/** Every other record. `nextDraw` is the number of the first draw after it. */
export type LoggedChange = { readonly lsn: number; readonly at: number; readonly nextDraw: number } & (
  | {
      readonly type: 'put'
      readonly pool: string
      readonly version: number
      readonly manifest: PoolManifest
    }
  | {
      readonly type: 'update'
      readonly pool: string
      readonly version: number
      readonly item: string
      readonly restock?: number
      readonly weight?: number
    }
  | { readonly type: 'status'; readonly pool: string; readonly status: Status }
  | { readonly type: 'delete'; readonly pool: string }
  | { readonly type: 'keys'; readonly retentionMs: number; readonly most: number }
  | { readonly type: 'seal'; readonly reason: 'idle' | 'full' | 'shutdown'; readonly stateHash: string }
)

export interface LogProgress {
  readonly lsn: number
  readonly drawNumber: number
  readonly segment: number
  /** 0 to 1. */
  readonly part: number
}

/** Sees a log as it is read, batch by batch. */
export interface LogObserver {
  draws?(draws: LoggedDraws): void
  change?(change: LoggedChange): void
  /**
   * Called when a batch was found right and applied; what was told since the last call is certain only now. A promise
   * is waited for, so that an observer may be slower than the log. `stop` ends the reading.
   */
  settled?(progress: LogProgress): Promise<'stop' | undefined> | 'stop' | undefined
}

/** Draws of one pool among those lost. */
export interface LostPool {
  /** Null where its rules are in what cannot be read. */
  readonly pool: string | null
  /** Place in the log's list of pools. */
  readonly number: number
  readonly draws: number
  /** True where a change of the rules may be in what cannot be read: the names are those known before. */
  readonly assumed: boolean
  readonly items: readonly { readonly item: string | null; readonly index: number; readonly draws: number }[]
}

/** What a repair drops from the log. */
export interface LogLosses {
  readonly firstLsn: number | null
  readonly lastLsn: number | null
  readonly firstDraw: number | null
  readonly lastDraw: number | null
  /** Draws lost for certain, and how many of them stand in batches that can still be read. */
  readonly draws: number
  readonly readableDraws: number
  /** False where the end of the log is missing too, so that more than this may be lost. */
  readonly complete: boolean
  /** The readable draws by pool and item. */
  readonly pools: readonly LostPool[]
  /** The readable changes of pools, in order. */
  readonly changes: readonly {
    readonly lsn: number
    readonly type: 'put' | 'update' | 'status' | 'delete'
    readonly pool: string | null
  }[]
}

export interface RepairReport {
  /** What the log looked like. */
  readonly before: LogReport
  /** False where a start works as it is. */
  readonly needed: boolean
  /** Why nothing can be done, or ''. */
  readonly impossible: string
  /** True where the repair was carried out, and the directory opened. */
  readonly done: boolean
  /** Where the log ends after it. */
  readonly lsn: number
  readonly drawNumber: number
  readonly lost: LogLosses
  /** Files written anew with what can be read of them, made empty, or built from the log. */
  readonly rewritten: readonly string[]
  readonly created: readonly string[]
  /** Files put aside, and those of which a copy is. */
  readonly moved: readonly string[]
  readonly copied: readonly string[]
  /** The folder they are put in. */
  readonly broken: string
}
