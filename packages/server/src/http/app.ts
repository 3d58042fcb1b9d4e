import type { Server } from 'node:http'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import { KujiError } from '@kuji/engine/contract'
import {
  type FastifyBaseLogger,
  type FastifyInstance,
  fastify,
  type RawReplyDefaultExpression,
  type RawRequestDefaultExpression,
} from 'fastify'
import type { TSchema } from 'typebox'
import type { DoorOptions } from '../door.ts'
import { serverLimits } from '../limits.ts'
import type { Metrics } from '../metrics/metrics.ts'
import { authenticate } from './authentication.ts'
import { isServed, parseBody } from './body.ts'
import { addDocumentPage, addDocumentRoute, gatherDocument } from './document.ts'
import { addDrawRoutes } from './draw-routes.ts'
import { createClientErrorHandler, createErrorHandler, unservedBody } from './errors.ts'
import { addEventRoutes } from './event-routes.ts'
import { createGuard, refuseUnheeded } from './guard.ts'
import { addHealthRoutes } from './health-routes.ts'
import { refuseOtherMethods } from './methods.ts'
import { Turns } from './pipelining.ts'
import { addPoolRoutes } from './pool-routes.ts'
import { problemOf, sendProblem } from './problem.ts'
import { NoQuery } from './schemas.ts'
import { addMetricsRoute, addReadinessRoute } from './status-routes.ts'
import { compileValidator } from './validation.ts'

export type HttpApp = FastifyInstance<
  Server,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>

/** HTTP is also where a server is watched. */
export interface HttpOptions extends DoorOptions {
  readonly metrics: Metrics
}

/** The server with all its routes, not yet listening. */
export async function createApp(options: HttpOptions): Promise<HttpApp> {
  const { service, meter, metrics } = options
  const app = createBareApp(options)
  await gatherDocument(app, service.keysRequired)
  const addOthers = refuseOtherMethods(app, meter)
  app.register(async inner => {
    addCallerRoutes(inner, options)
    addMetricsRoute(inner, service, metrics)
  })
  app.register(async open => {
    addHealthRoutes(open, service)
    addReadinessRoute(open, service)
    addDocumentRoute(open)
  })
  app.register(addOthers)
  // Behind it: the page is another's, and its routes refuse in their own way.
  app.register(addDocumentPage)
  return app
}

/** Routes that have to know who calls. */
function addCallerRoutes(app: HttpApp, { service, meter, log }: DoorOptions): void {
  // With a callback: an async hook is a promise for every request.
  app.addHook('onRequest', (request, reply, done) => {
    authenticate(service, request)
    service.admit(request.caller)
    refuseUnheeded(request)
    // Stock and odds are true for a moment only, and a browser would keep them.
    if (request.method === 'GET') reply.header('cache-control', 'no-store')
    done()
  })
  // What a query says is for somebody: a route that takes none must not draw as if there were none.
  app.addHook('onRoute', route => {
    if (route.schema !== undefined) route.schema.querystring ??= NoQuery
  })
  addDrawRoutes(app, service, meter)
  addPoolRoutes(app, service)
  addEventRoutes(app, service, log)
}

function createBareApp({ service, log, meter, tls }: DoorOptions): HttpApp {
  const handleError = createErrorHandler(log, meter)
  const turns = new Turns()
  const server = {
    headersTimeout: serverLimits.headersTimeoutMs,
    connectionsCheckingInterval: serverLimits.timeoutCheckMs,
    maxHeaderSize: serverLimits.headerBytes,
    // The guard refuses a missing Host, with a problem document.
    requireHostHeader: false,
  }
  const app = fastify({
    ...(tls === undefined
      ? { http: server }
      : { https: { ...server, ...tls, handshakeTimeout: serverLimits.headersTimeoutMs } as typeof server }),
    requestTimeout: serverLimits.requestTimeoutMs,
    connectionTimeout: serverLimits.stalledConnectionMs,
    bodyLimit: serverLimits.bodyBytes,
    // Requests that arrive on open connections during a stop are answered like any other.
    return503OnClosing: false,
    // No id is cut off by the router: the engine says what is wrong with it.
    routerOptions: { maxParamLength: serverLimits.headerBytes },
    frameworkErrors: handleError,
    clientErrorHandler: createClientErrorHandler(turns, meter),
  }).withTypeProvider<TypeBoxTypeProvider>() as unknown as HttpApp
  app.setErrorHandler(handleError)
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.length > 100 ? `${request.url.slice(0, 100)}…` : request.url
    const error = new KujiError('INVALID', `no route: ${request.method} ${path}`)
    sendProblem(reply, problemOf(error, 404), meter)
  })
  app.setValidatorCompiler<TSchema>(({ schema, httpPart }) => compileValidator(schema, httpPart))
  // What a schema does not name would be left out by the default one.
  app.setSerializerCompiler(() => data => JSON.stringify(data))
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, bytes: Buffer, done) => {
    if (isServed(request.headers)) done(null, parseBody(bytes))
    else done(unservedBody)
  })
  turns.take(app)
  const guard = createGuard(service.keysRequired, tls === undefined ? 'http' : 'https')
  app.addHook('onRequest', (request, _reply, done) => {
    meter.requests++
    done(guard(request))
  })
  return app
}
