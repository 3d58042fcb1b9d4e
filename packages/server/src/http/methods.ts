import { KujiError } from '@kuji/engine/contract'
import type { FastifyInstance, HTTPMethods } from 'fastify'
import type { DoorMeter } from '../metrics/meter.ts'
import { problemOf, sendProblem } from './problem.ts'

const known = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']

/**
 * A path that is there, with a method that it does not have, answers 405 and Allow, not 404. Returns the plug-in that
 * does so for all routes registered before it.
 */
export function refuseOtherMethods(
  app: FastifyInstance,
  meter: DoorMeter,
): (app: FastifyInstance) => Promise<void> {
  const methodsOf = new Map<string, Set<string>>()
  app.addHook('onRoute', ({ url, method }) => {
    const methods = methodsOf.get(url) ?? new Set()
    for (const name of [method].flat()) methods.add(name)
    methodsOf.set(url, methods)
  })
  return async inner => {
    for (const [url, methods] of [...methodsOf]) {
      const allow = [...methods].sort().join(', ')
      inner.route({
        url,
        method: known.filter(name => !methods.has(name)) as HTTPMethods[],
        schema: { hide: true },
        handler: (request, reply) => {
          const error = new KujiError('INVALID', `${request.method} is not for this path, only ${allow}`)
          sendProblem(reply.header('allow', allow), problemOf(error, 405), meter)
        },
      })
    }
  }
}
