import { serverLimits } from '../limits.ts'

/**
 * What the answers of one connection may take, in items of receipts, from the request until HTTP/2 has sent them. A
 * request beyond it waits, in its turn, until answers have left: whoever does not read is not drawn for.
 */
export class Budget {
  #taken = 0
  #waiting: (() => void)[] = []

  /** Begins a request, now or later; what it takes is its own to take. */
  enter(begin: () => void): void {
    if (this.#waiting.length === 0 && this.#hasRoom()) begin()
    else this.#waiting.push(begin)
  }

  take(items: number): void {
    this.#taken += items
  }

  give(items: number): void {
    this.#taken -= items
    while (this.#waiting.length > 0 && this.#hasRoom()) this.#waiting.shift()!()
  }

  #hasRoom(): boolean {
    return this.#taken < serverLimits.grpcAnswerItems
  }
}
