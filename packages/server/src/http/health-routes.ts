import { HealthSchema } from '../schema/answers.ts'
import type { Service } from '../service.ts'
import { answers } from './answers.ts'
import type { HttpApp } from './app.ts'

const healthSchema = {
  operationId: 'getHealth',
  tags: ['operation'],
  summary: 'Whether the process lives, and how it is doing',
  security: [],
  response: answers({ 200: { description: 'The process lives.', schema: HealthSchema } }),
}

/** What may be asked without a key: numbers and a word. Where there are keys, why it is so may name a path. */
export function addHealthRoutes(app: HttpApp, service: Service): void {
  app.get('/healthz', { schema: healthSchema }, async (_request, reply) => {
    const { reason, ...health } = service.health()
    reply.header('cache-control', 'no-store')
    return service.keysRequired || reason === undefined ? health : { ...health, reason }
  })
}
