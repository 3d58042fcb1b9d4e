import type { ListenAddress } from './config/listen.ts'
import type { Logger } from './logger.ts'
import type { DoorMeter } from './metrics/meter.ts'
import type { Service } from './service.ts'

/** What every protocol's server is started with. */
export interface DoorOptions {
  readonly service: Service
  readonly listen: ListenAddress
  readonly log: Logger
  readonly meter: DoorMeter
  /** Certificate chain and private key, PEM; without them the connection is in the clear. */
  readonly tls?: { readonly cert: Buffer; readonly key: Buffer } | undefined
}

/** A protocol's server while it runs. */
export interface Door {
  /** Where it listens, as a URL, with the real port where 0 was asked for. */
  readonly url: string
  /** Stops accepting, lets requests in flight finish, and cuts those that take longer than the deadline. */
  stop(deadlineMs: number): Promise<void>
}
