import type { Kuji } from '@kuji/engine'
import { KujiError } from '@kuji/engine'
import { ask } from './ask.ts'
import type { LogRecord } from './log-record.ts'
import { describeAnswer, type Model } from './model/model.ts'
import type { Answer, Operation } from './model/operation.ts'
import { circumstances, describeOperation } from './model/operation.ts'
import { Violation } from './model/violation.ts'
import type { Machine } from './world/machine.ts'

/** Where a client stands with a request. */
interface Request {
  readonly operation: Operation
  /** When it was asked, by the wall clock. */
  readonly asked: number
  /** The earliest time of the log at which it can be decided. */
  readonly from: number
  answer: Answer | null
  /** Tells the client. */
  readonly settle: (outcome: Answer | 'unknown') => void
}

interface RequestsOptions {
  readonly machine: Machine
  readonly record: LogRecord
  readonly model: () => Model
  /** Whether the wall clock never runs back. */
  readonly steady: boolean
  /** Told of each answer that the model has taken, when nothing else waits. */
  readonly onRest: (operation: Operation) => void
  readonly fail: (error: unknown) => void
}

/** What clients have asked of the engine and wait for, in the order in which it got that. */
export class Requests {
  readonly #options: RequestsOptions
  #waiting: Request[] = []
  #asked = 0
  /** Calls of the disk that had failed when the process was started. */
  #failures = 0

  constructor(options: RequestsOptions) {
    this.#options = options
  }

  get waiting(): readonly Operation[] {
    return this.#waiting.map(({ operation }) => operation)
  }

  /** A process is started: what it refuses has to have a reason from here on. */
  begin(): void {
    this.#failures = this.#options.machine.failures
  }

  /** How many were asked, by all. */
  get asked(): number {
    return this.#asked
  }

  /** The one that has waited longest. */
  get first(): object | null {
    return this.#waiting[0] ?? null
  }

  /** Asks the engine. `unknown`: it died before it answered. */
  submit(kuji: Kuji, operation: Operation, now: number): Promise<Answer | 'unknown'> {
    const { machine, record, steady, fail } = this.#options
    // A batch begins when the first request in it is decided, which is one that waits; its time is that, or the time of
    // the batch before, where the clock was ahead then.
    const asked = this.#waiting[0]?.asked ?? now
    const from = Math.max(record.time, steady ? asked : 0)
    return new Promise(settle => {
      const request: Request = { operation, asked: now, from, answer: null, settle }
      machine.tell(() => `ask ${describeOperation(operation)}`)
      this.#waiting.push(request)
      this.#asked++
      ask(kuji, operation).then(
        value => this.#hear(request, { value }),
        error => {
          if (error instanceof KujiError) this.#hear(request, { refusal: error.code })
          else fail(error)
        },
      )
    })
  }

  #hear(request: Request, answer: Answer): void {
    const { machine, fail } = this.#options
    machine.tell(() => `${describeOperation(request.operation)}: ${describeAnswer(answer)}`)
    if ('refusal' in answer) {
      machine.counts.add(`answer: ${answer.refusal}`)
      const isOfMachine = circumstances.has(answer.refusal) || answer.refusal === 'OUTCOME_UNKNOWN'
      if (isOfMachine && machine.failures === this.#failures)
        fail(
          new Violation(
            'a refusal without a reason',
            `${answer.refusal}, and no call of the disk has failed since the start`,
          ),
        )
      if (answer.refusal === 'OUTCOME_UNKNOWN') {
        request.settle('unknown')
        return
      }
      if (circumstances.has(answer.refusal)) {
        this.#waiting = this.#waiting.filter(other => other !== request)
        request.settle(answer)
        this.#applyAnswered()
        return
      }
    }
    const isDraw = ({ operation: { kind } }: Request): boolean => kind === 'draw'
    // Draws are answered in the order of the requests, for callers too.
    if (isDraw(request) && this.#waiting.find(other => isDraw(other) && other.answer === null) !== request)
      this.#failOrder(request.operation, 'an earlier draw')
    request.answer = answer
    this.#applyAnswered()
  }

  /** The model takes answers in the order of the requests. */
  #applyAnswered(): void {
    const { machine, record, model, onRest, fail } = this.#options
    try {
      if (record.fault !== '') throw new Violation('a batch as it is written', record.fault)
      for (
        let first = this.#waiting[0];
        first !== undefined && first.answer !== null;
        first = this.#waiting[0]
      ) {
        this.#waiting.shift()
        const { operation, answer, from, settle } = first
        model().lsn = record.durable
        model().apply(operation, answer, { from, to: machine.wall.highest })
        model().learnRules(() => record.rulesAt(record.durable))
        if (operation.kind === 'draw' && operation.key !== '') this.#checkRules()
        machine.counts.add(`operation: ${kindOf(operation, answer)}`)
        if (this.#waiting.length === 0) onRest(operation)
        settle(answer)
      }
    } catch (error) {
      fail(error)
    }
  }

  /** What a request with a key rests on stands in the log before it is answered. */
  #checkRules(): void {
    const { record, model } = this.#options
    const rules = record.rulesAt(record.durable)
    if (!model().keys.mayRestOn(rules))
      throw new Violation(
        'rules for keys: of an answer',
        `a request with a key is answered by other rules than ${JSON.stringify(rules)}`,
      )
  }

  #failOrder(operation: Operation, other: string): void {
    const what = `${describeOperation(operation)} was answered before ${other}`
    this.#options.fail(new Violation('order of answers', what))
  }

  /** Forgets the first ones, which the log has or never will; all of them by default. */
  drop(count = this.#waiting.length): void {
    this.#waiting.splice(0, count)
  }

  /** The engine is gone, and those who wait for an answer learn that there will be none. */
  abandon(): void {
    for (const { answer, operation, settle } of this.#waiting) {
      if (answer !== null) this.#failOrder(operation, 'a request that came earlier')
      settle('unknown')
    }
  }
}

/** What was done, for the count of it. */
function kindOf(operation: Operation, answer: Answer): string {
  if ('refusal' in answer) return 'refused'
  switch (operation.kind) {
    case 'draw':
      if (operation.bulk) return 'drawMany'
      if (operation.key === '') return 'draw'
      return (answer.value as { replayed: boolean }).replayed ? 'draw again by its key' : 'draw with a key'
    case 'update':
      return operation.update.restock === undefined ? 'reweigh' : 'restock'
    case 'status':
      return { open: 'resume', paused: 'pause', closed: 'close' }[operation.status]
    default:
      return operation.kind
  }
}
