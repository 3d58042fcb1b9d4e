import type { AnswerSink } from '@kuji/engine'
import { type DrawOptions, KujiError, type Receipt } from '@kuji/engine/contract'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { stringifyReceipt } from '../json.ts'
import type { DoorMeter } from '../metrics/meter.ts'
import type { Service } from '../service.ts'

/** A draw that waits to be made, or for its answer. */
interface PendingDraw {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  readonly pool: string
  readonly options: DrawOptions
}

/**
 * Draws of all connections. Those that one turn of the event loop brings are handed to the engine together when it
 * ends, so that they share a batch and its write (else the first one would start a write alone, and the others wait for
 * its end). The engine gives answers out many at a time, by number: no promise for a draw.
 */
export class PendingDraws implements AnswerSink {
  readonly #service: Service
  readonly #meter: DoorMeter
  readonly #draws: (PendingDraw | null)[] = []
  readonly #free: number[] = []
  #arrived: number[] = []

  constructor(service: Service, meter: DoorMeter) {
    this.#service = service
    this.#meter = meter
  }

  add(draw: PendingDraw): void {
    const token = this.#free.pop() ?? this.#draws.length
    this.#draws[token] = draw
    if (this.#arrived.push(token) === 1) setImmediate(() => this.#submit())
  }

  #submit(): void {
    const arrived = this.#arrived
    this.#arrived = []
    for (const token of arrived) {
      const { request, pool, options } = this.#draws[token]!
      this.#service.drawTo(request.caller, this, token, pool, options)
    }
  }

  answer(token: number, answer: Receipt | KujiError): void {
    const { reply } = this.#draws[token]!
    this.#draws[token] = null
    this.#free.push(token)
    if (answer instanceof KujiError) {
      reply.send(answer)
      return
    }
    this.#meter.answered(answer)
    sendReceipt(reply.code(answer.replayed ? 200 : 201), answer)
  }
}

export function sendReceipt(reply: FastifyReply, receipt: Receipt): void {
  reply.type('application/json; charset=utf-8').send(stringifyReceipt(receipt))
}
