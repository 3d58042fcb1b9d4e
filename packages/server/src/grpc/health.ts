import type { Server, ServerUnaryCall, ServerWritableStream, sendUnaryData } from '@grpc/grpc-js'
import { HealthImplementation, service as healthService } from 'grpc-health-check'
import { serverLimits } from '../limits.ts'
import { type CallContext, stopping } from './call.ts'
import { serviceName } from './definitions.ts'

interface HealthRequest {
  readonly service?: string
}

type Check = (call: ServerUnaryCall<HealthRequest, object>, callback: sendUnaryData<object>) => void
type Watch = (call: ServerWritableStream<HealthRequest, object>) => void

/** The server as a whole, and its one service. */
const names = ['', serviceName]

/**
 * grpc.health.v1: serving while draws can be made. A full disk, a failed log and a stop are told at once to those who
 * check, and within a second to those who watch.
 */
export class Health {
  readonly #context: CallContext
  readonly #implementation = new HealthImplementation()
  readonly #timer: NodeJS.Timeout
  #serving: boolean | undefined
  #stopping = false

  constructor(context: CallContext) {
    this.#context = context
    this.#refresh()
    this.#timer = setInterval(() => this.#refresh(), serverLimits.grpcHealthCheckMs).unref()
  }

  addTo(server: Server): void {
    this.#implementation.addToServer({
      addService: (_definition, { check, watch, list }) => {
        const fresh = (answer: Check): Check => {
          return (call, callback) => {
            this.#refresh()
            answer(call, callback)
          }
        }
        server.addService(healthService, {
          check: fresh(check as Check),
          list: fresh(list as Check),
          watch: (call: Parameters<Watch>[0]) => this.#watch(call, watch as Watch),
        })
      },
    })
  }

  /** Not serving from now on. */
  stop(): void {
    this.#stopping = true
    this.#refresh()
    clearInterval(this.#timer)
  }

  /** The implementation remembers every name that is asked for, for good; so it sees only those that there are. */
  #watch(call: Parameters<Watch>[0], watch: Watch): void {
    const { streams } = this.#context
    const stream = { stop: () => call.emit('error', stopping) }
    streams.add(stream)
    call.once('close', () => streams.delete(stream))
    this.#refresh()
    if (names.includes(call.request.service ?? '')) watch(call)
    else call.write({ status: 'SERVICE_UNKNOWN' })
  }

  #refresh(): void {
    const serving = !this.#stopping && this.#context.service.health().state === 'open'
    if (serving === this.#serving) return
    this.#serving = serving
    for (const name of names) this.#implementation.setStatus(name, serving ? 'SERVING' : 'NOT_SERVING')
  }
}
