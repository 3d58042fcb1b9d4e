import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { KujiError } from '@kuji/engine/contract'
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { toKujiError } from '../failure.ts'
import { serverLimits } from '../limits.ts'
import type { Logger } from '../logger.ts'
import type { DoorMeter } from '../metrics/meter.ts'
import type { Turns } from './pipelining.ts'
import { type Problem, problemOf, sendProblem } from './problem.ts'

/** Whatever is thrown on the way of a request becomes a problem document here, and nowhere else. */
export function createErrorHandler(log: Logger, meter: DoorMeter) {
  return (error: unknown, request: FastifyRequest, reply: FastifyReply): void => {
    const problem = describeError(error as FastifyError)
    // A KujiError is told by whoever made it: a log that has failed says so once, not for each request.
    if (problem.code === 'INTERNAL' && !(error instanceof KujiError))
      log.defect(`${request.method} ${request.url} failed`, error)
    sendProblem(reply, problem, meter)
  }
}

/** What a body is refused with that is JSON, but in another encoding or charset. */
export const unservedBody = Object.assign(new Error('expected a body in UTF-8, without a content-encoding'), {
  statusCode: 415,
})

function describeError(error: FastifyError | KujiError): Problem {
  if (error instanceof KujiError) return problemOf(error)
  switch (error.code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return problemOf(new KujiError('TOO_LARGE', `the body is over ${serverLimits.bodyBytes} bytes`))
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return problemOf(new KujiError('INVALID', 'expected a body with content-type application/json'), 415)
  }
  const status = error.statusCode ?? 500
  if (status < 400 || status >= 500) return problemOf(toKujiError(error))
  return problemOf(new KujiError('INVALID', error.message), status)
}

/** Answers bytes that never became a request (no HTTP, headers too large, or too slow), when their turn has come. */
export function createClientErrorHandler(turns: Turns, meter: DoorMeter) {
  return (error: NodeJS.ErrnoException, socket: Socket): void => {
    if (error.code === 'ECONNRESET' || !socket.writable) socket.destroy()
    else turns.end(socket, () => answerClientError(error.code, socket, meter))
  }
}

function answerClientError(code: string | undefined, socket: Socket, meter: DoorMeter): void {
  // The answer before this one may have ended the connection.
  if (!socket.writable) {
    socket.destroy()
    return
  }
  const [status, detail] = describeClientError(code)
  const problem = problemOf(new KujiError('INVALID', detail), status)
  meter.refused(problem.code)
  const body = JSON.stringify(problem)
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\ncontent-type: application/problem+json\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  )
}

function describeClientError(code: string | undefined): [number, string] {
  switch (code) {
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return [408, 'the request took too long to arrive']
    case 'HPE_HEADER_OVERFLOW':
      return [431, 'the headers are too large']
    default:
      return [400, 'this is not HTTP']
  }
}
