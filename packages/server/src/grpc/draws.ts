import type { AnswerSink } from '@kuji/engine'
import type { DrawOptions } from '@kuji/engine/contract'
import type { Caller } from '../access/caller.ts'
import type { Service } from '../service.ts'

interface Draw {
  readonly caller: Caller
  readonly sink: AnswerSink
  readonly token: number
  readonly pool: string
  readonly options: DrawOptions
}

/**
 * Draws of all connections. Those that one turn of the event loop brings are handed to the engine together when it
 * ends, so that they share a batch and its write: each call arrives in a callback of its own, and the first one would
 * start a write alone.
 */
export class Draws {
  readonly #service: Service
  #arrived: Draw[] = []

  constructor(service: Service) {
    this.#service = service
  }

  add(draw: Draw): void {
    if (this.#arrived.push(draw) === 1) setImmediate(this.#submit)
  }

  readonly #submit = (): void => {
    const arrived = this.#arrived
    this.#arrived = []
    for (const { caller, sink, token, pool, options } of arrived)
      this.#service.drawTo(caller, sink, token, pool, options)
  }
}
