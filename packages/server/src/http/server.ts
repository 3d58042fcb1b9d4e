import type { AddressInfo } from 'node:net'
import { formatAddress } from '../config/listen.ts'
import type { Door } from '../door.ts'
import { serverLimits } from '../limits.ts'
import type { Logger } from '../logger.ts'
import { createApp, type HttpApp, type HttpOptions } from './app.ts'

export async function startHttp(options: HttpOptions): Promise<Door> {
  const { listen, log, meter, tls } = options
  const app = await createApp(options)
  boundConnections(app, log)
  app.server.on('connection', socket => {
    meter.connections++
    socket.once('close', () => meter.connections--)
  })
  await app.listen({ ...listen, backlog: 511 })
  const { port } = app.server.address() as AddressInfo
  const scheme = tls === undefined ? 'http' : 'https'
  return {
    url: `${scheme}://${formatAddress({ ...listen, port })}`,
    stop: deadlineMs => stopHttp(app, deadlineMs, log),
  }
}

function boundConnections(app: HttpApp, log: Logger): void {
  app.server.maxConnections = serverLimits.connections
  let toldAt = Number.NEGATIVE_INFINITY
  app.server.on('drop', () => {
    // One line a minute: whoever opens too many connections must not fill the log as well.
    if (performance.now() - toldAt < 60_000) return
    toldAt = performance.now()
    log.warn('connections are being refused', { limit: serverLimits.connections })
  })
}

async function stopHttp(app: HttpApp, deadlineMs: number, log: Logger): Promise<void> {
  const { server } = app
  // A kept-alive connection turns idle when its last answer has gone; nobody else would close it then.
  const reaper = setInterval(() => server.closeIdleConnections(), 20)
  const deadline = setTimeout(() => {
    log.warn('requests still under way are cut off', { after: `${deadlineMs} ms` })
    server.closeAllConnections()
  }, deadlineMs)
  try {
    await app.close()
  } finally {
    clearInterval(reaper)
    clearTimeout(deadline)
  }
}
