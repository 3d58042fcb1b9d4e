import { Worker } from 'node:worker_threads'
import type { EngineEvent } from '../contract/index.ts'
import type { SegmentKeeper } from '../log/file-log.ts'
import type { SegmentHeader } from '../log/segment.ts'
import { helperFailure } from './maintenance.ts'
import type { FromHelper, HelperStart, ToHelper } from './protocol.ts'

interface Waiting {
  readonly header: SegmentHeader
  readonly resolve: (header: SegmentHeader) => void
  readonly reject: (error: Error) => void
}

/** The writer's side of the helper thread. */
export class Helper implements SegmentKeeper {
  readonly #start: HelperStart
  readonly #onEvent: (event: EngineEvent) => void
  readonly #worker: Worker
  #waiting: Waiting | null = null
  #ended: Promise<void>

  constructor(start: HelperStart, onEvent: (event: EngineEvent) => void) {
    this.#start = start
    this.#onEvent = onEvent
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
    this.#worker = new Worker(new URL(`./thread.${extension}`, import.meta.url), { workerData: start })
    this.#worker.on('message', (message: FromHelper) => this.#receive(message))
    this.#worker.on('error', error => this.#onEvent(helperFailure(error)))
    this.#ended = new Promise(resolve => this.#worker.once('exit', () => resolve()))
    void this.#ended.then(() => this.#waiting?.reject(new Error('the helper thread has ended')))
    // An idle engine does not keep its program alive.
    this.#worker.unref()
  }

  #send(message: ToHelper): void {
    this.#worker.postMessage(message)
  }

  #receive(message: FromHelper): void {
    if (message.kind === 'event') this.#onEvent(message.event)
    if (message.kind !== 'prepared') return
    const waiting = this.#waiting
    this.#waiting = null
    this.#worker.unref()
    if (message.error === undefined) waiting?.resolve(waiting.header)
    else waiting?.reject(Object.assign(new Error(message.error.message), { code: message.error.code }))
  }

  prepare(number: number, bytes: number): Promise<SegmentHeader> {
    const { identity, shard } = this.#start
    return new Promise((resolve, reject) => {
      this.#waiting = { header: { identity, shard, number, bytes }, resolve, reject }
      this.#worker.ref()
      this.#send({ kind: 'prepare', number, bytes })
    })
  }

  sealed(number: number): void {
    this.#send({ kind: 'sealed', number })
  }

  async close(): Promise<void> {
    this.#worker.ref()
    this.#send({ kind: 'close' })
    await this.#ended
  }
}
