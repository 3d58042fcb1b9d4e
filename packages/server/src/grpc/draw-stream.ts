import type { handleBidiStreamingCall, ServerDuplexStream } from '@grpc/grpc-js'
import type { AnswerSink } from '@kuji/engine'
import { KujiError, type Receipt } from '@kuji/engine/contract'
import type { Caller } from '../access/caller.ts'
import { serverLimits } from '../limits.ts'
import { encodeError, encodeReceipt } from './answers.ts'
import { type CallContext, callerOf, describeFailure, type LongCall, stopping } from './call.ts'
import { MessageBatch } from './message-batch.ts'
import { type DrawStreamMessage, decodeDraw } from './requests.ts'

const { grpcStreamRequests, grpcStreamDraws, grpcCorrelationIdLength } = serverLimits
const mask = grpcStreamRequests - 1

type Call = ServerDuplexStream<DrawStreamMessage | KujiError, object>

export function drawStream(
  context: CallContext,
): handleBidiStreamingCall<DrawStreamMessage | KujiError, object> {
  return call => {
    try {
      const stream = new DrawStream(context, call, callerOf(context, call.metadata))
      context.streams.add(stream)
      call.once('close', () => context.streams.delete(stream))
    } catch (error) {
      call.emit('error', describeFailure(context, call.getPath(), error))
    }
  }
}

interface Slot {
  correlationId: string
  /** Draws asked for. */
  count: number
  answer: Receipt | KujiError | null
}

/**
 * Requests of one stream, answered in their order. They stand in a ring, each by its number: `sent` ≤ `answered` ≤
 * `received`. The engine answers in order too, but a refusal that needs no engine comes at once, and then waits here.
 * What has been received and not yet been sent is bounded; beyond that, reading pauses, and HTTP/2 makes the caller
 * wait.
 */
class DrawStream implements AnswerSink, LongCall {
  readonly #context: CallContext
  readonly #call: Call
  readonly #caller: Caller
  readonly #slots: Slot[] = []
  #received = 0
  #answered = 0
  #sent = 0
  /** Draws that the requests in the ring ask for. */
  #draws = 0
  #paused = false
  #scheduled = false
  /** No request will come, and the stream ends behind the last answer. */
  #ending = false
  #stopped = false

  constructor(context: CallContext, call: Call, caller: Caller) {
    this.#context = context
    this.#call = call
    this.#caller = caller
    call.on('data', (request: DrawStreamMessage | KujiError) => this.#receive(request))
    call.on('end', () => {
      this.#ending = true
      this.#scheduleSend()
    })
  }

  /** Takes no further request. */
  stop(): void {
    this.#stopped = true
    this.#ending = true
    this.#call.pause()
    this.#scheduleSend()
  }

  #receive(request: DrawStreamMessage | KujiError): void {
    const token = this.#received++
    this.#context.meter.requests++
    const slot = (this.#slots[token & mask] ??= { correlationId: '', count: 0, answer: null })
    slot.answer = null
    slot.correlationId = ''
    slot.count = 1
    try {
      this.#context.service.admit(this.#caller)
      if (request instanceof KujiError) throw request
      slot.correlationId = checkCorrelationId(request.correlationId)
      const { pool, ...options } = decodeDraw(request.draw)
      slot.count = options.count ?? 1
      this.#context.draws.add({ caller: this.#caller, sink: this, token, pool, options })
    } catch (error) {
      this.answer(token, error as KujiError)
    }
    this.#draws += slot.count
    if (!this.#isFull()) return
    this.#paused = true
    this.#call.pause()
  }

  #isFull(): boolean {
    return this.#received - this.#sent >= grpcStreamRequests || this.#draws >= grpcStreamDraws
  }

  answer(token: number, answer: Receipt | KujiError): void {
    this.#slots[token & mask]!.answer = answer
    if (token === this.#answered) this.#scheduleSend()
  }

  /** Answers come in waves, one for each batch of the log: they leave when the last one of a wave is there. */
  #scheduleSend(): void {
    if (this.#scheduled || this.#answered > this.#sent) return
    this.#scheduled = true
    queueMicrotask(this.#send)
  }

  /** Sends all answers that are due, and ends the stream behind the last one. */
  readonly #send = (): void => {
    this.#scheduled = false
    const call = this.#call
    if (call.cancelled || call.writableEnded) return
    const messages: object[] = []
    for (; this.#answered < this.#received; this.#answered++) {
      const slot = this.#slots[this.#answered & mask]!
      if (slot.answer === null) break
      messages.push(this.#encode(slot, slot.answer))
      // The receipt of many draws is not kept twice.
      slot.answer = null
    }
    if (messages.length > 0) call.write(new MessageBatch(messages), this.#onSent)
    if (!this.#ending || this.#answered < this.#received) return
    if (this.#stopped) call.emit('error', stopping)
    else call.end()
  }

  #encode({ correlationId }: Slot, answer: Receipt | KujiError): object {
    const { meter } = this.#context
    if (answer instanceof KujiError) {
      meter.refused(answer.code)
      return { correlationId, error: encodeError(answer) }
    }
    meter.answered(answer)
    return { correlationId, receipt: encodeReceipt(answer) }
  }

  /** What was written has gone to the connection. */
  readonly #onSent = (): void => {
    for (; this.#sent < this.#answered; this.#sent++) this.#draws -= this.#slots[this.#sent & mask]!.count
    this.#scheduleSend()
    if (!this.#paused || this.#ending || this.#isFull()) return
    this.#paused = false
    this.#call.resume()
  }
}

function checkCorrelationId(text = ''): string {
  if (text.length <= grpcCorrelationIdLength) return text
  const message = `correlationId: at most ${grpcCorrelationIdLength} characters`
  throw new KujiError('INVALID', message, { field: 'correlationId' })
}
