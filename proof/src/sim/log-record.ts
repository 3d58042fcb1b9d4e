import { hash } from 'node:crypto'
import { type LoggedBatch, readBatch } from './model/batch-records.ts'
import type { KeyRules } from './model/model-keys.ts'
import { Violation } from './model/violation.ts'
import { type Device, splitPath } from './world/device.ts'

/** A batch as it was handed to the log. */
export interface RecordedBatch {
  readonly lsn: number
  readonly path: string
  readonly position: number
  /** Without the zeros behind it, which the next batch takes the place of. */
  readonly bytes: Uint8Array
  readonly content: LoggedBatch
}

const terminatorBytes = 8
const segmentHeaderBytes = 64

/**
 * The batches of a log by LSN, as they were written: what a crash has left of them is looked up here. Each has to
 * follow on from the one before.
 */
export class LogRecord {
  readonly batches = new Map<number, RecordedBatch>()
  /** The last LSN whose write has returned. */
  durable = 0
  /**
   * What was wrong with a batch that was written, or ''. Not thrown, since the engine would take it for a fault of
   * the disk.
   */
  fault = ''
  #last: RecordedBatch | null = null
  /** Where the log says how keys are kept. */
  #rules: { readonly lsn: number; readonly rules: KeyRules }[] = []
  /** Whether the next batch is the first of a process. */
  #isBeginning = true

  /** The time of the last batch that was handed to the log. */
  get time(): number {
    return this.#last?.content.time ?? 0
  }

  /** A write of a batch, with its terminator. Returns its LSN. */
  add(path: string, position: number, written: Uint8Array): number {
    const bytes = written.slice(0, -terminatorBytes)
    const content = readBatch(bytes)
    const batch = { lsn: content.lsn, path, position, bytes, content }
    if (this.fault === '') this.fault = this.#judge(batch)
    this.batches.set(batch.lsn, batch)
    for (const record of content.records)
      if (record.kind === 'keyPolicy') this.#rules.push({ lsn: batch.lsn, rules: record.rules })
    this.#last = batch
    this.#isBeginning = false
    return batch.lsn
  }

  #judge({ lsn, content: { firstDraw, time, epoch, previous } }: RecordedBatch): string {
    const last = this.#last
    const wrong = (what: string): string => `batch ${lsn} is written with ${what}`
    if (lsn !== (last?.lsn ?? 0) + 1) return wrong(`the last one being ${last?.lsn}`)
    const next = last === null ? 1 : last.content.firstDraw + drawsOf(last.content)
    if (firstDraw !== next) return wrong(`first draw ${firstDraw}, expected ${next}`)
    if (time < this.time) return wrong(`time ${time}, the last one's being ${this.time}`)
    const before = last?.content.epoch ?? 0
    if (epoch !== (this.#isBeginning ? before + 1 : before)) return wrong(`epoch ${epoch} behind ${before}`)
    const chain = last === null ? '00'.repeat(32) : hash('sha256', last.bytes.subarray(4), 'hex')
    return previous === chain ? '' : wrong('the hash of another than the one before')
  }

  /** Rules for keys that the log has up to and with an LSN. */
  rulesAt(lsn: number): KeyRules | null {
    return this.#rules.findLast(each => each.lsn <= lsn)?.rules ?? null
  }

  /** Forgets what recovery has found not to be there. Another process goes on from here. */
  cutBehind(lsn: number): void {
    for (const each of this.batches.keys()) if (each > lsn) this.batches.delete(each)
    this.#rules = this.#rules.filter(each => each.lsn <= lsn)
    this.durable = lsn
    this.#last = this.batches.get(lsn) ?? null
    this.#isBeginning = true
  }

  /** The LSNs of batches that stand on the disk as they were written. */
  wholeOn(device: Device): Set<number> {
    const files = new Map<string, Uint8Array | null>()
    const contentOf = (path: string): Uint8Array | null => {
      const known = files.get(path) ?? contentAt(device, path)
      files.set(path, known)
      return known
    }
    const whole = new Set<number>()
    for (const { lsn, path, position, bytes } of this.batches.values()) {
      const content = contentOf(path)?.subarray(position, position + bytes.length)
      if (content !== undefined && Buffer.compare(content, bytes) === 0) whole.add(lsn)
    }
    return whole
  }

  /**
   * Holds the files of a log that has just been recovered against what was written: from the first batch that they
   * have, all are there, one behind the other, and zeros behind the last one. Throws a Violation.
   * @param soundFrom the LSN behind which no damage has been done
   */
  compareFiles(device: Device, directory: string, soundFrom = 0): void {
    const fail = (what: string): never => {
      throw new Violation('after recovery: files', `after recovery: ${what}`)
    }
    const byPath = Map.groupBy(this.batches.values(), ({ path }) => path)
    const paths = [...device.entries(directory).keys()].filter(name => /^segment-\d+\.log$/.test(name)).sort()
    const isSound = (lsn: number): boolean => lsn > soundFrom || soundFrom === 0
    let next = 0
    for (const path of paths.map(name => `${directory}/${name}`)) {
      const content = device.find(path).view()
      let end = segmentHeaderBytes
      for (const { lsn, position, bytes } of byPath.get(path) ?? []) {
        if (next > 0 && lsn !== next && isSound(lsn)) fail(`${path} has batch ${lsn}, expected ${next}`)
        if (position !== end) fail(`batch ${lsn} stands in ${path} at ${position}, expected ${end}`)
        end += bytes.length
        if (isSound(lsn) && Buffer.compare(content.subarray(position, end), bytes) !== 0)
          fail(`batch ${lsn} in ${path} is not what was written`)
        next = lsn + 1
      }
      const isEmpty = end === segmentHeaderBytes
      if (!isSound(isEmpty ? 0 : next - 1)) continue
      if (content.subarray(end, end + terminatorBytes).some(byte => byte !== 0))
        fail(`something stands in ${path} at ${end}, behind the last batch`)
    }
    if (next > 0 && next !== this.durable + 1)
      fail(`the files end with batch ${next - 1}, the log with ${this.durable}`)
  }
}

function drawsOf({ records }: LoggedBatch): number {
  return records.reduce((sum, record) => sum + (record.kind === 'draws' ? record.outcomes.length : 0), 0)
}

function contentAt(device: Device, path: string): Uint8Array | null {
  const [directory, name] = splitPath(path)
  return device.entries(directory).get(name)?.view() ?? null
}
