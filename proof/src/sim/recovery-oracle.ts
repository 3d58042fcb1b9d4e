import type { RepairReport } from '@kuji/engine'
import { judgeLosses } from './judge-losses.ts'
import type { LogRecord } from './log-record.ts'
import type { Model } from './model/model.ts'
import { takeInBatch } from './model/take-in-batch.ts'
import { Violation } from './model/violation.ts'
import type { Requests } from './requests.ts'
import type { Counts } from './world/counts.ts'
import type { Device } from './world/device.ts'

/** What a start and a repair have to come to, after crashes and after damage. */
export class RecoveryOracle {
  model: Model
  /** Files that the device has damaged, ever: some damage is not met before a later start reads that far back. */
  readonly damagedFiles = new Set<string>()
  /** Whether there is damage that no start has got over yet: what it destroyed may be gone. */
  #isFresh = false
  /** Up to which LSN damage may still be in files that no start has read. */
  #soundFrom = 0
  readonly #record: LogRecord
  readonly #requests: Requests
  readonly #counts: Counts
  /** Where a repair that was begun brings the log to: one that is interrupted may have done so, or nothing. */
  repairedTo = -1
  /** Batches that were whole on the disk when the start began. */
  #whole: ReadonlySet<number> = new Set()

  constructor(model: Model, record: LogRecord, requests: Requests, counts: Counts) {
    this.model = model
    this.#record = record
    this.#requests = requests
    this.#counts = counts
  }

  get damaged(): boolean {
    return this.damagedFiles.size > 0
  }

  /** The device has damaged files, or a start has met damage that earlier ones did not. */
  meetDamage(files: readonly string[]): void {
    for (const file of files) this.damagedFiles.add(file)
    this.#isFresh = true
  }

  /** Looks at what there is before a start. */
  look(device: Device): void {
    if (this.damaged) this.#whole = this.#record.wholeOn(device)
  }

  /** A start has found the log to end here: beyond what was answered, or before it where that was damaged. */
  recoveredTo(lsn: number, device: Device, directory: string): void {
    const record = this.#record
    // Damage to the last batches of a log that was not sealed yet may go unnoticed: the window that the documents name.
    for (let gone = lsn + 1; gone <= record.durable; gone++)
      if (!this.#isFresh || (this.#whole.has(gone) && lsn !== this.repairedTo))
        throw new Violation(
          'after recovery: lost',
          `recovered to LSN ${lsn}, and batch ${gone} had been answered`,
        )
    this.#goTo(lsn)
    this.repairedTo = -1
    if (this.#isFresh) this.#soundFrom = lsn
    this.#isFresh = false
    record.compareFiles(device, directory, this.#soundFrom)
  }

  /** Brings the model to where the log ends: back, or on through batches that nobody was answered for. */
  #goTo(lsn: number): void {
    const record = this.#record
    if (lsn < record.durable) this.#rollBack(lsn)
    for (let found = record.durable + 1; found <= lsn; found++) {
      const batch = record.batches.get(found)
      if (batch === undefined)
        throw new Violation(
          'after recovery: unwritten',
          `recovered to LSN ${lsn}, and nobody wrote batch ${found}`,
        )
      this.#counts.add('life: batches that nobody was answered for, and recovery found')
      this.model.lsn = found
      this.#requests.drop(takeInBatch(this.model, batch.content, this.#requests.waiting))
    }
    record.cutBehind(lsn)
    this.#requests.drop()
    this.model.lsn = lsn
  }

  #rollBack(lsn: number): void {
    this.model = this.model.behind(lsn)
    this.#record.cutBehind(lsn)
    this.#requests.drop()
    this.#counts.add('life: batches lost to damage')
  }

  /** Holds what a repair says against what is lost by it. */
  repaired({ done, before, lsn, drawNumber, lost }: RepairReport): void {
    if (!done)
      throw new Violation(
        'repair: nothing to do',
        `the start is refused, and the repair finds nothing to do: ${before.fault}`,
      )
    const drawn = this.model.drawNumber
    const wholeUpTo = this.model.behind(Math.max(0, ...this.#whole)).drawNumber
    const unanswered = this.#unanswered
    judgeLosses(lost, lsn, drawNumber, this.#record)
    this.#goTo(lsn)
    this.repairedTo = -1
    const right = this.model.drawNumber
    if (drawNumber !== right)
      throw new Violation(
        'repair: draw number',
        `repaired to LSN ${lsn}, draw ${drawNumber}, which was draw ${right}`,
      )
    // What is lost beyond the last batch that is whole, nobody can know; nor was all that is whole answered.
    const tooFew = lost.complete && lost.draws < wholeUpTo - drawNumber
    if (tooFew || lost.draws > drawn - drawNumber + unanswered)
      throw new Violation(
        'repair: number of losses',
        `the repair tells of ${lost.draws} draws lost, and it were ${drawn - drawNumber}`,
      )
  }

  /** Draws that may be in the log, and were never answered. */
  get #unanswered(): number {
    const draws = this.#requests.waiting.map(each => (each.kind === 'draw' ? each.count + 1 : 0))
    return draws.reduce((sum, count) => sum + count, 0)
  }
}
