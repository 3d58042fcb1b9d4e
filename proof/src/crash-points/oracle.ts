import { Chance } from '../chance.ts'
import type { LogRecord } from '../sim/log-record.ts'
import { Fairness } from '../sim/model/fairness.ts'
import { Model, Violation } from '../sim/model/model.ts'
import type { Answer, Operation } from '../sim/model/operation.ts'
import { takeInBatch } from '../sim/model/take-in-batch.ts'

export interface Answered {
  readonly operation: Operation
  readonly answer: Answer
}

/** A script is too short to say anything of chances. */
function newModel(): Model {
  const model = new Model(new Fairness(new Chance(1, 'fairness')))
  model.open({}, null)
  return model
}

/** What is right behind every LSN of a script: operations, in their order, by the batches that they are in. */
export class Oracle {
  readonly #answered: readonly Answered[]
  /** How many operations the log has up to and with an LSN. */
  readonly #operations: number[] = [0]

  /** Throws where a batch holds anything but the operations whose turn it is. */
  constructor(answered: readonly Answered[], { batches, fault }: LogRecord) {
    if (fault !== '') throw new Violation(fault)
    this.#answered = answered
    const model = newModel()
    const waiting = answered.map(({ operation }) => operation)
    for (let lsn = 1; lsn <= batches.size; lsn++) {
      const done = this.#operations[lsn - 1]!
      const taken = takeInBatch(model, batches.get(lsn)!.content, waiting.slice(done))
      this.#operations.push(done + taken)
    }
    if (this.#operations.at(-1) !== answered.length)
      throw new Violation(`the log has ${this.#operations.at(-1)} of ${answered.length} operations`)
  }

  get lastLsn(): number {
    return this.#operations.length - 1
  }

  /** The first LSN that has so many operations. */
  lsnOf(operations: number): number {
    return this.#operations.findIndex(count => count >= operations)
  }

  /** The state behind an LSN. Whoever asks may go on with it. */
  modelAt(lsn: number): Model {
    const model = newModel()
    for (const { operation, answer } of this.#answered.slice(0, this.#operations[lsn]))
      model.apply(operation, answer, { from: 0, to: Number.POSITIVE_INFINITY })
    return model
  }
}
