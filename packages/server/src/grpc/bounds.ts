import { constants, type Http2Session, type ServerHttp2Stream } from 'node:http2'
import {
  type Metadata,
  ServerInterceptingCall,
  type ServerInterceptingCallInterface,
  type ServerInterceptor,
  type ServerListener,
  type ServerMethodDefinition,
  type StatusObject,
} from '@grpc/grpc-js'
import { KujiError } from '@kuji/engine/contract'
import { serverLimits } from '../limits.ts'
import { Budget } from './budget.ts'
import { admit, type CallContext, describeFailure } from './call.ts'
import { MessageCounter } from './message-counter.ts'
import { weightOf } from './weights.ts'

type Method = ServerMethodDefinition<unknown, unknown>

const tickMs = 1000

/**
 * Bounds what the calls of a door may hold, which grpc-js does not: a caller without a key is refused before the
 * message comes; a message has a time to come whole in, and those that have come in part a bound over the whole door;
 * answers that are not read keep the next requests of their connection waiting, and end when nothing of them moves.
 */
export class CallBounds {
  readonly context: CallContext
  /** Bytes of messages that have come in part, of all calls. */
  partialBytes = 0
  /** Milliseconds, as the door counts them. */
  clock = 0
  readonly #calls = new Set<BoundedCall>()
  readonly #budgets = new WeakMap<Http2Session, Budget>()
  readonly #ticker: NodeJS.Timeout

  constructor(context: CallContext) {
    this.context = context
    this.#ticker = setInterval(() => {
      this.clock += tickMs
      for (const call of this.#calls) call.check()
    }, tickMs).unref()
  }

  stop(): void {
    clearInterval(this.#ticker)
  }

  readonly interceptor: ServerInterceptor = (method, call) => {
    const stream = streamOf(call)
    const bounded = new BoundedCall(this, method as Method, call, stream)
    this.#calls.add(bounded)
    stream.once('close', () => {
      this.#calls.delete(bounded)
      bounded.end()
    })
    return bounded
  }

  budgetOf({ session }: ServerHttp2Stream): Budget {
    // A stream without a session has ended, and nothing will be sent on it.
    if (session === undefined) return new Budget()
    let budget = this.#budgets.get(session)
    if (budget === undefined) this.#budgets.set(session, (budget = new Budget()))
    return budget
  }
}

/**
 * The stream under a call. grpc-js keeps it to itself, has no way to reset one, and does not tell what has arrived of a
 * message; a status alone would leave the bytes with a client that does not end its side.
 */
function streamOf(call: ServerInterceptingCallInterface): ServerHttp2Stream {
  return (call as unknown as { readonly stream: ServerHttp2Stream }).stream
}

class BoundedCall extends ServerInterceptingCall {
  readonly #bounds: CallBounds
  readonly #method: Method
  readonly #stream: ServerHttp2Stream
  readonly #budget: Budget
  readonly #counter = new MessageCounter()
  /** What requests under way have taken of the budget, the oldest first; an answer gives back what its request took. */
  readonly #taken: number[] = []
  #partialBytes = 0
  /** Messages that have not left. */
  #unsent = 0
  /** Since when a request has been owed, by the clock of the door, and since when no message has left. */
  #owingSince: number
  #stuckSince = 0
  #over = false

  constructor(
    bounds: CallBounds,
    method: Method,
    call: ServerInterceptingCallInterface,
    stream: ServerHttp2Stream,
  ) {
    super(call, { start: next => next(this.#listener()) })
    this.#bounds = bounds
    this.#method = method
    this.#stream = stream
    this.#budget = bounds.budgetOf(stream)
    this.#owingSince = bounds.clock
    stream.on('data', (chunk: Buffer) => this.#arrive(chunk))
  }

  #listener(): Partial<ServerListener> & Pick<ServerListener, 'onReceiveMetadata'> {
    return {
      onReceiveMetadata: (metadata: Metadata, next?: (metadata: Metadata) => void) => {
        try {
          admit(this.#bounds.context, this.#method, metadata)
          next!(metadata)
        } catch (error) {
          this.#bounds.context.meter.requests++
          this.#refuse(error)
        }
      },
      onReceiveMessage: (message: unknown, next?: (message: unknown) => void) => {
        this.#budget.enter(() => {
          if (this.#over) return
          this.#take(weightOf(this.#method.path, message))
          next!(message)
        })
      },
      onCancel: () => this.end(),
    } as Partial<ServerListener> & Pick<ServerListener, 'onReceiveMetadata'>
  }

  override sendMessage(message: unknown, callback: () => void): void {
    if (this.#unsent++ === 0) this.#stuckSince = this.#bounds.clock
    super.sendMessage(message, () => {
      this.#unsent--
      this.#stuckSince = this.#bounds.clock
      this.#give(this.#taken.shift() ?? 0)
      callback()
    })
  }

  /** Ends what is owed for too long. */
  check(): void {
    const { clock } = this.#bounds
    if (this.#unsent > 0 && clock - this.#stuckSince > serverLimits.stalledConnectionMs)
      this.#stream.close(constants.NGHTTP2_CANCEL)
    else if (this.#owes() && clock - this.#owingSince > serverLimits.requestTimeoutMs)
      this.#refuse(new KujiError('INVALID', 'the request took too long to arrive'))
  }

  /** Nothing of it is kept from now on. */
  end(): void {
    this.#over = true
    this.#bounds.partialBytes -= this.#partialBytes
    this.#partialBytes = 0
    for (const items of this.#taken.splice(0)) this.#give(items)
  }

  #arrive(chunk: Buffer): void {
    if (this.#over) return
    const counter = this.#counter
    const { whole } = counter
    const begins = counter.partial === 0
    counter.read(chunk)
    if (counter.partial > 0 && (begins || counter.whole > whole)) this.#owingSince = this.#bounds.clock
    this.#bounds.partialBytes += counter.partial - this.#partialBytes
    this.#partialBytes = counter.partial
    const { grpcPartialBytes, grpcSmallPartialBytes } = serverLimits
    if (this.#bounds.partialBytes > grpcPartialBytes && counter.partial > grpcSmallPartialBytes)
      this.#refuse(new KujiError('OVERLOADED', 'too much has arrived in part'))
  }

  /** Whether more has to come: the rest of a message, or the one that there has to be. */
  #owes(): boolean {
    if (this.#over) return false
    return this.#counter.partial > 0 || (this.#counter.whole === 0 && !this.#method.requestStream)
  }

  #refuse(error: unknown): void {
    const { context } = this.#bounds
    this.end()
    this.sendStatus(describeFailure(context, this.#method.path, error) as StatusObject)
    // Behind the status, so that nothing is kept for a client that does not end its side.
    setImmediate(() => this.#stream.close(constants.NGHTTP2_NO_ERROR))
  }

  #take(items: number): void {
    this.#taken.push(items)
    this.#budget.take(items)
  }

  #give(items: number): void {
    if (items > 0) this.#budget.give(items)
  }
}
