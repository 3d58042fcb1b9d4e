import type { LoggedBatch, LoggedRecord } from './batch-records.ts'
import type { Model } from './model.ts'
import type { KeyRules } from './model-keys.ts'
import type { Answer, DrawOperation, Operation } from './operation.ts'
import { describeOperation, shorten } from './operation.ts'
import { Violation } from './violation.ts'

/** How such a violation is called. */
const kind = 'a batch that nobody was answered for'

/** An operation that has a record other than draws. */
type Change = Exclude<Operation, { readonly kind: 'draw' | 'receipt' }>

/**
 * Takes in a batch that nobody was answered for, and which recovery has found: its records must be those of the
 * operations that were waiting, in their order, from the first on, each whole. Returns how many operations that makes;
 * those behind them were not carried out.
 */
export function takeInBatch(model: Model, batch: LoggedBatch, waiting: readonly Operation[]): number {
  const records = new RecordReader(batch.records.filter(({ kind }) => kind !== 'seal'))
  const span = { from: batch.time, to: batch.time }
  let taken = 0
  for (const operation of waiting) {
    if (records.done) break
    if (operation.kind === 'draw' && operation.key !== '') takeInRules(model, records)
    const expected = model.expect(operation, span)
    const { kept, refusal, draws, silent = false } = expected
    taken++
    if (kept !== undefined || refusal !== undefined || silent || operation.kind === 'receipt') continue
    try {
      if (operation.kind === 'draw') {
        model.apply(operation, readDraw(model, operation, draws!, batch, records), span)
      } else {
        records.expect(operation, model)
        model.apply(operation, { value: imagineAnswer(model, operation) }, span)
      }
    } catch (error) {
      if (!(error instanceof OtherRecord && model.mayLackRoom)) throw error
    }
  }
  if (!records.done)
    throw new Violation(
      `${kind}: more`,
      `batch ${batch.lsn} holds more than the operations that were waiting`,
    )
  return taken
}

/** Rules for keys come before the first request with a key that they hold for. */
function takeInRules(model: Model, records: RecordReader): void {
  const rules = records.rules()
  if (rules !== null) model.takeRules(rules)
  if (model.keys.isDue && !model.mayLackRoom)
    throw new Violation(
      `${kind}: rules for keys`,
      'a request with a key, and the log does not say how keys are kept from here on',
    )
}

function readDraw(
  model: Model,
  { pool: id, key, recipient }: DrawOperation,
  draws: number,
  { time }: LoggedBatch,
  records: RecordReader,
): Answer {
  const pool = model.pools.get(id)!
  const outcomes = records.draws(pool.number, draws, key, recipient)
  if (key !== '' && model.keys.isDue)
    throw new Violation(`${kind}: rules for keys`, 'a draw with a key before the rules it is kept by')
  const items = Array.from(outcomes, index => pool.items[index]?.id ?? `item ${index}`)
  const receipt = {
    id: model.drawNumber + 1,
    pool: id,
    items,
    version: pool.version,
    at: time,
    replayed: false,
  }
  return { value: receipt }
}

/** What would have been answered. */
function imagineAnswer(model: Model, operation: Change): unknown {
  if (operation.kind === 'put') {
    const { id } = operation.manifest
    const pool = model.pools.get(id)
    return { id, version: (pool?.version ?? 0) + 1, created: pool === undefined, changed: true }
  }
  const pool = model.pools.get(operation.pool)!
  return { version: pool.version + 1 }
}

/** The record at hand is not that of the operation. */
class OtherRecord extends Violation {
  constructor(message: string) {
    super(`${kind}: another record`, message)
  }
}

/** The records of a batch, run by run. */
class RecordReader {
  readonly #records: readonly LoggedRecord[]
  #next = 0
  /** Outcomes of the run at hand that are read already. */
  #read = 0

  constructor(records: readonly LoggedRecord[]) {
    this.#records = records
  }

  get done(): boolean {
    return this.#next === this.#records.length
  }

  /** Rules for keys that stand here, or null. */
  rules(): KeyRules | null {
    const record = this.#records[this.#next]
    if (record?.kind !== 'keyPolicy') return null
    this.#next++
    return record.rules
  }

  /** The outcomes of one request. Runs hold draws of several requests without a name; a named one stands alone. */
  draws(pool: number, count: number, key: string, recipient: string): ArrayLike<number> {
    const record = this.#records[this.#next]
    if (record?.kind !== 'draws' || record.pool !== pool)
      throw new OtherRecord(`draws expected, ${tell(record)} found`)
    const { request, outcomes } = record
    const named = key !== '' || recipient !== ''
    if (
      named !== (request !== undefined) ||
      (request?.key ?? '') !== key ||
      (request?.recipient ?? '') !== recipient
    )
      throw new OtherRecord(`draws of another request: ${tell(record)}`)
    const found = outcomes.slice(this.#read, this.#read + count)
    this.#read += count
    if (found.length < count || (named && outcomes.length !== count))
      throw new Violation(`${kind}: draws`, `${count} draws expected, ${tell(record)} found`)
    if (this.#read === outcomes.length) {
      this.#next++
      this.#read = 0
    }
    return found
  }

  /** Passes the record of a change. */
  expect(operation: Change, model: Model): void {
    const record = this.#records[this.#next]
    const kind = operation.kind === 'update' ? 'item' : operation.kind
    const id = operation.kind === 'put' ? operation.manifest.id : operation.pool
    const number = model.pools.get(id)?.number
    const fits = record?.kind === kind && (number === undefined || record.pool === number)
    if (!fits) throw new OtherRecord(`${describeOperation(operation)} expected, ${tell(record)} found`)
    this.#next++
  }
}

function tell(record: LoggedRecord | undefined): string {
  return record === undefined ? 'nothing' : shorten(JSON.stringify(record))
}
