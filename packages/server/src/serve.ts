import { setTimeout } from 'node:timers/promises'
import { styleText } from 'node:util'
import { KujiError } from '@kuji/engine/contract'
import { formatPools } from './commands/pool-tables.ts'
import { type Configuration, loadConfiguration } from './config/load.ts'
import { findWarnings } from './config/warnings.ts'
import { serverLimits } from './limits.ts'
import { createLogger, type Logger } from './logger.ts'
import { type Server, startServer } from './server.ts'
import { version } from './version.ts'

/** Pools that the greeting lists. */
const greetedPools = 20

/** Runs a server until a signal or a failed log, then ends the process. Throws where it cannot start. */
export async function serve(file: string | undefined): Promise<void> {
  const configuration = await loadConfiguration(file)
  const colors = process.stderr.isTTY && process.stderr.hasColors()
  const log = createLogger(text => process.stderr.write(text), { ...configuration.log, colors })
  const stopRequested = watchSignals(log)
  for (const warning of findWarnings(configuration, new Date())) log.warn(warning)
  const server = await startUnlessStopped(() => startServer(configuration, log), stopRequested, log)
  process.stdout.write(await greeting(server, configuration))
  const stopped = stopRequested.then(() => server.stop())
  // Whichever comes first; the log may also fail while the server stops.
  const failure = await Promise.race([stopped, server.failed]).catch(asFailure)
  if (failure) {
    log.error(`the log has failed, and the server stops: ${failure.code}: ${failure.message}`)
    await server.abandon()
    process.exit(1)
  }
  log.info('stopped')
  process.exit(0)
}

/**
 * Starts a server. A signal meanwhile ends the process when the start has not ended in the time of a stop: a recovery
 * may take long, can be begun again at any time, and nobody was answered with anything but refusals.
 */
async function startUnlessStopped(
  start: () => Promise<Server>,
  stopRequested: Promise<unknown>,
  log: Logger,
): Promise<Server> {
  let started = false
  void stopRequested.then(async () => {
    if (!started) await setTimeout(serverLimits.drainMs)
    // Either it was there before the signal, or it is by now: then it stops in order.
    if (started) return
    log.info('stopped before the log was open; the next start recovers it')
    process.exit(0)
  })
  const server = await start()
  started = true
  return server
}

function asFailure(error: unknown): KujiError {
  if (error instanceof KujiError) return error
  throw error
}

/** Resolves at the first signal; the second one ends the process at once. */
function watchSignals(log: Logger): Promise<NodeJS.Signals> {
  return new Promise(resolve => {
    let askedAt: number | undefined
    const onSignal = (signal: NodeJS.Signals) => {
      if (askedAt === undefined) {
        askedAt = performance.now()
        log.info('stopping: requests in flight are finished first', { signal })
        resolve(signal)
      } else if (signal !== 'SIGINT' || performance.now() - askedAt > serverLimits.sameInterruptMs) {
        log.error('stopped by a second signal; the log is recovered at the next start', { signal })
        process.exit(1)
      }
    }
    process.on('SIGTERM', onSignal)
    process.on('SIGINT', onSignal)
  })
}

async function greeting(server: Server, { dir, durability }: Configuration): Promise<string> {
  const { urls } = server
  const url = urls.get('http')
  const found = await server.pools(greetedPools + 1)
  const pools = found.slice(0, greetedPools)
  const where =
    durability === 'none' ? 'in memory only: nothing is kept' : `data in ${dir}, durability ${durability}`
  const table = pools.length === 0 ? 'No pools yet.\n' : formatPools(pools)
  const more = found.length > greetedPools ? '… `kuji pools` lists them all\n' : ''
  const pool = pools.find(({ status }) => status === 'open')?.id
  const curl =
    pool === undefined
      ? `curl ${url}/v1/pools`
      : `curl -X POST ${url}/v1/pools/${encodeURIComponent(pool)}/draws`
  const title = styleText('bold', `kuji ${version} listens on ${url}`, { stream: process.stdout })
  const others = [...urls].slice(1).map(([, other]) => `and on ${other}\n`)
  return `${title}\n${others.join('')}${where}\n\n${table}${more}\nTry:\n  ${curl}\n`
}
