import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { serverLimits } from '../limits.ts'

/** A request and its answer. */
interface Exchange {
  readonly request: IncomingMessage
  readonly answer: ServerResponse
  /** The one before it, while that has not left. */
  before: Exchange | null
  left: boolean
  /** It will not be begun. */
  dropped: boolean
}

/** One connection. */
interface Line {
  /** The newest exchange; null where it is over, request and answer. */
  last: Exchange | null
  /** Requests that wait for the answer before theirs. */
  waiting: number
  /** Nothing that arrives from now on is begun. */
  over: boolean
}

/** The order of the answers on each connection. */
export class Turns {
  readonly #lines = new WeakMap<Socket, Line>()

  /**
   * A request that arrives before the answer to the one before has left is begun when that has. Node would begin them
   * all, and read on: a client that pipelines and never reads would fill the memory with answers, or with requests,
   * until the process dies. So a connection on which too many wait is cut.
   */
  take(app: FastifyInstance): void {
    app.addHook('onRequest', (request, reply, done) => this.#arrive(request.raw, reply.raw, done))
  }

  #arrive(request: IncomingMessage, answer: ServerResponse, begin: () => void): void {
    const { socket } = request
    let line = this.#lines.get(socket)
    if (line === undefined) this.#lines.set(socket, (line = { last: null, waiting: 0, over: false }))
    const before = line.last === null || line.last.left ? null : line.last
    const exchange: Exchange = { request, answer, before, left: false, dropped: line.over }
    if (!line.over) line.last = exchange
    answer.once('close', () => leave(line, exchange))
    if (before === null) {
      if (!exchange.dropped) begin()
      return
    }
    if (++line.waiting > serverLimits.httpPipelined) {
      socket.destroy()
      return
    }
    before.answer.once('close', () => {
      line.waiting--
      exchange.before = null
      if (!socket.destroyed && !exchange.dropped) begin()
    })
  }

  /**
   * Ends a connection on which something came that is no request, or has not come to its end. `tell` may answer that
   * when its turn has come: an answer that is due to a request before it is not lost, and nothing is written into one
   * that has begun.
   */
  end(socket: Socket, tell: () => void): void {
    const line = this.#lines.get(socket)
    const last = line?.last ?? null
    if (line === undefined || last === null || (last.left && last.request.complete)) {
      tell()
      return
    }
    // The parser fails again with all that comes behind.
    if (line.over) return
    line.over = true
    if (last.request.complete) {
      last.answer.once('close', tell)
      return
    }
    // The newest request is the one in question.
    last.dropped = true
    const { before, answer } = last
    if (before !== null) before.answer.once('close', tell)
    else if (last.left) socket.destroy()
    else if (answer.headersSent) answer.once('close', () => socket.destroy())
    else tell()
  }
}

function leave(line: Line, exchange: Exchange): void {
  exchange.left = true
  // An idle connection keeps nothing. A request that has been answered before it has come whole stays for its rest.
  if (line.last === exchange && exchange.request.complete) line.last = null
}
