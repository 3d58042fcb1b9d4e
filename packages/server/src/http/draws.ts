import type { AnswerSink } from '@kuji/engine'
import { type DrawOptions, KujiError, type Receipt } from '@kuji/engine/contract'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { encodeReceipt } from '../json.ts'
import type { Service } from '../service.ts'

/**
 * Draws that wait for their answers. The engine gives answers out many at a time, by the number that each request was
 * made with: no promise for a draw, which on this route would be a fifth of the work.
 */
export class PendingDraws implements AnswerSink {
  readonly #service: Service
  readonly #replies: (FastifyReply | null)[] = []
  readonly #free: number[] = []

  constructor(service: Service) {
    this.#service = service
  }

  draw(request: FastifyRequest, reply: FastifyReply, pool: string, options: DrawOptions): void {
    const token = this.#free.pop() ?? this.#replies.length
    this.#replies[token] = reply
    this.#service.drawTo(request.caller, this, token, pool, options)
  }

  answer(token: number, answer: Receipt | KujiError): void {
    const reply = this.#replies[token]!
    this.#replies[token] = null
    this.#free.push(token)
    if (answer instanceof KujiError) reply.send(answer)
    else sendReceipt(reply.code(answer.replayed ? 200 : 201), answer)
  }
}

export function sendReceipt(reply: FastifyReply, receipt: Receipt): void {
  reply.type('application/json; charset=utf-8').send(JSON.stringify(encodeReceipt(receipt)))
}
