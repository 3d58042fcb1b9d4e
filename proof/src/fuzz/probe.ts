import type { Finding } from './finding.ts'
import type { WorkerMessage } from './fuzz-worker.ts'
import { WatchedWorker } from './watched-worker.ts'

/** Runs one input after the other, each for itself, and tells what is wrong with it. */
export class Probe {
  readonly #module: string
  readonly #limitMs: number
  #worker: WatchedWorker | null = null
  #hear: (message: WorkerMessage) => void = () => undefined

  constructor(module: string, limitMs: number) {
    this.#module = module
    this.#limitMs = limitMs
  }

  async run(input: Uint8Array): Promise<Finding | null> {
    const worker = (this.#worker ??= this.#start())
    const answered = new Promise<Finding | null>(resolve => {
      this.#hear = message => {
        if (message.type === 'probed' || message.type === 'finding') resolve(message.finding)
      }
    })
    worker.post({ bytes: input, mend: false })
    const found = await Promise.race([
      answered.then(finding => ({ finding, died: false })),
      worker.ended.then(finding => ({ finding, died: true })),
    ])
    if (found.died) this.#worker = null
    return found.finding
  }

  /** The input with its lengths and checksums made right. */
  async mend(input: Uint8Array): Promise<Uint8Array> {
    const worker = (this.#worker ??= this.#start())
    const answered = new Promise<Uint8Array>(resolve => {
      this.#hear = message => message.type === 'mended' && resolve(message.input)
    })
    worker.post({ bytes: input, mend: true })
    const died = worker.ended.then(() => {
      this.#worker = null
      return input
    })
    return Promise.race([answered, died])
  }

  async close(): Promise<void> {
    await this.#worker?.stop()
  }

  #start(): WatchedWorker {
    const plan = {
      module: this.#module,
      seed: 1,
      corpus: [],
      task: { kind: 'probe' },
      limitMs: this.#limitMs,
    } as const
    return new WatchedWorker(plan, message => this.#hear(message))
  }
}
