import type { Server, Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { serverLimits } from './limits.ts'
import type { Logger } from './logger.ts'
import type { DoorMeter, Protocol } from './metrics/meter.ts'

const words: Record<Protocol, string> = { http: 'HTTP', resp: 'RESP', grpc: 'gRPC' }

/** How often the log may say that connections are refused: whoever opens too many must not fill it as well. */
const noticeMs = 60_000

/**
 * The connections of a door, from the moment the kernel hands them over. With TLS there are some that its protocol has
 * never heard of, since their handshake has not ended: they count and are bounded like all others, end when the
 * handshake fails or takes too long (Node only tells of it), and are cut with the rest when a stop has waited enough.
 */
export class Connections {
  readonly #sockets = new Set<Socket>()

  constructor(server: Server, log: Logger, meter: DoorMeter) {
    server.maxConnections = serverLimits.connections
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket)
      meter.connections = this.#sockets.size
      socket.once('close', () => {
        this.#sockets.delete(socket)
        meter.connections = this.#sockets.size
      })
    })
    // Before any other listener: nothing can be told to the other end of a handshake that has failed.
    server.prependListener('tlsClientError', (_error: Error, socket: TLSSocket) => socket.destroy())
    let toldAt = Number.NEGATIVE_INFINITY
    server.on('drop', () => {
      if (performance.now() - toldAt < noticeMs) return
      toldAt = performance.now()
      log.warn(`${words[meter.protocol]} connections are being refused`, { limit: serverLimits.connections })
    })
  }

  /** Cuts all that there still are. Returns how many. */
  cut(): number {
    const { size } = this.#sockets
    for (const socket of this.#sockets) socket.destroy()
    return size
  }
}
