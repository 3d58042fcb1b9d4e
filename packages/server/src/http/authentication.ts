import type { FastifyRequest } from 'fastify'
import { readBearer } from '../access/bearer.ts'
import type { Caller } from '../access/caller.ts'
import type { Service } from '../service.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Whoever makes the request; set before any route behind `authenticate` runs. */
    caller: Caller
  }
}

/** Finds out who calls. Throws `UNAUTHENTICATED`. */
export function authenticate(service: Service, request: FastifyRequest): void {
  const { authorization } = request.headers
  request.caller = service.authenticate(authorization === undefined ? undefined : readBearer(authorization))
}
