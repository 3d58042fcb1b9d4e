import { EventQueue } from './event-queue.ts'

/** Steps of a run that is taken to go on for ever: ten times as many as the longest one has. */
const stepsAtMost = 100_000_000

/** Steps between two looks at the real event loop, which carries messages, signals and the output. */
const stepsBetweenLooks = 20_000

/**
 * Time that passes only when something is due. One step runs one event, and the next step comes when all promises that
 * it set off have run: the order of everything follows from the order of the events alone.
 */
export class VirtualTime {
  /** Milliseconds since the start of the run. */
  now = 0
  steps = 0
  readonly #events = new EventQueue()
  /** What runs before the next event. */
  #soon: (() => void)[] = []
  #next = 0

  /** Runs it after so many milliseconds. The function returned takes it back. */
  after(milliseconds: number, run: () => void): () => void {
    const event = this.#events.add(this.now + Math.max(0, milliseconds), run)
    return () => {
      event.run = null
    }
  }

  /** Runs it as the next step, behind what was to run so before. */
  soon(run: () => void): void {
    this.#soon.push(run)
  }

  wait(milliseconds: number): Promise<void> {
    return new Promise(resolve => {
      this.after(milliseconds, resolve)
    })
  }

  /** Runs steps until `done` settles; its result. Rejects where nothing is left to happen before it does. */
  run<T>(done: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      let running = true
      const end = (settle: () => void): void => {
        running = false
        settle()
      }
      done.then(
        value => end(() => resolve(value)),
        error => end(() => reject(error)),
      )
      const step = (): void => {
        if (!running) return
        let wentOn: boolean
        try {
          wentOn = this.#step()
        } catch (error) {
          end(() => reject(error))
          return
        }
        if (!wentOn) {
          end(() => reject(new Error('nothing is left to happen, and the run has not ended')))
          return
        }
        if (++this.steps > stepsAtMost)
          end(() => reject(new Error(`the run goes on after ${stepsAtMost} steps`)))
        if (this.steps % stepsBetweenLooks === 0) setImmediate(step)
        else queueMicrotask(afterPromises)
      }
      // A tick runs only when the queue of microtasks is empty, so it comes after every promise that the step settled.
      const afterPromises = (): void => process.nextTick(step)
      // The first step, too: what is to happen may only be asked for by a promise that is settled already.
      queueMicrotask(afterPromises)
    })
  }

  /** Runs the next thing. False where there is none. */
  #step(): boolean {
    if (this.#next < this.#soon.length) {
      const run = this.#soon[this.#next++]!
      if (this.#next === this.#soon.length) {
        this.#soon = []
        this.#next = 0
      }
      run()
      return true
    }
    while (!this.#events.empty) {
      const event = this.#events.take()
      if (event.run === null) continue
      this.now = event.time
      event.run()
      return true
    }
    return false
  }
}
