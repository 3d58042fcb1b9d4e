import { KujiError } from '@kuji/engine/contract'
import type { FastifyRequest } from 'fastify'

const loopbackHost = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?$/i

/**
 * Refuses what must not get as far as a route. A server on loopback without keys is still within reach of
 * every web page open on the machine: through a name that is made to resolve to 127.0.0.1 (the Host is then
 * not a loopback one), and through a form or fetch that needs no permission to send (a browser adds the
 * Origin). Returns the refusal.
 */
export function guardRequest(request: FastifyRequest): KujiError | undefined {
  const { host, origin } = request.headers
  if (host === undefined || !loopbackHost.test(host)) {
    return new KujiError(
      'INVALID',
      'Host: expected a loopback name; this server has no keys and answers no other',
      {
        field: 'Host',
      },
    )
  }
  if (origin !== undefined && origin.toLowerCase() !== `http://${host.toLowerCase()}`) {
    return new KujiError('INVALID', 'Origin: requests of web pages from elsewhere are refused', {
      field: 'Origin',
    })
  }
  // To ignore it would let the caller believe that a repeated request draws once.
  if (request.headers['idempotency-key'] !== undefined) {
    const message =
      'Idempotency-Key: not in this version; keys arrive with a later release. Leave the header out'
    return new KujiError('INVALID', message, { field: 'Idempotency-Key' })
  }
  return undefined
}
