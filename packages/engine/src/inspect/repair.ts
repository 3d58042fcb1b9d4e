import { resolve } from 'node:path'
import type { Clock } from '../clock/clock.ts'
import { systemClock } from '../clock/system-clock.ts'
import { KujiError, limits } from '../contract/index.ts'
import type { Disk } from '../disk/disk.ts'
import { writeFully } from '../disk/disk.ts'
import { NodeDisk } from '../disk/node-disk.ts'
import { pooledCalls } from '../disk/system-calls.ts'
import { segmentHeaderBytes, segmentName, writeSegment } from '../log/segment.ts'
import { operatingSystemRandom } from '../random/operating-system.ts'
import { type Recovered, recover } from '../recovery/recover.ts'
import { snapshotName, writeSnapshot } from '../snapshot/snapshot.ts'
import type { SegmentFile } from './files.ts'
import { isAbsent } from './files.ts'
import { readWholeLog, type WholeLog } from './inspect.ts'
import { countLosses } from './losses.ts'
import type { RepairPlan } from './repair-plan.ts'
import { planRepair } from './repair-plan.ts'
import type { RepairReport } from './report.ts'

export interface RepairOptions {
  /** True: tell what would be done and lost, and change nothing. */
  readonly dryRun: boolean
}

/**
 * Makes a data directory that a start refuses open again, with all that its log can be read to, and tells exactly what
 * it drops. Everything that is replaced or dropped is kept in a folder `broken-<n>` beside it. Where a start works as
 * it is (a torn last batch included) nothing is done. Throws `LOCKED` (a process has it open), what `inspectLog`
 * throws, `INTERNAL` where it is done and what it has made cannot be opened, or the system's error. Since 0.1.
 */
export function repairLog(directory: string, options: RepairOptions): Promise<RepairReport> {
  return repairOn(new NodeDisk(pooledCalls), resolve(directory), options)
}

/** `repairLog` on a disk and with turns on the thread of the caller's making. */
export async function repairOn(
  disk: Disk,
  directory: string,
  { dryRun }: RepairOptions,
  clock: Clock = systemClock,
): Promise<RepairReport> {
  const lock = await disk.lock(directory)
  try {
    const log = await readWholeLog({ disk, clock, directory, observer: {}, secondLook: false })
    const { fault } = log.reading
    const needed = fault !== null && fault.kind !== 'torn'
    const plan = needed ? planRepair(log.reading) : null
    const broken = await findBroken(disk, directory)
    const report = await describe(disk, directory, log, plan, broken)
    if (dryRun || plan === null || plan.impossible !== '') return report
    await new Repair(disk, clock, directory, log, plan, broken).run()
    return { ...report, done: true }
  } finally {
    await lock.release()
  }
}

async function findBroken(disk: Disk, directory: string): Promise<string> {
  for (let n = 1; ; n++) {
    try {
      await disk.list(`${directory}/broken-${n}`)
    } catch (error) {
      if (isAbsent(error)) return `broken-${n}`
      throw error
    }
  }
}

async function describe(
  disk: Disk,
  directory: string,
  { reading, report }: WholeLog,
  plan: RepairPlan | null,
  broken: string,
): Promise<RepairReport> {
  const names = (files: readonly SegmentFile[]): string[] => files.map(({ file }) => file)
  const written = plan?.rewrites ?? []
  const whole = written.filter(({ source }) => source !== null)
  const created = written.filter(({ source }) => source === null).map(({ number }) => segmentName(number))
  const built = plan !== null && plan.build > 0 ? [snapshotName(plan.build)] : []
  return {
    before: report,
    needed: plan !== null,
    impossible: plan?.impossible ?? '',
    done: false,
    lsn: report.lsn,
    drawNumber: report.drawNumber,
    lost: await countLosses(disk, directory, reading, plan),
    rewritten: whole.map(({ number }) => segmentName(number)),
    created: [...created, ...built],
    moved: plan === null ? [] : [...plan.snapshots, ...names(plan.later), ...names(plan.older)],
    copied: names(plan?.copies ?? []),
    broken,
  }
}

/**
 * Carries a plan out. Until the last step is done a start refuses the directory, or opens it at the very place that
 * the repair brings it to, and a second repair can take over anywhere:
 *
 * 1. Copies of what will be replaced are made and synced.
 * 2. Bad snapshots go: a start would pass over them, or take one that contradicts the log.
 * 3. Where no snapshot is left, one is built from the archive.
 * 4. Segments are written anew, each whole and synced before it takes its name. From here on the log ends at the cut,
 *    and the whole batches behind it keep a start from taking that for its end.
 * 5. The segments behind the cut go, the last first, so that what remains has a gap or a whole batch behind the cut.
 * 6. Those before a gap go; until the last of them is gone, the gap is there.
 */
class Repair {
  readonly #disk: Disk
  readonly #clock: Clock
  readonly #directory: string
  readonly #log: WholeLog
  readonly #plan: RepairPlan
  readonly #broken: string

  constructor(disk: Disk, clock: Clock, directory: string, log: WholeLog, plan: RepairPlan, broken: string) {
    this.#disk = disk
    this.#clock = clock
    this.#directory = directory
    this.#log = log
    this.#plan = plan
    this.#broken = `${directory}/${broken}`
  }

  async run(): Promise<void> {
    const { copies, snapshots, build, later, older } = this.#plan
    await this.#disk.makeDirectory(this.#broken)
    for (const { file } of copies) await this.#copy(file)
    await this.#sync()
    for (const file of snapshots) await this.#move(file)
    await this.#sync()
    if (build > 0) await this.#build(build)
    await this.#rewrite()
    for (const { file } of later) {
      await this.#move(file)
      await this.#sync()
    }
    for (const { file } of older) await this.#move(file)
    await this.#sync()
    await this.#prove()
  }

  #target(file: string): string {
    return `${this.#broken}/${file.replace('archive/', '')}`
  }

  async #sync(): Promise<void> {
    await this.#disk.syncDirectory(this.#broken)
    await this.#disk.syncDirectory(this.#directory)
  }

  async #move(file: string): Promise<void> {
    await this.#disk.rename(`${this.#directory}/${file}`, this.#target(file))
  }

  async #copy(name: string): Promise<void> {
    const file = await this.#disk.create(this.#target(name), { dataSync: false })
    try {
      await writeFully(file, await this.#disk.read(`${this.#directory}/${name}`), 0)
      await file.sync()
    } finally {
      await file.close()
    }
  }

  /** Reads the log once more, up to the segment behind which a snapshot is needed. */
  async #build(segment: number): Promise<void> {
    const [disk, clock, directory] = [this.#disk, this.#clock, this.#directory]
    const { identity, shard } = this.#log.reading.log
    await readWholeLog({
      disk,
      clock,
      directory,
      observer: {},
      secondLook: false,
      async onSegmentEnd(number, { replayer }) {
        if (number !== segment) return
        const { state, position } = replayer
        await writeSnapshot(disk, directory, { identity, shard, segment, position, state })
      },
    })
  }

  async #rewrite(): Promise<void> {
    const { log } = this.#log.reading
    for (const { number, source, end, bytes } of this.#plan.rewrites) {
      const read = source === null ? null : await this.#disk.read(`${this.#directory}/${source.file}`)
      const content = read?.subarray(segmentHeaderBytes, end) ?? new Uint8Array(0)
      await writeSegment(this.#disk, this.#directory, { ...log, number, bytes }, content)
    }
  }

  /** The directory must open now, at the place where the log was to be read to. */
  async #prove(): Promise<void> {
    const { lsn, drawNumber } = this.#log.reading
    const { position, state } = await this.#open()
    if (position.lsn === lsn && state.drawNumber === drawNumber) return
    throw new KujiError(
      'INTERNAL',
      `the repaired log ends at LSN ${position.lsn}, draw ${state.drawNumber}, and should at LSN ${lsn}, ` +
        `draw ${drawNumber}; all that was replaced is in ${this.#broken}`,
    )
  }

  /** What a start would say of damage, that nothing was changed, is not so here. */
  async #open(): Promise<Recovered> {
    try {
      return await recover({
        disk: this.#disk,
        directory: this.#directory,
        segmentBytes: limits.segmentBytes,
        onEvent: () => undefined,
        random: operatingSystemRandom(),
        clock: this.#clock,
      })
    } catch (cause) {
      const why = (cause as Error).message.replace('. Nothing was changed.', '.')
      const done = `the log was repaired, and all that was replaced is in ${this.#broken}`
      throw new KujiError(
        'INTERNAL',
        `${done}; but it could not be opened to prove it, so run the repair again: ${why}`,
        cause instanceof KujiError ? cause.fields : {},
        { cause },
      )
    }
  }
}
