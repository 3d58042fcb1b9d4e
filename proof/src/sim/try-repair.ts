import { KujiError, type RepairReport } from '@kuji/engine'
import type { Clock } from '../../../packages/engine/src/clock/clock.ts'
import type { Disk } from '../../../packages/engine/src/disk/disk.ts'
import { repairOn } from '../../../packages/engine/src/inspect/repair.ts'

/**
 * Repairs a log on a machine that fails: null where it failed under the repair, so that it has to be had again;
 * 'destroyed' where the damage has left no file that says whose log it was.
 * `failures` counts the calls of the disk that have failed: a repaired log that cannot be opened has no other excuse.
 * `planned` is told where the log will be brought to: a repair that is interrupted may have done so, or nothing.
 */
export async function tryRepair(
  disk: Disk,
  directory: string,
  clock: Clock,
  failures: () => number,
  planned: (lsn: number) => void,
): Promise<RepairReport | 'destroyed' | null> {
  const before = failures()
  try {
    planned((await repairOn(disk, directory, { dryRun: true }, clock)).lsn)
    const report = await repairOn(disk, directory, { dryRun: false }, clock)
    // What the disk did not give this time may be whole, and no repair decides without it.
    const unread = report.before.snapshots.some(({ fault }) => fault.startsWith('cannot be read:'))
    return unread && !report.done ? null : report
  } catch (error) {
    if (error instanceof KujiError && error.cause instanceof KujiError && failures() === before) throw error
    // What the machine has failed in is the error, or its cause.
    if (!(error instanceof KujiError) || error.cause !== undefined) return null
    if (error.fields.missing === 'identity') return 'destroyed'
    throw error
  }
}
