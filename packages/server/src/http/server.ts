import type { AddressInfo } from 'node:net'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import { KujiError } from '@kuji/engine/contract'
import { fastify, type HTTPMethods } from 'fastify'
import type { TSchema } from 'typebox'
import { Compile } from 'typebox/compile'
import { formatAddress } from '../config/listen.ts'
import type { Door, DoorOptions } from '../door.ts'
import { serverLimits } from '../limits.ts'
import type { Logger } from '../logger.ts'
import { faultsOf, fieldName } from '../schema/faults.ts'
import type { Service } from '../service.ts'
import { parseBody } from './body.ts'
import { answerClientError, createErrorHandler } from './errors.ts'
import { guardRequest } from './guard.ts'
import { problemOf, sendProblem } from './problem.ts'
import { addRoutes, type HttpApp } from './routes.ts'

export async function startHttp({ service, listen, log }: DoorOptions): Promise<Door> {
  const app = createApp(service, log)
  boundConnections(app, log)
  await app.listen({ ...listen, backlog: 511 })
  const { port } = app.server.address() as AddressInfo
  return {
    url: `http://${formatAddress({ ...listen, port })}`,
    stop: deadlineMs => stopHttp(app, deadlineMs, log),
  }
}

function createApp(service: Service, log: Logger): HttpApp {
  const handleError = createErrorHandler(log)
  const app: HttpApp = fastify({
    http: {
      headersTimeout: serverLimits.headersTimeoutMs,
      connectionsCheckingInterval: serverLimits.timeoutCheckMs,
      // The guard refuses a missing Host, with a problem document.
      requireHostHeader: false,
    },
    requestTimeout: serverLimits.requestTimeoutMs,
    bodyLimit: serverLimits.bodyBytes,
    // Requests that arrive on open connections during a stop are answered like any other.
    return503OnClosing: false,
    // No id is cut off by the router: the engine says what is wrong with it.
    routerOptions: { maxParamLength: 16 * 1024 },
    frameworkErrors: handleError,
    clientErrorHandler: answerClientError,
  }).withTypeProvider<TypeBoxTypeProvider>()
  app.setErrorHandler(handleError)
  app.setNotFoundHandler((request, reply) => {
    const detail = `no route: ${request.method} ${request.url}`
    sendProblem(reply, problemOf(new KujiError('INVALID', detail), 404))
  })
  // The default one would convert and drop what does not fit; here everything is as sent, or refused.
  app.setValidatorCompiler<TSchema>(({ schema, httpPart }) => compileValidator(schema, httpPart))
  app.removeAllContentTypeParsers()
  app.addContentTypeParser(
    'application/json',
    { parseAs: 'string' },
    async (_request: unknown, text: string) => parseBody(text),
  )
  // With a callback: an async hook is a promise for every request.
  app.decorateRequest('caller', null)
  app.addHook('onRequest', (request, _reply, done) => {
    request.setDecorator('caller', service.authenticate(undefined))
    done(guardRequest(request))
  })
  refuseOtherMethods(app, () => addRoutes(app, service))
  return app
}

function compileValidator(schema: TSchema, httpPart: string | undefined) {
  const check = Compile(schema)
  return (value: unknown) => {
    if (check.Check(value)) return { value }
    const fault = faultsOf(check, schema, value)[0]
    const field = (fault && fieldName(fault.path)) || (httpPart ?? 'request')
    return { error: new KujiError('INVALID', `${field}: ${fault?.message ?? 'not as expected'}`, { field }) }
  }
}

/** A known path with a method that it does not have answers 405 and Allow, not 404. */
function refuseOtherMethods(app: HttpApp, addKnownRoutes: () => void): void {
  const methodsOf = new Map<string, Set<string>>()
  app.addHook('onRoute', ({ url, method }) => {
    const methods = methodsOf.get(url) ?? new Set()
    for (const name of [method].flat()) methods.add(name)
    methodsOf.set(url, methods)
  })
  addKnownRoutes()
  for (const [url, methods] of [...methodsOf]) {
    const allow = [...methods].sort().join(', ')
    const others = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'].filter(
      name => !methods.has(name),
    )
    app.route({
      url,
      method: others as HTTPMethods[],
      handler: (request, reply) => {
        const error = new KujiError('INVALID', `${request.method} is not for this path, only ${allow}`)
        sendProblem(reply.header('allow', allow), problemOf(error, 405))
      },
    })
  }
}

function boundConnections(app: HttpApp, log: Logger): void {
  app.server.maxConnections = serverLimits.connections
  let toldAt = Number.NEGATIVE_INFINITY
  app.server.on('drop', () => {
    // One line a minute: whoever opens too many connections must not fill the log as well.
    if (performance.now() - toldAt < 60_000) return
    toldAt = performance.now()
    log.warn('connections are being refused', { limit: serverLimits.connections })
  })
}

async function stopHttp(app: HttpApp, deadlineMs: number, log: Logger): Promise<void> {
  const { server } = app
  // A kept-alive connection turns idle when its last answer has gone; nobody else would close it then.
  const reaper = setInterval(() => server.closeIdleConnections(), 20)
  const deadline = setTimeout(() => {
    log.warn('requests still under way are cut off', { after: `${deadlineMs} ms` })
    server.closeAllConnections()
  }, deadlineMs)
  try {
    await app.close()
  } finally {
    clearInterval(reaper)
    clearTimeout(deadline)
  }
}
