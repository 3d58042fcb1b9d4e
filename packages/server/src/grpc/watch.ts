import {
  type handleServerStreamingCall,
  Metadata,
  type ServerErrorResponse,
  type ServerWritableStream,
} from '@grpc/grpc-js'
import { KujiError } from '@kuji/engine/contract'
import { serverLimits } from '../limits.ts'
import { encodeEvent } from './answers.ts'
import { type CallContext, callerOf, checkRequest, describeFailure, stopping } from './call.ts'
import type { WatchMessage } from './requests.ts'

type Call = ServerWritableStream<WatchMessage | KujiError, object>

export function watch(context: CallContext): handleServerStreamingCall<WatchMessage | KujiError, object> {
  const open = new Set<Watcher>()
  return call => {
    context.meter.requests++
    const watcher = new Watcher(context, call)
    open.add(watcher)
    context.streams.add(watcher)
    void watcher.run(open.size).finally(() => {
      open.delete(watcher)
      context.streams.delete(watcher)
    })
  }
}

/** One call that is told of durable batches until its caller, the log or the server ends it. */
class Watcher {
  readonly #context: CallContext
  readonly #call: Call
  readonly #ending = new AbortController()
  #status: ServerErrorResponse | null = null

  constructor(context: CallContext, call: Call) {
    this.#context = context
    this.#call = call
    call.once('cancelled', () => this.#ending.abort())
  }

  stop(): void {
    this.#status = stopping
    this.#ending.abort()
  }

  /** `open`: how many there are, this one included. */
  async run(open: number): Promise<void> {
    try {
      await this.#follow(open)
    } catch (error) {
      this.#status = describeFailure(this.#context, this.#call.getPath(), error)
    }
    if (this.#status === null) this.#call.end()
    else this.#call.emit('error', this.#status)
  }

  async #follow(open: number): Promise<void> {
    const call = this.#call
    const { signal } = this.#ending
    const caller = callerOf(this.#context, call.metadata)
    const events = this.#context.service.watch(caller, { ...checkRequest(call.request), signal })
    const limit = serverLimits.eventStreams
    if (open > limit) throw new KujiError('OVERLOADED', `${limit} calls watch already`, { limit })
    // The caller sees the headers when the watch stands: nothing from then on is missed.
    call.sendMetadata(new Metadata())
    for await (const event of events) {
      for (const message of encodeEvent(event)) {
        await this.#write(message)
        if (signal.aborted) return
      }
    }
  }

  /**
   * One message at a time: for a watcher that is slow one message waits in memory, not a queue. Where the call ends
   * meanwhile grpc-js never calls back.
   */
  #write(message: object): Promise<void> {
    const { signal } = this.#ending
    return new Promise(resolve => {
      const done = () => {
        signal.removeEventListener('abort', done)
        resolve()
      }
      signal.addEventListener('abort', done)
      if (signal.aborted) done()
      else this.#call.write(message, done)
    })
  }
}
