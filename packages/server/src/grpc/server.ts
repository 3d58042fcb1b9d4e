import { Server, ServerCredentials } from '@grpc/grpc-js'
import { formatAddress } from '../config/listen.ts'
import type { Door, DoorOptions } from '../door.ts'
import { serverLimits } from '../limits.ts'
import { CallBounds } from './bounds.ts'
import type { CallContext } from './call.ts'
import { kujiService } from './definitions.ts'
import { drawStream } from './draw-stream.ts'
import { Draws } from './draws.ts'
import { Health } from './health.ts'
import { Listener } from './listener.ts'
import { sendBatches } from './message-batch.ts'
import { addReflection } from './reflection.ts'
import { unaryMethods } from './unary.ts'
import { watch } from './watch.ts'

interface GrpcOptions extends DoorOptions {
  /** Whether the server describes its own calls to those who ask; it tells what kuji.proto does. Default true. */
  readonly reflection?: boolean
}

export async function startGrpc(options: GrpcOptions): Promise<Door> {
  const { service, listen, log, meter, tls, reflection = true } = options
  const context: CallContext = {
    service,
    log,
    meter,
    draws: new Draws(service),
    streams: new Set(),
    callers: new WeakMap(),
  }
  const health = new Health(context)
  const bounds = new CallBounds(context)
  const server = createServer(context, bounds, health, reflection)
  // Of TLS the listener takes care.
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure())
  const listener = new Listener({ log, meter, tls }, socket => injector.injectConnection(socket))
  try {
    const port = await listener.listen(listen)
    const url = `${tls === undefined ? 'grpc' : 'grpcs'}://${formatAddress({ ...listen, port })}`
    const stop = async (deadlineMs: number) => {
      await stopGrpc(server, listener, health, context, deadlineMs)
      bounds.stop()
    }
    return { url, stop }
  } catch (error) {
    health.stop()
    bounds.stop()
    server.forceShutdown()
    throw error
  }
}

function createServer(context: CallContext, bounds: CallBounds, health: Health, reflection: boolean): Server {
  const server = new Server({
    'grpc.max_receive_message_length': serverLimits.grpcMessageBytes,
    'grpc.max_concurrent_streams': serverLimits.grpcConnectionStreams,
    'grpc.keepalive_time_ms': serverLimits.grpcKeepaliveMs,
    'grpc.keepalive_timeout_ms': serverLimits.grpcKeepaliveTimeoutMs,
    // Its books of every connection and call are for nobody here.
    'grpc.enable_channelz': 0,
    // The first one is next to the connection: it sees each message of a batch.
    interceptors: [bounds.interceptor, sendBatches],
  })
  server.addService(kujiService, {
    ...unaryMethods(context),
    DrawStream: drawStream(context),
    Watch: watch(context),
  })
  health.addTo(server)
  if (reflection) addReflection(server, context)
  return server
}

async function stopGrpc(
  server: Server,
  listener: Listener,
  health: Health,
  { streams, log }: CallContext,
  deadlineMs: number,
): Promise<void> {
  health.stop()
  const closed = listener.close()
  // Every connection is told that it ends. Its callback says nothing: it comes before the last calls have ended.
  server.tryShutdown(() => {})
  for (const stream of [...streams]) stream.stop()
  const deadline = setTimeout(() => {
    log.warn('gRPC connections still open are cut off', {
      after: `${deadlineMs} ms`,
      connections: listener.cut(),
    })
  }, deadlineMs)
  await closed
  clearTimeout(deadline)
}
