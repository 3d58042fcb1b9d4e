import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { serverLimits } from '../limits.ts'

/** The newest answer of a connection, and how many requests wait for one before theirs. */
interface Turns {
  last: ServerResponse | null
  waiting: number
}

/**
 * A request that arrives before the answer to the one before has left is begun when that has. Node would begin them
 * all, and read on: a client that pipelines and never reads would fill the memory with answers, or with requests,
 * until the process dies. So a connection on which too many wait is cut.
 */
export function takeTurns(app: FastifyInstance): void {
  const connections = new WeakMap<Socket, Turns>()
  app.addHook('onRequest', (request, reply, done) => {
    const { socket } = request.raw
    let turns = connections.get(socket)
    if (turns === undefined) connections.set(socket, (turns = { last: null, waiting: 0 }))
    const before = turns.last
    turns.last = reply.raw
    reply.raw.once('close', () => {
      // An idle connection keeps no answer.
      if (turns.last === reply.raw) turns.last = null
    })
    if (before === null) {
      done()
      return
    }
    if (++turns.waiting > serverLimits.httpPipelined) {
      socket.destroy()
      return
    }
    before.once('close', () => {
      turns.waiting--
      if (!socket.destroyed) done()
    })
  })
}
