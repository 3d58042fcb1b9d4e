import { limits } from '../contract/index.ts'

const capacity = limits.queue
const mask = capacity - 1

/** A request that is not a draw: decides itself when its turn comes, and returns the answer or the refusal. */
export type Command = () => unknown

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
  readonly answers: unknown[] = new Array(capacity).fill(undefined)
  readonly #resolves: (((value: unknown) => void) | undefined)[] = new Array(capacity).fill(undefined)
  readonly #rejects: (((error: unknown) => void) | undefined)[] = new Array(capacity).fill(undefined)
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
  add(request: string | Command, kind: number, count: number): Promise<unknown> {
    const promise = new Promise<unknown>(this.#capture)
    const slot = this.tail & mask
    this.requests[slot] = request
    this.kinds[slot] = kind
    this.counts[slot] = count
    this.tail++
    return promise
  }

  /** Sends the answers up to a position, in order. An answer that is an error is a refusal. */
  answerUpTo(position: number): void {
    while (this.answered < position) {
      const slot = this.answered++ & mask
      const answer = this.answers[slot]
      if (answer instanceof Error) this.#rejects[slot]!(answer)
      else this.#resolves[slot]!(answer)
      this.requests[slot] = undefined
      this.answers[slot] = undefined
      this.#resolves[slot] = undefined
      this.#rejects[slot] = undefined
    }
  }

  /** Answers everything that waits with one error. */
  failAll(error: (position: number) => Error): void {
    for (let position = this.answered; position < this.tail; position++)
      this.answers[position & mask] = error(position)
    this.decided = this.tail
    this.answerUpTo(this.tail)
  }
}
