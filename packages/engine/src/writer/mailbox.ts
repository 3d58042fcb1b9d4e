import type { KujiError, Receipt } from '../contract/index.ts'
import { limits } from '../contract/index.ts'
import type { LoggedRequest } from '../pool/state.ts'
import { warnOf } from './guarded.ts'

/** Slots that a ring begins with; it is twice as large whenever it is full. Both are powers of two. */
const slotsAtFirst = 32
const slotsMost = limits.queue

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
 * Requests in the order they came, until their answers have left. One ring of columns: a request is a slot and no
 * object. The ring grows with the longest queue there has been, and stays as large. Positions grow without end; a
 * position's slot is its remainder.
 *
 *   answered ≤ decided ≤ tail
 *
 * Between answered and decided stand answers that wait for their batch to be durable.
 */
export class Mailbox {
  answered = 0
  decided = 0
  tail = 0
  #mask = slotsAtFirst - 1
  /** A pool id, for a draw, or a command. */
  requests: (string | Command | undefined)[] = emptyColumn(slotsAtFirst)
  counts: Uint32Array = new Uint32Array(slotsAtFirst)
  kinds: Uint8Array = new Uint8Array(slotsAtFirst)
  /** Key and recipient of a draw, where it has either. */
  requested: (LoggedRequest | undefined)[] = emptyColumn(slotsAtFirst)
  #answers: unknown[] = emptyColumn(slotsAtFirst)
  #resolves: (((value: unknown) => void) | undefined)[] = emptyColumn(slotsAtFirst)
  #rejects: (((error: unknown) => void) | undefined)[] = emptyColumn(slotsAtFirst)
  /** Where an answer goes that nobody has a promise for. */
  #sinks: (AnswerSink | undefined)[] = emptyColumn(slotsAtFirst)
  #tokens: Float64Array = new Float64Array(slotsAtFirst)
  // One executor for all promises: a closure for each would be garbage.
  readonly #capture = (resolve: (value: unknown) => void, reject: (error: unknown) => void): void => {
    const slot = this.tail & this.#mask
    this.#resolves[slot] = resolve
    this.#rejects[slot] = reject
  }

  get waiting(): number {
    return this.tail - this.answered
  }

  get full(): boolean {
    return this.tail - this.answered >= slotsMost
  }

  slot(position: number): number {
    return position & this.#mask
  }

  /** Keeps the answer of the next request that has none, until what it rests on is durable. */
  decide(answer: unknown): void {
    this.#answers[this.decided++ & this.#mask] = answer
  }

  /** Takes a request in; the mailbox is not full. */
  add(request: string | Command, kind: number, count: number, named?: LoggedRequest): Promise<unknown> {
    if (this.waiting > this.#mask) this.#grow()
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
    if (this.waiting > this.#mask) this.#grow()
    const slot = this.#put(request, kind, count, named)
    this.#sinks[slot] = sink
    this.#tokens[slot] = token
  }

  #put(request: string | Command, kind: number, count: number, named?: LoggedRequest): number {
    const slot = this.tail++ & this.#mask
    if (named !== undefined) this.requested[slot] = named
    this.requests[slot] = request
    this.kinds[slot] = kind
    this.counts[slot] = count
    return slot
  }

  // A method of its own: its context is allocated on entry, which would be 40 bytes for each draw.
  #grow(): void {
    const from = this.#mask
    const slots = 2 * (from + 1)
    const moved = <Column extends { [slot: number]: unknown }>(column: Column, wider: Column): Column => {
      for (let position = this.answered; position < this.tail; position++)
        wider[position & (slots - 1)] = column[position & from]
      return wider
    }
    this.requests = moved(this.requests, emptyColumn(slots))
    this.counts = moved(this.counts, new Uint32Array(slots))
    this.kinds = moved(this.kinds, new Uint8Array(slots))
    this.requested = moved(this.requested, emptyColumn(slots))
    this.#answers = moved(this.#answers, emptyColumn(slots))
    this.#resolves = moved(this.#resolves, emptyColumn(slots))
    this.#rejects = moved(this.#rejects, emptyColumn(slots))
    this.#sinks = moved(this.#sinks, emptyColumn(slots))
    this.#tokens = moved(this.#tokens, new Float64Array(slots))
    this.#mask = slots - 1
  }

  /** Sends the answers up to a position, in order. An answer that is an error is a refusal. */
  answerUpTo(position: number): void {
    while (this.answered < position) {
      const slot = this.answered++ & this.#mask
      const answer = this.#answers[slot]
      const sink = this.#sinks[slot]
      this.requests[slot] = undefined
      this.requested[slot] = undefined
      this.#answers[slot] = undefined
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
      this.#answers[position & this.#mask] = error(position, position & this.#mask)
    this.decided = this.tail
    this.answerUpTo(this.tail)
  }
}

function emptyColumn<Value>(slots: number): (Value | undefined)[] {
  return new Array<Value | undefined>(slots).fill(undefined)
}
