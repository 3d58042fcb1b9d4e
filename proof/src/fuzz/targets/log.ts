import { KujiError, limits } from '@kuji/engine/contract'
import { readWholeLog, type WholeLog } from '../../../../packages/engine/src/inspect/inspect.ts'
import { repairOn } from '../../../../packages/engine/src/inspect/repair.ts'
import type { LogFaultKind } from '../../../../packages/engine/src/inspect/report.ts'
import { openIn } from '../../../../packages/engine/src/open.ts'
import { deterministicRandom } from '../../../../packages/engine/src/random/deterministic.ts'
import { type Recovered, recover } from '../../../../packages/engine/src/recovery/recover.ts'
import { type FileSet, packFiles, unpackFiles } from '../log/file-set.ts'
import { directory, MemoryDisk } from '../log/memory-disk.ts'
import { makeSampleLogs } from '../log/sample-logs.ts'
import { tickingClock, worldOn } from '../log/world.ts'
import { mendLog, mutateLog } from '../mutate/log.ts'
import { Defect, type FuzzTarget } from '../target.ts'

const segmentBytes = limits.segmentMinimumBytes
const ignore = (): void => undefined

/** What comes of it, or the refusal. A refusal to start or to read has one of these codes, and nothing else is one. */
async function orRefusal<T>(made: Promise<T>): Promise<T | KujiError>
async function orRefusal<T>(made: Promise<T>, passed: readonly string[]): Promise<T | KujiError | null>
async function orRefusal<T>(made: Promise<T>, passed: readonly string[] = []): Promise<T | KujiError | null> {
  try {
    return await made
  } catch (error) {
    if (error instanceof KujiError && (error.code === 'CORRUPT' || error.code === 'INVALID')) return error
    if (passed.includes((error as NodeJS.ErrnoException).code ?? '')) return null
    throw error
  }
}

function start(files: FileSet, disk = new MemoryDisk(files)): Promise<Recovered | KujiError> {
  const random = deterministicRandom(1)
  return orRefusal(recover({ disk, directory, segmentBytes, onEvent: ignore, random, clock: tickingClock() }))
}

function inspect(files: FileSet): Promise<WholeLog | KujiError> {
  const observer = { draws: ignore, change: ignore, settled: () => undefined }
  return orRefusal(readWholeLog({ disk: new MemoryDisk(files), directory, observer, secondLook: false }))
}

/** Faults that a start refuses too. Of a snapshot that says something else than the log it may know nothing. */
const refusedKinds: ReadonlySet<LogFaultKind> = new Set(['damage', 'gap', 'foreign', 'chain', 'format'])

/**
 * The tools and the start judge alike: what has no fault, or is torn, is opened, at the same place, and what is damaged
 * is refused. (Of archives a start knows nothing.)
 */
function compare(read: WholeLog | KujiError, started: Recovered | KujiError, files: FileSet): void {
  // Without a log there is nothing to inspect, and a start makes one.
  if (read instanceof KujiError) return
  const { fault } = read.reading
  const good = fault === null || fault.kind === 'torn'
  if (good && started instanceof KujiError)
    throw new Defect(`inspect takes it, a start does not\n${[...files.keys()]}`, { cause: started })
  if (good && !(started instanceof KujiError)) {
    const { position, state } = started
    const ends = [read.reading.lsn, read.reading.drawNumber, position.lsn, state.drawNumber]
    if (ends[0] !== ends[2] || ends[1] !== ends[3])
      throw new Defect(`inspect ends at LSN and draw ${ends.slice(0, 2)}, a start at ${ends.slice(2)}`)
  }
  const seen = fault !== null && refusedKinds.has(fault.kind) && read.reading.files.archived.size === 0
  if (seen && !(started instanceof KujiError))
    throw new Defect(`a start takes what inspect does not\n${fault.kind}: ${fault.message}`)
}

/** What was opened is worked with, closed, and opened again. */
async function goOn(files: FileSet): Promise<void> {
  const disk = new MemoryDisk(files)
  const options = { dir: directory, durability: 'os' as const, segmentBytes, onEvent: ignore }
  const kuji = await openIn(options, worldOn(disk, 1))
  const allowed = async (call: Promise<unknown>): Promise<void> => {
    try {
      await call
    } catch (error) {
      const failed = !(error instanceof KujiError) || ['INTERNAL', 'OUTCOME_UNKNOWN'].includes(error.code)
      if (failed) throw error
    }
  }
  for (const { id } of (await kuji.pools()).slice(0, 4)) {
    await allowed(kuji.pool(id))
    await allowed(kuji.draw(id, { count: 3, partial: true, key: 'fuzzed' }))
  }
  await allowed(kuji.putPool({ id: 'new', items: [{ id: 'a', weight: 1, stock: 2 }] }))
  await allowed(kuji.draw('new', { key: 'k-0' }))
  await kuji.close()
  const again = await start(disk.files)
  if (again instanceof KujiError) throw new Defect('what was opened and closed is refused', { cause: again })
}

/** A repair ends with a log that opens, or says that it cannot be. */
async function repair(files: FileSet): Promise<void> {
  await orRefusal(repairOn(new MemoryDisk(files), directory, { dryRun: true }))
  const disk = new MemoryDisk(files)
  const report = await orRefusal(repairOn(disk, directory, { dryRun: false }), ['ENOSPC'])
  if (report === null || report instanceof KujiError || !report.done) return
  const started = await start(disk.files)
  if (started instanceof KujiError) throw new Defect('what was repaired is refused', { cause: started })
}

/** A data directory is inspected, started from, gone on with, and repaired where it is not as it should be. */
const log: FuzzTarget = {
  mostBytes: 128 * 1024,
  mutate: mutateLog,
  mend: mendLog,
  async seeds() {
    return (await makeSampleLogs()).map(packFiles)
  },
  async open() {
    return {
      async run(input) {
        const files = unpackFiles(input)
        const read = await inspect(files)
        const started = await start(files)
        compare(read, started, files)
        if (started instanceof KujiError) await repair(files)
        else await goOn(files)
      },
      async close() {},
    }
  },
}

export default log
