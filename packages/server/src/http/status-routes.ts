import { Type } from 'typebox'
import { states } from '../health.ts'
import type { Metrics } from '../metrics/metrics.ts'
import type { Service } from '../service.ts'
import { answers, ofCallers } from './answers.ts'
import type { HttpApp } from './app.ts'

const Ready = Type.Object({ ready: Type.Literal(true) }, { title: 'Ready' })
const NotReady = Type.Object(
  { ready: Type.Literal(false), reason: Type.Enum(states.filter(state => state !== 'open')) },
  { title: 'NotReady' },
)

const readinessSchema = {
  operationId: 'getReadiness',
  tags: ['operation'],
  summary: 'Whether the server takes draws now',
  security: [],
  response: {
    ...answers({ 200: { description: 'It does.', schema: Ready } }),
    503: { description: 'It does not.', content: { 'application/json': { schema: NotReady } } },
  } as Record<string, object>,
}

const metricsSchema = {
  operationId: 'getMetrics',
  tags: ['operation'],
  summary: 'What the server counts, for Prometheus',
  response: answers(
    { 200: { description: 'Metrics.', contentType: 'text/plain', schema: Type.String() } },
    ofCallers,
  ),
}

/** For load balancers and orchestrators, which have no key: it tells a word and nothing else. */
export function addReadinessRoute(app: HttpApp, service: Service): void {
  app.get('/readyz', { schema: readinessSchema }, async (_request, reply) => {
    const { state } = service.health()
    reply.header('cache-control', 'no-store')
    return state === 'open' ? { ready: true } : reply.code(503).send({ ready: false, reason: state })
  })
}

/** Names of pools or callers are not among the metrics; still, with keys, it takes one that may read. */
export function addMetricsRoute(app: HttpApp, service: Service, metrics: Metrics): void {
  app.get('/metrics', { schema: metricsSchema }, async (request, reply) => {
    service.authorise(request.caller, 'read')
    return reply.type(metrics.contentType).send(await metrics.text())
  })
}
