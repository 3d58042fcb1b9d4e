import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { formatAddress } from '../config/listen.ts'
import { Connections } from '../connections.ts'
import type { Door, DoorOptions } from '../door.ts'
import { systemReason } from '../failure.ts'
import { serverLimits } from '../limits.ts'
import type { Logger } from '../logger.ts'
import { Arguments } from './arguments.ts'
import { createCommands } from './commands.ts'
import { Connection, type Host } from './connection.ts'
import { Outbox } from './outbox.ts'

/** A client that vanished without a word is noticed after this long, and a few probes. */
const keepAliveMs = 60_000
const repeatedLineMs = 60_000

/** The server that Redis clients connect to. */
export async function startResp({ service, listen, log, meter, tls }: DoorOptions): Promise<Door> {
  const connections = new Set<Connection>()
  const host = {
    service,
    log,
    meter,
    connections,
    commands: createCommands(),
    args: new Arguments(),
    outbox: new Outbox(),
    memory: { bytes: 0 },
    clock: 0,
    sawHttp: everyMinute(() => log.warn('HTTP on the RESP port: the connection is closed')),
  } satisfies Host
  let accepted = 0
  let stopping = false
  const accept = (socket: Socket) => {
    const connection = new Connection(++accepted, socket, host)
    connections.add(connection)
    socket.on('close', () => connections.delete(connection))
    // Its handshake was under way when the stop began.
    if (stopping) connection.close()
  }
  const server = createListener(tls, accept)
  const sockets = new Connections(server, log, meter)
  server.listen({ ...listen, backlog: 511 })
  await once(server, 'listening')
  // A connection that could not be accepted (no descriptors left, say) is that client's loss alone.
  server.on('error', error => log.error(`a RESP connection could not be accepted: ${systemReason(error)}`))
  const ticker = setInterval(() => {
    host.clock++
    for (const connection of connections) connection.checkDebts()
  }, 1000).unref()
  const { port } = server.address() as AddressInfo
  return {
    url: `${tls === undefined ? 'redis' : 'rediss'}://${formatAddress({ ...listen, port })}`,
    stop: async deadlineMs => {
      stopping = true
      await stopServer(server, { connections, sockets, deadlineMs, log })
      clearInterval(ticker)
    },
  }
}

function createListener(tls: DoorOptions['tls'], accept: (socket: Socket) => void): Server {
  const options = {
    // A client may end its side and still read the replies that are due.
    allowHalfOpen: true,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: keepAliveMs,
  }
  if (tls === undefined) return createServer(options, accept)
  return createTlsServer({ ...options, ...tls, handshakeTimeout: serverLimits.headersTimeoutMs }, accept)
}

/** Whoever makes the same thing happen again and again must not fill the log with it. */
function everyMinute(tell: () => void): () => void {
  let toldAt = Number.NEGATIVE_INFINITY
  return () => {
    if (performance.now() - toldAt < repeatedLineMs) return
    toldAt = performance.now()
    tell()
  }
}

interface StopOptions {
  readonly connections: ReadonlySet<Connection>
  readonly sockets: Connections
  readonly deadlineMs: number
  readonly log: Logger
}

async function stopServer(
  server: Server,
  { connections, sockets, deadlineMs, log }: StopOptions,
): Promise<void> {
  const closed = once(server, 'close')
  server.close()
  for (const connection of connections) connection.close()
  const deadline = setTimeout(() => {
    log.warn('RESP commands still under way are cut off', { after: `${deadlineMs} ms` })
    sockets.cut()
  }, deadlineMs)
  await closed
  clearTimeout(deadline)
}
