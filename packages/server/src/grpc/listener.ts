import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import type { ListenAddress } from '../config/listen.ts'
import { Connections } from '../connections.ts'
import type { DoorOptions } from '../door.ts'
import { serverLimits } from '../limits.ts'

/**
 * Takes the connections of a gRPC server, those of TLS when their handshake has ended. grpc-js can do all that by
 * itself, but then it does not bound their number, gives a handshake two minutes, and tells a port that is taken as
 * text.
 */
export class Listener {
  readonly #server: Server
  readonly #connections: Connections
  /** Those that were handed on. */
  readonly #taken = new Set<Socket>()
  #closing = false

  constructor(
    { log, meter, tls }: Pick<DoorOptions, 'log' | 'meter' | 'tls'>,
    take: (socket: Socket) => void,
  ) {
    const accept = (socket: Socket) => {
      if (this.#closing) {
        // Its handshake was under way when the stop began.
        socket.destroy()
        return
      }
      this.#taken.add(socket)
      socket.once('close', () => this.#taken.delete(socket))
      take(socket)
    }
    this.#server = createListener(tls, accept)
    this.#connections = new Connections(this.#server, log, meter)
  }

  /** Listens, and returns the real port. */
  async listen({ host, port }: ListenAddress): Promise<number> {
    this.#server.listen({ host, port, backlog: 511 })
    await once(this.#server, 'listening')
    return (this.#server.address() as AddressInfo).port
  }

  /** Takes no further connection. Resolves when the last one has ended, those that never said a word at once. */
  async close(): Promise<void> {
    this.#closing = true
    const closed = once(this.#server, 'close')
    this.#server.close()
    for (const socket of this.#taken) if (socket.bytesWritten === 0) socket.destroy()
    await closed
  }

  /** Cuts the connections that there still are. Returns how many. */
  cut(): number {
    return this.#connections.cut()
  }
}

function createListener(tls: DoorOptions['tls'], accept: (socket: Socket) => void): Server {
  if (tls === undefined) return createServer({ noDelay: true }, accept)
  const handshake = { ALPNProtocols: ['h2'], handshakeTimeout: serverLimits.headersTimeoutMs }
  return createTlsServer({ noDelay: true, ...tls, ...handshake }, accept)
}
