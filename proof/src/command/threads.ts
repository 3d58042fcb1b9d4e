import { parentPort, Worker, type WorkerOptions } from 'node:worker_threads'

export interface Threads<Task, Report> {
  /** What each thread runs; it calls `serveTasks`. */
  readonly module: URL
  readonly count: number
  readonly workerData?: WorkerOptions['workerData']
  /** The next task; undefined where there are no more. */
  readonly next: () => Task | undefined
  readonly onReport: (report: Report) => void
}

/**
 * Gives tasks to threads, to each the next one when it has told what came of its last, until there are none. What a
 * thread dies of is thrown.
 */
export async function runOnThreads<Task, Report>(threads: Threads<Task, Report>): Promise<void> {
  const { module, count, workerData, next, onReport } = threads
  const workers = Array.from({ length: count }, () => new Worker(module, { workerData }))
  const run = (worker: Worker): Promise<void> =>
    new Promise((resolve, reject) => {
      const give = (): void => {
        const task = next()
        if (task === undefined) resolve()
        else worker.postMessage(task)
      }
      worker.on('message', (report: Report) => {
        onReport(report)
        give()
      })
      worker.on('error', reject)
      give()
    })
  try {
    await Promise.all(workers.map(run))
  } finally {
    await Promise.all(workers.map(worker => worker.terminate()))
  }
}

/** In a thread of `runOnThreads`: tells what comes of each task. */
export function serveTasks<Task, Report>(run: (task: Task) => Promise<Report>): void {
  parentPort!.on('message', (task: Task) => {
    void run(task).then(report => parentPort!.postMessage(report))
  })
}
