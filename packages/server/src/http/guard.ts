import { KujiError } from '@kuji/engine/contract'
import type { FastifyRequest } from 'fastify'

const loopbackHost = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?$/i

/** Looks at a request before anything else does, and returns why it is refused. */
export type Guard = (request: FastifyRequest) => KujiError | undefined

/**
 * Without keys a server on loopback is still within reach of every web page open on the machine: through a name that is
 * made to resolve to 127.0.0.1 (the Host is then not a loopback one), and through a form or fetch that needs no
 * permission to send (a browser adds the Origin). With keys the key decides: no browser sends one by itself.
 */
export function createGuard(keysRequired: boolean, scheme: string): Guard {
  if (keysRequired) return refuseNoHost
  return ({ headers: { host, origin } }) => {
    if (host === undefined || !loopbackHost.test(host)) {
      const message = 'expected a loopback name; this server has no keys and answers no other'
      return refuse('Host', message)
    }
    if (origin === undefined || origin.toLowerCase() === `${scheme}://${host.toLowerCase()}`) return undefined
    return refuse('Origin', 'requests of web pages from elsewhere are refused')
  }
}

/** HTTP/1.1 wants a Host of every request (RFC 9112, 3.2). */
const refuseNoHost: Guard = ({ headers, raw }) =>
  headers.host === undefined && raw.httpVersionMinor > 0 ? refuse('Host', 'missing') : undefined

/** Headers that change what a request means. */
const meaningful = ['Idempotency-Key', 'If-Match', 'If-None-Match'].map(
  name => [name, name.toLowerCase()] as const,
)

/**
 * Refuses a meaningful header that a route does not take: to ignore it would let the caller believe that a repeated
 * request changes things once, or only where nobody else has changed them. Which ones a route takes, its schema says.
 */
export function refuseUnheeded(request: FastifyRequest): void {
  if (request.method === 'GET' || request.method === 'HEAD') return
  const { headers } = request
  for (const [name, key] of meaningful) {
    if (headers[key] === undefined) continue
    const taken = request.routeOptions.schema?.headers as { properties: object } | undefined
    if (taken === undefined || !Object.hasOwn(taken.properties, key))
      throw refuse(name, 'not for this request; leave the header out')
  }
}

function refuse(field: string, message: string): KujiError {
  return new KujiError('INVALID', `${field}: ${message}`, { field })
}
