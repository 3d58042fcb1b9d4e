import { type OpenOptions, open } from '@kuji/engine'
import { type EngineEvent, KujiError, type PoolSummary } from '@kuji/engine/contract'
import { openAccess } from './access/open-access.ts'
import type { Configuration } from './config/load.ts'
import type { Door } from './door.ts'
import { systemReason } from './failure.ts'
import { startHttp } from './http/server.ts'
import { serverLimits } from './limits.ts'
import { createMissingPools } from './live-pools.ts'
import type { Logger } from './logger.ts'
import { Service } from './service.ts'

/** A server that answers. */
export interface Server {
  readonly url: string
  /** Resolves when the log has failed for good: nothing more will be answered, and the process has to end. */
  readonly failed: Promise<KujiError>
  pools(limit: number): Promise<PoolSummary[]>
  /** Finishes what is in flight, seals the log and releases the directory. */
  stop(): Promise<void>
  /** After a failure: gives out the answers there still are, and leaves the log alone. */
  abandon(): Promise<void>
}

/** Opens the directory, creates the missing pools, listens. Where it throws, nothing is left open. */
export async function startServer(configuration: Configuration, log: Logger): Promise<Server> {
  const kuji = await open(openOptions(configuration, log))
  let http: Door
  const service = new Service(kuji, openAccess, log)
  try {
    await createMissingPools(kuji, configuration.pools, log)
    http = await listen(service, configuration, log)
  } catch (error) {
    await kuji.close().catch(() => {})
    throw error
  }
  return {
    url: http.url,
    failed: kuji.failed,
    pools: limit => kuji.pools({ limit }),
    stop: async () => {
      await http.stop(serverLimits.drainMs)
      await kuji.close()
    },
    abandon: () => http.stop(serverLimits.failedDrainMs),
  }
}

function openOptions(configuration: Configuration, log: Logger): OpenOptions {
  const { dir, durability, segmentBytes, retention } = configuration
  return {
    ...(durability === 'none' ? {} : { dir }),
    durability,
    ...(segmentBytes === undefined ? {} : { segmentBytes }),
    ...(retention === undefined ? {} : { retention }),
    onEvent: ({ type, level, message }: EngineEvent) =>
      log[level](`${type.replaceAll('-', ' ')}: ${message}`),
  }
}

async function listen(service: Service, { http }: Configuration, log: Logger): Promise<Door> {
  try {
    return await startHttp({ service, listen: http, log })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === undefined || !/^E[A-Z]+$/.test(code)) throw error
    throw new KujiError(
      'INVALID',
      `cannot listen on ${http.host}:${http.port}: ${systemReason(error)}`,
      {},
      { cause: error },
    )
  }
}
