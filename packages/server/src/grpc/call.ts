import { type Metadata, type ServerErrorResponse, status } from '@grpc/grpc-js'
import { KujiError } from '@kuji/engine/contract'
import { readBearer } from '../access/bearer.ts'
import type { Caller } from '../access/caller.ts'
import { toKujiError } from '../failure.ts'
import type { Logger } from '../logger.ts'
import type { DoorMeter } from '../metrics/meter.ts'
import type { Service } from '../service.ts'
import { serviceName } from './definitions.ts'
import type { Draws } from './draws.ts'
import { statusOf } from './status.ts'

/** What every call needs. */
export interface CallContext {
  readonly service: Service
  readonly log: Logger
  readonly meter: DoorMeter
  readonly draws: Draws
  /** Streams that would go on for good, so that a stop can end them. */
  readonly streams: Set<LongCall>
  /** Who makes the calls under way, by their metadata. */
  readonly callers: WeakMap<Metadata, Caller>
}

/** A call that only its caller ends. */
export interface LongCall {
  /** Ends it with `stopping`, after what is under way. */
  stop(): void
}

/** What ends the streams of a server that stops: not a code of kuji's, since nothing was refused. */
export const stopping: ServerErrorResponse = {
  name: 'Stopping',
  message: 'the server stops',
  code: status.UNAVAILABLE,
  details: 'the server stops; what was answered took place, and nothing else did',
}

/**
 * Lets a call begin before its request is there, where somebody makes it who may. On a stream of requests each of them
 * counts, and not the call. Throws `UNAUTHENTICATED`, `LIMIT_REACHED`.
 */
export function admit(
  context: CallContext,
  { path, requestStream }: { readonly path: string; readonly requestStream: boolean },
  metadata: Metadata,
): void {
  // Health and reflection are for everybody.
  if (!path.startsWith(`/${serviceName}/`)) return
  const caller = authenticate(context, metadata)
  if (!requestStream) context.service.admit(caller)
  context.callers.set(metadata, caller)
}

/** Who makes a call that was admitted. */
export function callerOf({ callers }: CallContext, metadata: Metadata): Caller {
  return callers.get(metadata)!
}

function authenticate({ service }: CallContext, metadata: Metadata): Caller {
  const [authorization, ...others] = metadata.get('authorization')
  if (authorization === undefined) return service.authenticate(undefined)
  if (typeof authorization !== 'string' || others.length > 0)
    throw new KujiError('UNAUTHENTICATED', 'Authorization: expected one text')
  return service.authenticate(readBearer(authorization))
}

/** Gives back a request, or throws what was wrong with its bytes. */
export function checkRequest<Request extends object>(request: Request | KujiError): Request {
  if (request instanceof KujiError) throw request
  return request
}

/** Whatever is thrown on the way of a call becomes a status here, and nowhere else. */
export function describeFailure(
  { log, meter }: CallContext,
  path: string,
  error: unknown,
): ServerErrorResponse {
  // A KujiError is told by whoever made it: a log that has failed says so once, not for each call.
  if (!(error instanceof KujiError)) log.defect(`${path} failed`, error)
  const refusal = toKujiError(error)
  meter.refused(refusal.code)
  return statusOf(refusal)
}
