import type { AddressInfo } from 'node:net'
import { formatAddress } from '../config/listen.ts'
import { Connections } from '../connections.ts'
import type { Door } from '../door.ts'
import type { Logger } from '../logger.ts'
import { createApp, type HttpApp, type HttpOptions } from './app.ts'

export async function startHttp(options: HttpOptions): Promise<Door> {
  const { listen, log, meter, tls } = options
  const app = await createApp(options)
  const connections = new Connections(app.server, log, meter)
  await app.listen({ ...listen, backlog: 511 })
  const { port } = app.server.address() as AddressInfo
  const scheme = tls === undefined ? 'http' : 'https'
  return {
    url: `${scheme}://${formatAddress({ ...listen, port })}`,
    stop: deadlineMs => stopHttp(app, connections, deadlineMs, log),
  }
}

async function stopHttp(
  app: HttpApp,
  connections: Connections,
  deadlineMs: number,
  log: Logger,
): Promise<void> {
  const { server } = app
  // A kept-alive connection turns idle when its last answer has gone; nobody else would close it then.
  const reaper = setInterval(() => server.closeIdleConnections(), 20)
  const deadline = setTimeout(() => {
    log.warn('requests still under way are cut off', { after: `${deadlineMs} ms` })
    connections.cut()
  }, deadlineMs)
  try {
    await app.close()
  } finally {
    clearInterval(reaper)
    clearTimeout(deadline)
  }
}
