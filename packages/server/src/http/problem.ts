import { type Code, codes, type KujiError } from '@kuji/engine/contract'
import type { FastifyReply } from 'fastify'
import type { DoorMeter } from '../metrics/meter.ts'
import { retryAfterSeconds } from '../retry-after.ts'

/** An RFC 9457 problem document. Fields that help stand beside the named ones. */
export interface Problem {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly code: Code
  readonly detail: string
  readonly [field: string]: string | number | boolean
}

/**
 * The problem for an error. The table of codes gives the status; a fault that HTTP has a status of its own
 * for (no such route, wrong method, wrong content type) keeps that one.
 */
export function problemOf(error: KujiError, status: number = codes[error.code].status): Problem {
  return {
    ...error.fields,
    type: `urn:kuji:error:${error.code}`,
    title: codes[error.code].meaning,
    status,
    code: error.code,
    detail: error.message,
  }
}

export function sendProblem(reply: FastifyReply, problem: Problem, meter: DoorMeter): void {
  meter.refused(problem.code)
  const retryAfter = retryAfterSeconds(problem.code, problem)
  if (retryAfter !== undefined) reply.header('retry-after', retryAfter)
  if (problem.code === 'UNAUTHENTICATED') reply.header('www-authenticate', 'Bearer')
  reply.code(problem.status).type('application/problem+json').send(JSON.stringify(problem))
}
