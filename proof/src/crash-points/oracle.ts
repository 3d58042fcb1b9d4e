import type { DrawManyReceipt } from '@kuji/engine/contract'
import type { LogRecord } from '../sim/log-record.ts'
import { Model } from '../sim/model/model.ts'
import type { TimeSpan } from '../sim/model/model-keys.ts'
import type { Answer, Operation } from '../sim/model/operation.ts'
import { takeInBatch } from '../sim/model/take-in-batch.ts'
import { Violation } from '../sim/model/violation.ts'

export interface Answered {
  readonly operation: Operation
  readonly answer: Answer
  /** From when it was asked to when it was answered: a key is certain to be kept, or not, at a time that is known. */
  readonly span: TimeSpan
}

/** A receipt with the names of its items: many draws are told as indexes, which would be looked up at every start. */
function withNames({ operation, answer, span }: Answered): Answered {
  if (!('value' in answer) || operation.kind !== 'draw' || !operation.bulk) return { operation, answer, span }
  const { id, pool, items, itemIds, version, at, replayed } = answer.value as DrawManyReceipt
  const names = Array.from(items, index => itemIds[index]!)
  return { operation, answer: { value: { id, pool, items: names, version, at, replayed } }, span }
}

/** A script is too short to say anything of chances. */
function newModel(): Model {
  const model = new Model()
  model.open({}, null)
  return model
}

/** What is right behind every LSN of a script: operations, in their order, by the batches that they are in. */
export class Oracle {
  #answered: readonly Answered[]
  /** How many operations the log has up to and with an LSN. */
  readonly #operations: number[] = [0]

  /** Throws where a batch holds anything but the operations whose turn it is. */
  constructor(answered: readonly Answered[], { batches, fault }: LogRecord) {
    if (fault !== '') throw new Violation('a batch as it is written', fault)
    this.#answered = answered
    const model = newModel()
    const waiting = answered.map(({ operation }) => operation)
    for (let lsn = 1; lsn <= batches.size; lsn++) {
      const done = this.#operations[lsn - 1]!
      const taken = takeInBatch(model, batches.get(lsn)!.content, waiting.slice(done))
      this.#operations.push(done + taken)
    }
    if (this.#operations.at(-1) !== answered.length)
      throw new Violation(
        'operations in the log',
        `the log has ${this.#operations.at(-1)} of ${answered.length} operations`,
      )
    // As the engine told them, once.
    this.modelAt(this.lastLsn)
    this.#answered = answered.map(withNames)
  }

  get lastLsn(): number {
    return this.#operations.length - 1
  }

  /** How many operations the log has up to and with an LSN: the first ones. */
  operationsUpTo(lsn: number): number {
    return this.#operations[lsn]!
  }

  /** The first LSN that has so many operations. */
  lsnOf(operations: number): number {
    return this.#operations.findIndex(count => count >= operations)
  }

  /** The state behind an LSN. Whoever asks may go on with it. */
  modelAt(lsn: number): Model {
    const model = newModel()
    for (const { operation, answer, span } of this.#answered.slice(0, this.operationsUpTo(lsn)))
      model.apply(operation, answer, span)
    return model
  }
}
