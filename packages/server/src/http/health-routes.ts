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

/** What may be asked without a key. */
export function addHealthRoutes(app: HttpApp, service: Service): void {
  app.get('/healthz', { schema: healthSchema }, async () => service.health())
}
