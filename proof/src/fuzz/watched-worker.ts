import { Worker } from 'node:worker_threads'
import type { Finding } from './finding.ts'
import type { WorkerMessage, WorkerStart } from './fuzz-worker.ts'
import { SharedInput } from './shared-input.ts'

const lookMs = 100
/** Memory of one thread; what needs more is a finding. */
const heapMib = 1024

type Plan = Omit<WorkerStart, 'shared'> & {
  /** How long one input may take. */
  readonly limitMs: number
}

/** A thread that runs inputs, and one that sees when it hangs or dies. */
export class WatchedWorker {
  readonly shared = new SharedInput()
  /** Why the thread ended before it was done; null where it was done. */
  readonly ended: Promise<Finding | null>
  readonly #worker: Worker
  #stopped = false

  constructor({ limitMs, ...start }: Plan, onMessage: (message: WorkerMessage) => void) {
    this.#worker = new Worker(new URL('./fuzz-worker.ts', import.meta.url), {
      workerData: { ...start, shared: this.shared.memory } satisfies WorkerStart,
      resourceLimits: { maxOldGenerationSizeMb: heapMib },
    })
    this.ended = new Promise((resolve, reject) => {
      let [turn, since] = [0, performance.now()]
      const timer = setInterval(() => {
        const now = this.shared.turn
        if (now !== turn) [turn, since] = [now, performance.now()]
        else if (turn % 2 === 1 && performance.now() - since > limitMs) {
          const message = `does not end within ${limitMs} ms`
          end({ input: this.shared.input, message, key: message })
        }
      }, lookMs)
      const end = (finding: Finding | null): void => {
        clearInterval(timer)
        this.#stopped = true
        void this.#worker.terminate().then(() => resolve(finding))
      }
      this.#worker.on('message', (message: WorkerMessage) => {
        onMessage(message)
        if (message.type === 'done') end(null)
        if (message.type === 'broken') {
          end(null)
          reject(new Error(message.message))
        }
      })
      this.#worker.on('error', (error: Error) => {
        const message = `the thread dies: ${error.message}`
        end({ input: this.shared.input, message: `${message}\n${error.stack}`, key: message })
      })
      this.#worker.on('exit', () => {
        clearInterval(timer)
        if (this.#stopped) return
        // With nothing left to wait for, but an answer that does not come.
        const message = 'the thread ends in the middle: nothing will answer'
        resolve({ input: this.shared.input, message, key: message })
      })
    })
  }

  post(message: { readonly bytes: Uint8Array; readonly mend: boolean }): void {
    this.#worker.postMessage(message)
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await this.#worker.terminate()
  }
}
