import { KujiError, type LogEvent } from '@kuji/engine/contract'
import { decodeEvent, parseJson } from './answers.ts'
import { EventParser, type StreamMessage } from './event-parser.ts'
import { type Failure, foreign, noAnswer, readProblem, refused } from './failure.ts'
import { clientLimits } from './limits.ts'
import { readText } from './read-text.ts'
import { backoffMs, longestPauseMs, type Requester } from './requester.ts'
import { wait } from './wait.ts'

/** A server without news says so every 15 seconds; one that is silent for three times as long is gone. */
const silenceMs = 45_000

/** Where events begin: behind an LSN, or behind about the present one. */
export interface Beginning {
  readonly after: number
  /** Which LSN it is does not matter: where the server keeps no events from there on, it may begin later. */
  readonly about: boolean
}

/**
 * Batches behind an LSN, over as many connections as it takes: where one breaks, the next goes on behind the last
 * event. Throws what is refused for good, and what is left after as many failures in a row as the client has
 * retries. Ends with the signal.
 */
export async function* followEvents(
  requester: Requester,
  beginning: Beginning,
  signal: AbortSignal | undefined,
): AsyncGenerator<LogEvent, void, undefined> {
  let { after: position, about } = beginning
  for (let failures = 0; ; ) {
    const stream = new Connection(requester, signal)
    const began = performance.now()
    let failure: Failure
    try {
      for await (const event of stream.read(position)) {
        // What lies between here and the server may have kept a stream, and play it again.
        if (event.lsn <= position) continue
        position = event.lsn
        failures = 0
        yield event
      }
      failure = noAnswer(requester.settings.origin, new Error('the stream of events has ended'))
    } catch (error) {
      if (signal?.aborted) return
      failure = error instanceof Broken ? error.failure : noAnswer(requester.settings.origin, error)
    }
    if (performance.now() - began >= longestPauseMs) failures = 0
    failures++
    const { since } = failure.error.fields
    about &&= !stream.opened
    if (failures > requester.settings.retries) throw failure.error
    if (!failure.again && about && typeof since === 'number') position = since
    else if (!failure.again) throw failure.error
    await wait(failure.retryAfterMs + backoffMs(failures), signal).catch(() => {})
    if (signal?.aborted) return
  }
}

/** Carries a failure out of a stream. */
class Broken extends Error {
  readonly failure: Failure

  constructor(failure: Failure) {
    super(failure.error.message)
    this.failure = failure
  }
}

class Connection {
  readonly #requester: Requester
  /** Aborts when the caller does, and when the server is silent for too long. */
  readonly #ending = new AbortController()
  readonly #signal: AbortSignal
  /** Whether the server has begun to answer with events. */
  opened = false

  constructor(requester: Requester, signal: AbortSignal | undefined) {
    this.#requester = requester
    this.#signal = signal === undefined ? this.#ending.signal : AbortSignal.any([signal, this.#ending.signal])
  }

  async *read(after: number): AsyncGenerator<LogEvent, void, undefined> {
    try {
      const body = await this.#open(after)
      const reader = body.getReader()
      const decoder = new TextDecoder()
      const parser = new EventParser(clientLimits.eventCharacters)
      for (;;) {
        const { done, value } = await this.#unlessSilent(reader.read())
        if (done) return
        for (const message of parser.push(decoder.decode(value, { stream: true }))) yield readEvent(message)
      }
    } finally {
      this.#ending.abort()
    }
  }

  async #open(after: number): Promise<ReadableStream<Uint8Array>> {
    const { origin } = this.#requester.settings
    const headers = { accept: 'text/event-stream' }
    const response = await this.#unlessSilent(
      this.#requester.send(`/v1/events?after=${after}`, { headers, signal: this.#signal }),
    )
    const isStream = response.headers.get('content-type')?.startsWith('text/event-stream') === true
    if (response.ok && isStream && response.body !== null) {
      this.opened = true
      return response.body
    }
    const text = response.ok ? '' : await this.#unlessSilent(readText(response, clientLimits.answerBytes))
    const problem = readProblem(text)
    if (problem === undefined) throw new Broken(foreign(origin, response))
    throw new Broken(refused(problem, response.headers.get('retry-after')))
  }

  /** The clock stands still while the caller is busy with an event. */
  async #unlessSilent<Value>(promise: Promise<Value>): Promise<Value> {
    const timer = setTimeout(
      () => this.#ending.abort(new DOMException('no sign of life', 'TimeoutError')),
      silenceMs,
    )
    try {
      return await promise
    } finally {
      clearTimeout(timer)
    }
  }
}

function readEvent({ name, data }: StreamMessage): LogEvent {
  if (name === 'error') {
    const problem = readProblem(data)
    if (problem !== undefined) throw new Broken(refused(problem, null))
  }
  const event = decodeEvent(parseJson(data))
  if (event !== undefined) return event
  const error = new KujiError('INTERNAL', 'an event is not as a kuji server sends it')
  throw new Broken({ error, again: true, doubt: false, retryAfterMs: 0 })
}
