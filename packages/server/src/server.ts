import { type OpenOptions, open } from '@kuji/engine'
import { type EngineEvent, KujiError, type PoolSummary } from '@kuji/engine/contract'
import { openAccess } from './access/open-access.ts'
import { formatAddress, type ListenAddress } from './config/listen.ts'
import type { Configuration } from './config/load.ts'
import type { Door, DoorOptions } from './door.ts'
import { systemReason } from './failure.ts'
import { startGrpc } from './grpc/server.ts'
import { startHttp } from './http/server.ts'
import { serverLimits } from './limits.ts'
import { createMissingPools } from './live-pools.ts'
import type { Logger } from './logger.ts'
import { DoorMeter, type Protocol } from './metrics/meter.ts'
import { startResp } from './resp/server.ts'
import { Service } from './service.ts'

/** A server that answers. */
export interface Server {
  /** Where each door listens, in the order in which they opened. */
  readonly urls: ReadonlyMap<Protocol, string>
  /** Resolves when the log has failed for good: nothing more will be answered, and the process has to end. */
  readonly failed: Promise<KujiError>
  pools(limit: number): Promise<PoolSummary[]>
  /** Finishes what is in flight, seals the log and releases the directory. */
  stop(): Promise<void>
  /** After a failure: gives out the answers there still are, and leaves the log alone. */
  abandon(): Promise<void>
}

interface DoorPlan {
  readonly protocol: Protocol
  readonly listen: ListenAddress
  readonly start: (options: DoorOptions) => Promise<Door>
}

/** The doors of a configuration, in the order in which they open. */
function planDoors({ http, resp, grpc }: Configuration): DoorPlan[] {
  const plans: DoorPlan[] = [{ protocol: 'http', listen: http, start: startHttp }]
  if (resp !== undefined) plans.push({ protocol: 'resp', listen: resp, start: startResp })
  if (grpc !== undefined) {
    const { reflection } = grpc
    plans.push({ protocol: 'grpc', listen: grpc, start: options => startGrpc({ ...options, reflection }) })
  }
  return plans
}

/** Opens the directory, creates the missing pools, listens. Where it throws, nothing is left open. */
export async function startServer(configuration: Configuration, log: Logger): Promise<Server> {
  const kuji = await open(openOptions(configuration, log))
  const service = new Service(kuji, openAccess, log)
  const doors = new Map<Protocol, Door>()
  try {
    await createMissingPools(kuji, configuration.pools, log)
    for (const plan of planDoors(configuration)) {
      const { protocol, listen } = plan
      const meter = new DoorMeter(protocol)
      doors.set(protocol, await openDoor(plan, { service, listen, log, meter }))
    }
  } catch (error) {
    await stopDoors(doors, 0)
    await kuji.close().catch(() => {})
    throw error
  }
  return {
    urls: new Map([...doors].map(([protocol, { url }]) => [protocol, url])),
    failed: kuji.failed,
    pools: limit => kuji.pools({ limit }),
    stop: async () => {
      await stopDoors(doors, serverLimits.drainMs)
      await kuji.close()
    },
    abandon: () => stopDoors(doors, serverLimits.failedDrainMs),
  }
}

async function stopDoors(doors: ReadonlyMap<Protocol, Door>, deadlineMs: number): Promise<void> {
  await Promise.all([...doors.values()].map(door => door.stop(deadlineMs)))
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

async function openDoor({ protocol, start }: DoorPlan, options: DoorOptions): Promise<Door> {
  try {
    return await start(options)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === undefined || !/^E[A-Z]+$/.test(code)) throw error
    const address = formatAddress(options.listen)
    throw new KujiError(
      'INVALID',
      `cannot listen on ${address} (${protocol}.listen): ${systemReason(error)}`,
      {},
      { cause: error },
    )
  }
}
