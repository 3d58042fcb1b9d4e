import { resolve } from 'node:path'
import type { Clock } from './clock/clock.ts'
import { systemClock } from './clock/system-clock.ts'
import type { Durability, EngineEvent } from './contract/index.ts'
import { limits } from './contract/index.ts'
import type { Disk } from './disk/disk.ts'
import { NodeDisk } from './disk/node-disk.ts'
import { pooledCalls } from './disk/system-calls.ts'
import { Helper } from './helper/helper.ts'
import { Kuji } from './kuji.ts'
import type { Appender } from './log/appender.ts'
import { InlineAppender } from './log/appender.ts'
import type { SegmentKeeper } from './log/file-log.ts'
import { FileLog } from './log/file-log.ts'
import { MemoryLog } from './log/memory-log.ts'
import { parseSegmentName } from './log/segment.ts'
import { ThreadAppender } from './log/thread-appender.ts'
import { checkFields, checkWhole, invalid } from './pool/check.ts'
import { State } from './pool/state.ts'
import { operatingSystemRandom } from './random/operating-system.ts'
import type { RandomWords } from './random/random-words.ts'
import type { Recovered } from './recovery/recover.ts'
import { recover } from './recovery/recover.ts'
import { logStart } from './recovery/replay.ts'
import type { KeyRetention } from './writer/decide.ts'
import { guarded } from './writer/guarded.ts'
import { heapShare } from './writer/heap-budget.ts'
import type { BatchReport, WriterOptions } from './writer/options.ts'
import { Writer } from './writer/writer.ts'

export interface OpenOptions {
  /** The data directory, made where it does not exist. Required unless the durability is `none`, which ignores it. */
  readonly dir?: string
  /** Default `sync`. */
  readonly durability?: Durability
  /** Size of a log file, 4 KiB to 1 GiB, default 64 MiB. */
  readonly segmentBytes?: number
  /** Log files that snapshots have made superfluous: kept compressed in `archive/` (default), or removed. */
  readonly retention?: 'archive' | 'remove'
  /** Told of recovery, snapshots and alarms. Default: warnings and errors become process warnings. */
  readonly onEvent?: (event: EngineEvent) => void
  /** Told of each batch that has become durable, for those who measure. */
  readonly onBatch?: (batch: BatchReport) => void
  /**
   * How long idempotency keys are kept, a minute to 90 days, and how many, to 60,000,000. What is not given stays as
   * the log has it from whoever opened it before, so that no tool on the side cuts short what was promised; in a new
   * log it is a day, and a million.
   */
  readonly keys?: { readonly retentionMs?: number; readonly most?: number }
}

/** What the engine takes from the outside world; a test or a simulator gives its own. */
export interface World {
  readonly disk: Disk
  readonly random: RandomWords
  readonly clock: Clock
  /** Makes the keeper of segments: the helper thread. */
  readonly keeper: (
    start: ConstructorParameters<typeof Helper>[0],
    onEvent: (event: EngineEvent) => void,
  ) => SegmentKeeper
  /** Makes what frames and writes batches. Default: the caller's thread, over `disk`. */
  readonly appender?: (lastHash: Uint8Array) => Appender
  /** How much of the heap the state may take, in bytes. Default: without a bound. */
  readonly heapBytes?: number
}

const fields = new Set(['dir', 'durability', 'segmentBytes', 'retention', 'onEvent', 'onBatch', 'keys'])
const keyFields = new Set(['retentionMs', 'most'])
const roomRetryMs = 1000

/**
 * Opens a data directory, recovering it first where that is needed, or pools in memory alone. Throws `INVALID`,
 * `LOCKED` (another process has it), `CORRUPT` (with the file and offset), or the system's error. Since 0.1.
 */
export function open(options: OpenOptions): Promise<Kuji> {
  return openIn(options, realWorld())
}

function realWorld(): World {
  return {
    disk: new NodeDisk(pooledCalls),
    random: operatingSystemRandom(),
    clock: systemClock,
    keeper: (start, onEvent) => new Helper(start, onEvent),
    appender: lastHash => new ThreadAppender(lastHash),
    heapBytes: heapShare(),
  }
}

/** `open` in a world of the caller's making. */
export async function openIn(options: OpenOptions, world: World): Promise<Kuji> {
  const { dir, durability, segmentBytes, retention, onEvent, onBatch, keys } = checkOptions(options)
  const rest = { onEvent, onBatch, heapBytes: world.heapBytes ?? Number.POSITIVE_INFINITY }
  if (durability === 'none') return openMemory(world, keys, rest)
  const { clock, disk, random, appender = lastHash => new InlineAppender(lastHash) } = world
  await makeDirectory(disk, dir)
  const lock = await disk.lock(dir)
  try {
    if (await disk.openToOthers(dir)) {
      const message = `${dir} can be entered by others than its owner: chmod 700 it`
      onEvent({ type: 'open-to-others', level: 'warn', message, directory: dir })
    }
    const recovered = await recover({ disk, directory: dir, segmentBytes, onEvent, random, clock })
    const { identity, state, position, current } = recovered
    if (durability === 'sync') await syncSegments(disk, dir)
    onEvent({ type: 'recovered', level: 'info', message: `at LSN ${position.lsn}`, lsn: position.lsn })
    let full = ''
    const onRoom = (reason: string): void => {
      full = reason
      if (reason === '')
        onEvent({ type: 'disk-room', level: 'info', message: 'there is room for the log again' })
      else onEvent({ type: 'disk-full', level: 'error', message: reason })
    }
    let { snapshotLsn } = recovered
    const keeper = world.keeper({ directory: dir, identity, shard: current.shard, retention }, event => {
      if (event.type === 'snapshot-written') snapshotLsn = event.lsn as number
      onEvent(event)
    })
    const log = await openLog(recovered, {
      clock,
      disk,
      dir,
      durability,
      segmentBytes,
      keeper,
      appender,
      onRoom,
    })
    const next = { ...position, epoch: position.epoch + 1 }
    const settled = settleKeys(keys, state)
    const writer = new Writer({ state, position: next, log, random, clock, keys: settled, ...rest })
    const files = () => ({ segment: log.segment, snapshotLsn })
    return new Kuji({ writer, durability, diskFull: () => full, files, release: () => lock.release() })
  } catch (error) {
    await lock.release()
    throw error
  }
}

/** Codes of a path that cannot be a directory, whatever the state of the disk: ENOENT where it is below /proc, say. */
const notADirectory = new Set(['EEXIST', 'ENOTDIR', 'ENAMETOOLONG', 'ENOENT'])

async function makeDirectory(disk: Disk, directory: string): Promise<void> {
  try {
    await disk.makeDirectory(directory)
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException
    throw notADirectory.has(code) ? invalid('dir', `cannot be a directory: ${message}`) : error
  }
}

/** What an earlier run with durability `os` left to the kernel has to be on the device before more is promised. */
async function syncSegments(disk: Disk, directory: string): Promise<void> {
  for (const { name } of await disk.list(directory)) {
    if (parseSegmentName(name) === 0) continue
    const file = await disk.open(`${directory}/${name}`, { dataSync: false })
    try {
      await file.sync()
    } finally {
      await file.close()
    }
  }
}

interface LogSettings {
  readonly clock: Clock
  readonly disk: Disk
  readonly dir: string
  readonly durability: Durability
  readonly segmentBytes: number
  readonly keeper: SegmentKeeper
  readonly appender: (lastHash: Uint8Array) => Appender
  readonly onRoom: (reason: string) => void
}

function openLog(recovered: Recovered, settings: LogSettings): Promise<FileLog> {
  const { current, end, next, position } = recovered
  const { clock, disk, dir, durability, segmentBytes, keeper, onRoom } = settings
  return FileLog.open({
    clock,
    disk,
    directory: dir,
    keeper,
    dataSync: durability === 'sync',
    segmentBytes,
    current,
    end,
    appender: settings.appender(position.hash),
    next,
    onRoom,
    retryMs: roomRetryMs,
  })
}

function openMemory(
  { random, clock }: World,
  keys: Partial<KeyRetention>,
  rest: Pick<WriterOptions, 'onEvent' | 'onBatch' | 'heapBytes'>,
): Kuji {
  const [state, log, position] = [new State(), new MemoryLog(), logStart]
  const writer = new Writer({ state, position, log, random, clock, keys: settleKeys(keys, state), ...rest })
  return new Kuji({
    writer,
    durability: 'none',
    diskFull: () => '',
    files: () => ({}),
    release: async () => undefined,
  })
}

type CheckedOptions = Required<Omit<OpenOptions, 'onBatch' | 'keys'>> &
  Pick<OpenOptions, 'onBatch'> & { readonly keys: Partial<KeyRetention> }

function checkOptions(options: OpenOptions): CheckedOptions {
  const checked = checkFields(options, 'options', fields)
  const {
    dir,
    durability = 'sync',
    segmentBytes = limits.segmentBytes,
    retention = 'archive',
    onEvent = warn,
    onBatch,
    keys = {},
  } = checked
  if (durability !== 'sync' && durability !== 'os' && durability !== 'none') {
    throw invalid('durability', 'expected "sync", "os" or "none"')
  }
  if (dir !== undefined && typeof dir !== 'string') throw invalid('dir', 'expected a directory')
  if (durability !== 'none' && (dir === undefined || dir === '' || dir.includes('\0')))
    throw invalid('dir', 'expected a directory')
  if (retention !== 'archive' && retention !== 'remove')
    throw invalid('retention', 'expected "archive" or "remove"')
  if (typeof onEvent !== 'function') throw invalid('onEvent', 'expected a function')
  if (onBatch !== undefined && typeof onBatch !== 'function') throw invalid('onBatch', 'expected a function')
  const bytes = checkWhole(
    segmentBytes,
    'segmentBytes',
    limits.segmentMinimumBytes,
    limits.segmentMaximumBytes,
  )
  return {
    dir: resolve(dir ?? ''),
    durability,
    // Whole pages; typed views over a segment need a multiple of 8.
    segmentBytes: Math.ceil(bytes / limits.segmentMinimumBytes) * limits.segmentMinimumBytes,
    retention,
    keys: checkKeys(keys),
    onEvent: guarded(onEvent as (event: EngineEvent) => void),
    ...(onBatch === undefined ? {} : { onBatch: guarded(onBatch as (batch: BatchReport) => void) }),
  }
}

function checkKeys(keys: unknown): Partial<KeyRetention> {
  const { retentionMs, most } = checkFields(keys, 'keys', keyFields)
  const { keyRetentionMinimumMs: shortest, keyRetentionMaximumMs: longest } = limits
  return {
    ...(retentionMs === undefined
      ? {}
      : { retentionMs: checkWhole(retentionMs, 'keys.retentionMs', shortest, longest) }),
    ...(most === undefined ? {} : { most: checkWhole(most, 'keys.most', 1, limits.keys) }),
  }
}

/** What the caller asks for, else what the log has, else the default. */
function settleKeys(asked: Partial<KeyRetention>, { keys: { policy } }: State): KeyRetention {
  return {
    retentionMs: asked.retentionMs ?? policy?.retentionMs ?? limits.keyRetentionMs,
    most: asked.most ?? policy?.most ?? limits.keysDefault,
  }
}

function warn(event: EngineEvent): void {
  if (event.level !== 'info') process.emitWarning(event.message, { type: 'KujiWarning', code: event.type })
}
