import {
  type handleServerStreamingCall,
  Metadata,
  type ServerErrorResponse,
  type ServerWritableStream,
} from '@grpc/grpc-js'
import type { KujiError } from '@kuji/engine/contract'
import { encodeEvent } from './answers.ts'
import { authenticate, type CallContext, checkRequest, describeFailure, stopping } from './call.ts'
import type { WatchMessage } from './requests.ts'

type Call = ServerWritableStream<WatchMessage | KujiError, object>

export function watch(context: CallContext): handleServerStreamingCall<WatchMessage | KujiError, object> {
  return call => {
    const ended = new AbortController()
    let failure: ServerErrorResponse | undefined
    const stream = {
      stop() {
        failure = stopping
        ended.abort()
      },
    }
    context.streams.add(stream)
    call.once('cancelled', () => ended.abort())
    follow(context, call, ended.signal)
      .catch((error: unknown) => {
        failure = describeFailure(context, call.getPath(), error)
      })
      .finally(() => {
        context.streams.delete(stream)
        if (failure === undefined) call.end()
        else call.emit('error', failure)
      })
  }
}

async function follow(context: CallContext, call: Call, signal: AbortSignal): Promise<void> {
  const caller = authenticate(context, call.metadata)
  const events = context.service.watch(caller, { ...checkRequest(call.request), signal })
  // The caller sees the headers when the watch stands: nothing from then on is missed.
  call.sendMetadata(new Metadata())
  for await (const event of events) {
    for (const message of encodeEvent(event)) {
      await write(call, message, signal)
      if (signal.aborted) return
    }
  }
}

/**
 * One message at a time: a watcher that is slow keeps one in memory, not a queue. Where the call ends meanwhile grpc-js
 * never calls back.
 */
function write(call: Call, message: object, signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    const done = () => {
      signal.removeEventListener('abort', done)
      resolve()
    }
    signal.addEventListener('abort', done)
    if (signal.aborted) done()
    else call.write(message, done)
  })
}
