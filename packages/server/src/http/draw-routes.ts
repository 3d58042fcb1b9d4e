import type { DoorMeter } from '../metrics/meter.ts'
import { ReceiptSchema } from '../schema/answers.ts'
import type { Service } from '../service.ts'
import { answers, ofCallers, ofChanges } from './answers.ts'
import type { HttpApp } from './app.ts'
import { PendingDraws, sendReceipt } from './draws.ts'
import { readIdempotencyKey } from './idempotency-key.ts'
import { DrawBody, DrawParams, KeyHeaders, PoolParams } from './schemas.ts'

const drawSchema = {
  operationId: 'draw',
  tags: ['draws'],
  summary: 'Draw from a pool',
  description:
    'Draws `count` items at random, all or none, and answers when the outcome is durable. Sent again with the same ' +
    '`Idempotency-Key`, the request gives the same receipt, and draws nothing.',
  params: PoolParams,
  headers: KeyHeaders,
  body: DrawBody,
  response: answers(
    {
      200: { description: 'The receipt of an earlier request with the same key.', schema: ReceiptSchema },
      201: { description: 'The receipt of this draw.', schema: ReceiptSchema },
    },
    ofChanges,
    ['POOL_NOT_FOUND', 'POOL_EMPTY', 'INSUFFICIENT_STOCK', 'POOL_PAUSED', 'POOL_CLOSED', 'KEY_CONFLICT'],
  ),
}

const receiptSchema = {
  operationId: 'getReceipt',
  tags: ['draws'],
  summary: 'Look up a receipt',
  description: 'The receipt that holds a draw number, where it was drawn with a key that is still kept.',
  params: DrawParams,
  response: answers({ 200: { description: 'The receipt.', schema: ReceiptSchema } }, ofCallers, [
    'DRAW_NOT_FOUND',
  ]),
}

export function addDrawRoutes(app: HttpApp, service: Service, meter: DoorMeter): void {
  const pending = new PendingDraws(service, meter)
  app.post('/v1/pools/:pool/draws', { schema: drawSchema }, (request, reply) => {
    const key = readIdempotencyKey(request.raw)
    const options = key === undefined ? request.body : { ...request.body, key }
    pending.add({ request, reply, pool: request.params.pool, options })
  })

  app.get('/v1/draws/:id', { schema: receiptSchema }, async (request, reply) => {
    sendReceipt(reply, await service.receipt(request.caller, Number(request.params.id)))
    return reply
  })
}
