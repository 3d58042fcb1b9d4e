import { type Kuji, type OpenOptions, open } from '@kuji/engine'
import { type EngineEvent, KujiError, type PoolSummary } from '@kuji/engine/contract'
import { KeyAccess } from './access/key-access.ts'
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
import type { Protocol } from './metrics/meter.ts'
import { Metrics } from './metrics/metrics.ts'
import { RecoveringEngine } from './recovering-engine.ts'
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

/** The doors of a configuration behind that of HTTP, in the order in which they open. */
function planDoors({ resp, grpc }: Configuration): DoorPlan[] {
  const plans: DoorPlan[] = []
  if (resp !== undefined) plans.push({ protocol: 'resp', listen: resp, start: startResp })
  if (grpc !== undefined) {
    const { reflection } = grpc
    plans.push({ protocol: 'grpc', listen: grpc, start: options => startGrpc({ ...options, reflection }) })
  }
  return plans
}

/**
 * Listens, opens the directory, creates the missing pools. HTTP is there from the beginning, so that a taken port is
 * found before a long recovery, and whoever watches sees the recovery and not a process that does not answer; until it
 * is over, requests are refused as `OVERLOADED`. Where it throws, nothing is left open.
 */
export async function startServer(configuration: Configuration, log: Logger): Promise<Server> {
  const { http, tls, apiKeys, durability, pools } = configuration
  const access = apiKeys.length === 0 ? openAccess : new KeyAccess(apiKeys, () => performance.now())
  const service = new Service(new RecoveringEngine(durability), access, log)
  const metrics = new Metrics(() => service.health())
  const doors = new Map<Protocol, Door>()
  let kuji: Kuji | undefined
  const openDoor = async ({ protocol, listen, start }: DoorPlan) => {
    const meter = metrics.meterOf(protocol)
    const door = await startDoor({ protocol, listen, start }, { service, listen, log, meter, tls })
    doors.set(protocol, door)
    log.info('listening', { door: protocol, url: door.url })
  }
  try {
    const start = (options: DoorOptions) => startHttp({ ...options, metrics })
    await openDoor({ protocol: 'http', listen: http, start })
    kuji = await open(openOptions(configuration, metrics, log))
    await createMissingPools(kuji, pools, log)
    service.serve(kuji)
    for (const plan of planDoors(configuration)) await openDoor(plan)
  } catch (error) {
    await stopDoors(doors, 0)
    await kuji?.close().catch(() => {})
    throw error
  }
  return createServer({ kuji, service, doors })
}

interface ServerParts {
  readonly kuji: Kuji
  readonly service: Service
  readonly doors: ReadonlyMap<Protocol, Door>
}

function createServer({ kuji, service, doors }: ServerParts): Server {
  return {
    urls: new Map([...doors].map(([protocol, { url }]) => [protocol, url])),
    failed: kuji.failed,
    pools: limit => kuji.pools({ limit }),
    stop: async () => {
      service.drain()
      await stopDoors(doors, serverLimits.drainMs)
      await kuji.close()
    },
    abandon: () => stopDoors(doors, serverLimits.failedDrainMs),
  }
}

async function stopDoors(doors: ReadonlyMap<Protocol, Door>, deadlineMs: number): Promise<void> {
  await Promise.all([...doors.values()].map(door => door.stop(deadlineMs)))
}

function openOptions(configuration: Configuration, metrics: Metrics, log: Logger): OpenOptions {
  const { dir, durability, segmentBytes, retention, idempotency } = configuration
  return {
    ...(durability === 'none' ? {} : { dir }),
    durability,
    ...(segmentBytes === undefined ? {} : { segmentBytes }),
    ...(retention === undefined ? {} : { retention }),
    keys: idempotency,
    onBatch: batch => metrics.countBatch(batch),
    onEvent: (event: EngineEvent) => {
      const { type, level, message } = event
      metrics.countEvent(event)
      log[level](`${type.replaceAll('-', ' ')}: ${message}`)
    },
  }
}

async function startDoor({ protocol, start }: DoorPlan, options: DoorOptions): Promise<Door> {
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
