import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import type { ListenAddress } from '../config/listen.ts'
import { serverLimits } from '../limits.ts'
import type { Logger } from '../logger.ts'
import type { DoorMeter } from '../metrics/meter.ts'

/** How often the log may say that connections are refused. */
const dropNoticeMs = 60_000

/**
 * Takes the connections of a gRPC server. grpc-js can listen by itself, but then it does not bound their number, and
 * tells a port that is taken as text.
 */
export class Listener {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  constructor(log: Logger, meter: DoorMeter, take: (socket: Socket) => void) {
    this.#server = createServer({ noDelay: true }, socket => {
      this.#sockets.add(socket)
      meter.connections = this.#sockets.size
      socket.once('close', () => {
        this.#sockets.delete(socket)
        meter.connections = this.#sockets.size
      })
      take(socket)
    })
    this.#server.maxConnections = serverLimits.connections
    let toldAt = Number.NEGATIVE_INFINITY
    this.#server.on('drop', () => {
      // Whoever opens too many connections must not fill the log as well.
      if (performance.now() - toldAt < dropNoticeMs) return
      toldAt = performance.now()
      log.warn('gRPC connections are being refused', { limit: serverLimits.connections })
    })
  }

  /** Listens, and returns the real port. */
  async listen({ host, port }: ListenAddress): Promise<number> {
    this.#server.listen({ host, port, backlog: 511 })
    await once(this.#server, 'listening')
    return (this.#server.address() as AddressInfo).port
  }

  /** Takes no further connection. Resolves when the last one has ended, those that never said a word at once. */
  async close(): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    for (const socket of this.#sockets) if (socket.bytesWritten === 0) socket.destroy()
    await closed
  }

  /** Cuts the connections that there still are. Returns how many. */
  cut(): number {
    const { size } = this.#sockets
    for (const socket of this.#sockets) socket.destroy()
    return size
  }
}
