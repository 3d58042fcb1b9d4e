import { Worker } from 'node:worker_threads'
import type { EngineEvent } from '../contract/index.ts'
import type { SegmentKeeper } from '../log/file-log.ts'
import { threadFlags } from '../thread-flags.ts'
import { helperFailure } from './maintenance.ts'
import type { FromHelper, HelperStart, ToHelper } from './protocol.ts'

/** The writer's side of the helper thread, which is started by the first finished segment that finds none. */
export class Helper implements SegmentKeeper {
  readonly #start: HelperStart
  readonly #onEvent: (event: EngineEvent) => void
  #worker: Worker | null = null
  #ended: Promise<void> = Promise.resolve()

  constructor(start: HelperStart, onEvent: (event: EngineEvent) => void) {
    this.#start = start
    this.#onEvent = onEvent
  }

  #launch(): Worker {
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
    const worker = new Worker(new URL(`./thread.${extension}`, import.meta.url), {
      workerData: this.#start,
      ...threadFlags(),
    })
    worker.on('message', (event: FromHelper) => this.#onEvent(event))
    worker.on('error', error => this.#onEvent(helperFailure(error)))
    this.#ended = new Promise(resolve =>
      worker.once('exit', () => {
        // One that has died, of a full heap say, is started anew by the next finished segment, as its failure says.
        this.#worker = null
        resolve()
      }),
    )
    // An idle engine does not keep its program alive.
    worker.unref()
    return worker
  }

  #send(worker: Worker, message: ToHelper): void {
    worker.postMessage(message)
  }

  sealed(number: number): void {
    this.#worker ??= this.#launch()
    this.#send(this.#worker, { kind: 'sealed', number })
  }

  /** Lets the helper finish what it is at; what else it has to do can wait for the next start. */
  async close(): Promise<void> {
    if (this.#worker === null) return
    this.#worker.ref()
    this.#send(this.#worker, { kind: 'close' })
    await this.#ended
  }
}
