import type { KujiError, Receipt } from '../contract/index.ts'
import { limits } from '../contract/index.ts'
import type { LoggedRequest } from '../pool/state.ts'
import { warnOf } from './guarded.ts'

const capacity = limits.queue
const mask = capacity - 1

/** A request that is not a draw: decides itself when its turn comes, and returns the answer or the refusal. */
export type Command = () => unknown

/** Takes the answers of draws: a receipt, or the refusal. It should not throw; what it throws becomes a warning. */
export interface AnswerSink {
  answer(token: number, answer: Receipt | KujiError): void
}

/** Gives an answer to a sink. One that throws would keep those behind it from theirs. */
export function answerTo(sink: AnswerSink, token: number, answer: Receipt | KujiError): void {
  try {
    sink.answer(token, answer)
  } catch (error) {
    warnOf(error)
  }
}

/**
 * Requests in the order they came, until their answers have left. One ring of columns, allocated once: a request is a
 * slot and no object. Positions grow without end; a position's slot is its remainder.
 *
 *   answered ≤ decided ≤ tail
 *
 * Between answered and decided stand answers that wait for their batch to be durable.
 */
export class Mailbox {
  answered = 0
  decided = 0
  tail = 0
  /** A pool id, for a draw, or a command. */
  readonly requests: (string | Command | undefined)[] = new Array(capacity).fill(undefined)
  readonly counts: Uint32Array = new Uint32Array(capacity)
  readonly kinds: Uint8Array = new Uint8Array(capacity)
  /** Key and recipient of a draw, where it has either. */
  readonly requested: (LoggedRequest | undefined)[] = new Array(capacity).fill(undefined)
  readonly answers: unknown[] = new Array(capacity).fill(undefined)
  readonly #resolves: (((value: unknown) => void) | undefined)[] = new Array(capacity).fill(undefined)
  readonly #rejects: (((error: unknown) => void) | undefined)[] = new Array(capacity).fill(undefined)
  /** Where an answer goes that nobody has a promise for. */
  readonly #sinks: (AnswerSink | undefined)[] = new Array(capacity).fill(undefined)
  readonly #tokens: Float64Array = new Float64Array(capacity)
  // One executor for all promises: a closure for each would be garbage.
  readonly #capture = (resolve: (value: unknown) => void, reject: (error: unknown) => void): void => {
    const slot = this.tail & mask
    this.#resolves[slot] = resolve
    this.#rejects[slot] = reject
  }

  get waiting(): number {
    return this.tail - this.answered
  }

  get full(): boolean {
    return this.tail - this.answered >= capacity
  }

  slot(position: number): number {
    return position & mask
  }

  /** Takes a request in; the mailbox is not full. */
  add(request: string | Command, kind: number, count: number, named?: LoggedRequest): Promise<unknown> {
    const promise = new Promise<unknown>(this.#capture)
    this.#put(request, kind, count, named)
    return promise
  }

  /** Takes a request in whose answer goes to a sink, without a promise. */
  addTo(
    sink: AnswerSink,
    token: number,
    request: string,
    kind: number,
    count: number,
    named?: LoggedRequest,
  ): void {
    const slot = this.#put(request, kind, count, named)
    this.#sinks[slot] = sink
    this.#tokens[slot] = token
  }

  #put(request: string | Command, kind: number, count: number, named?: LoggedRequest): number {
    const slot = this.tail++ & mask
    if (named !== undefined) this.requested[slot] = named
    this.requests[slot] = request
    this.kinds[slot] = kind
    this.counts[slot] = count
    return slot
  }

  /** Sends the answers up to a position, in order. An answer that is an error is a refusal. */
  answerUpTo(position: number): void {
    while (this.answered < position) {
      const slot = this.answered++ & mask
      const answer = this.answers[slot]
      const sink = this.#sinks[slot]
      this.requests[slot] = undefined
      this.requested[slot] = undefined
      this.answers[slot] = undefined
      if (sink !== undefined) {
        this.#sinks[slot] = undefined
        answerTo(sink, this.#tokens[slot]!, answer as Receipt | KujiError)
        continue
      }
      if (answer instanceof Error) this.#rejects[slot]!(answer)
      else this.#resolves[slot]!(answer)
      this.#resolves[slot] = undefined
      this.#rejects[slot] = undefined
    }
  }

  /** Answers everything that waits with an error. */
  failAll(error: (position: number, slot: number) => Error): void {
    for (let position = this.answered; position < this.tail; position++)
      this.answers[position & mask] = error(position, position & mask)
    this.decided = this.tail
    this.answerUpTo(this.tail)
  }
}
