import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { KujiError, type LogEvent } from '@kuji/engine/contract'
import { toKujiError } from '../failure.ts'
import { serverLimits } from '../limits.ts'
import type { Logger } from '../logger.ts'
import { problemOf } from './problem.ts'

const headers = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-store',
  // Asks proxies (nginx) not to gather events before they pass them on.
  'x-accel-buffering': 'no',
}

/**
 * What a client waits before it comes back, having lost the connection, and behind which position then, where that is
 * before its first event: an id without data is remembered, and no event.
 */
const preamble = (position: number) => Buffer.from(`retry: ${serverLimits.eventRetryMs}\nid: ${position}\n\n`)
const heartbeat = Buffer.from(':\n\n')

/**
 * One answer of server-sent events. Its reader sets the pace: nothing is fetched before the last event has left for the
 * kernel, so a slow reader holds one event, and the engine ends the stream when that has become too old.
 */
export class EventStream {
  readonly #response: ServerResponse
  readonly #encoder: EventEncoder
  readonly #log: Logger
  readonly #signal: AbortSignal
  #writing = false

  constructor(response: ServerResponse, encoder: EventEncoder, log: Logger, signal: AbortSignal) {
    this.#response = response
    this.#encoder = encoder
    this.#log = log
    this.#signal = signal
  }

  /** Sends events from behind `position` until there are no more, the signal, or a failure, told as an event. */
  async run(
    position: number,
    first: Promise<IteratorResult<LogEvent>>,
    events: AsyncIterator<LogEvent>,
  ): Promise<void> {
    const beat = setInterval(() => this.#keepAlive(), serverLimits.eventHeartbeatMs)
    try {
      this.#response.writeHead(200, headers)
      await this.#write(preamble(position))
      for (let next = await first; !next.done; next = await events.next())
        await this.#write(this.#encoder.encode(next.value))
    } catch (error) {
      if (this.#signal.aborted) return
      if (!(error instanceof KujiError)) this.#log.defect('a stream of events failed', error)
      this.#response.write(frame('error', undefined, problemOf(toKujiError(error))))
    } finally {
      clearInterval(beat)
      this.#response.end()
    }
  }

  /** In pieces that are views of one buffer: what waits for a slow reader is one piece, and not a copy. */
  async #write(bytes: Buffer): Promise<void> {
    this.#writing = true
    for (let start = 0; start < bytes.length; start += serverLimits.eventPieceBytes) {
      const piece = bytes.subarray(start, start + serverLimits.eventPieceBytes)
      if (!this.#response.write(piece)) await once(this.#response, 'drain', { signal: this.#signal })
    }
    this.#writing = false
  }

  // A comment, which readers skip: it keeps proxies from closing, and finds out that a reader is gone.
  #keepAlive(): void {
    if (!this.#writing && !this.#response.writableNeedDrain) this.#response.write(heartbeat)
  }
}

/** All readers that keep up are given the same event, one after the other: it is encoded once. */
export class EventEncoder {
  #event: LogEvent | undefined
  #bytes: Buffer = heartbeat

  encode(event: LogEvent): Buffer {
    if (event !== this.#event) {
      const { lsn, at, changes } = event
      this.#bytes = frame('batch', lsn, { lsn, at: new Date(at).toISOString(), changes })
      this.#event = event
    }
    return this.#bytes
  }
}

// JSON has no line breaks but escaped ones, so that one data line holds it.
function frame(name: string, id: number | undefined, data: object): Buffer {
  const position = id === undefined ? '' : `id: ${id}\n`
  return Buffer.from(`${position}event: ${name}\ndata: ${JSON.stringify(data)}\n\n`)
}
