import { parentPort, workerData } from 'node:worker_threads'
import { Chance } from '../chance.ts'
import { Coverage } from './coverage.ts'
import { describeError, type Finding } from './finding.ts'
import { Fuzzer } from './fuzzer.ts'
import { MemoryWatch } from './memory-watch.ts'
import { SharedInput } from './shared-input.ts'
import type { FuzzTarget, OpenTarget } from './target.ts'

/** What the thread is to do. */
export type WorkerTask =
  /** Fuzz until so many runs are done, or the time is over. */
  | {
      readonly kind: 'fuzz'
      readonly runs: number
      readonly milliseconds: number
      readonly coverage: boolean
    }
  /** Tell which of the corpus are needed. */
  | { readonly kind: 'distil' }
  /** Run inputs as they come, and tell of each whether something is wrong. */
  | { readonly kind: 'probe' }

export interface WorkerStart {
  readonly module: string
  readonly seed: number
  readonly corpus: readonly Uint8Array[]
  readonly shared: SharedArrayBuffer
  readonly task: WorkerTask
}

export type WorkerMessage =
  | { readonly type: 'finding'; readonly finding: Finding }
  | { readonly type: 'kept'; readonly input: Uint8Array }
  | {
      readonly type: 'progress'
      readonly corpus: number
      readonly reached: number
      readonly slowestMs: number
    }
  | { readonly type: 'probed'; readonly finding: Finding | null }
  | { readonly type: 'mended'; readonly input: Uint8Array }
  /** There is nothing that could be run. */
  | { readonly type: 'broken'; readonly message: string }
  | { readonly type: 'done'; readonly needed: readonly Uint8Array[] }

const { module, seed, corpus, shared, task } = workerData as WorkerStart
const input = new SharedInput(shared)
const tell = (message: WorkerMessage): void => parentPort!.postMessage(message)
const memory = new MemoryWatch()

const coverage =
  task.kind === 'probe' || (task.kind === 'fuzz' && !task.coverage)
    ? null
    : new Coverage(url => /\/packages\/[^/]+\/src\//.test(url) || url === module)
const report = (bytes: Uint8Array, error: unknown): void =>
  tell({ type: 'finding', finding: { input: bytes, ...describeError(error) } })
// What nobody waits for is thrown by the input at hand, or the one before; if there was none, by the target itself.
const blame = (error: unknown): void => {
  if (input.turn > 0) report(input.input, error)
  else tell({ type: 'broken', message: describeError(error).message })
}
process.on('uncaughtException', blame)
process.on('unhandledRejection', blame)

const { default: target } = (await import(module)) as { readonly default: FuzzTarget }
const opened = await target.open()

let heldBytes = 0
const hooks = {
  begin(bytes: Uint8Array): void {
    memory.begin()
    input.begin(bytes)
  },
  end(isRun: boolean): void {
    input.end(isRun)
    if (!isRun) return
    try {
      memory.end(heldBytes)
    } catch (error) {
      report(input.input, error)
    }
  },
  finding: report,
  kept(bytes: Uint8Array): void {
    heldBytes += bytes.length
    tell({ type: 'kept', input: bytes })
  },
}

async function fuzz(runs: number, milliseconds: number): Promise<void> {
  const fuzzer = new Fuzzer(target, opened, new Chance(seed, 'fuzz'), coverage, hooks)
  const until = performance.now() + milliseconds
  await fuzzer.begin(corpus.length === 0 ? await target.seeds() : corpus)
  let told = 0
  while (fuzzer.runs < runs && performance.now() < until) {
    await fuzzer.step()
    // Others of the thread have their turn too, those that end this one among them.
    await new Promise(resolve => setImmediate(resolve))
    if (performance.now() - told < 500) continue
    told = performance.now()
    progress(fuzzer)
  }
  progress(fuzzer)
}

function progress({ corpus: { length }, slowestMs }: Fuzzer): void {
  tell({ type: 'progress', corpus: length, reached: coverage?.reached ?? 0, slowestMs })
}

async function probe(bytes: Uint8Array, open: OpenTarget): Promise<Finding | null> {
  memory.begin()
  input.begin(bytes)
  try {
    await open.run(bytes)
    memory.end(0)
    return null
  } catch (error) {
    return { input: bytes, ...describeError(error) }
  } finally {
    input.end(true)
  }
}

if (task.kind === 'probe') {
  parentPort!.on('message', async ({ bytes, mend }: { bytes: Uint8Array; mend: boolean }) => {
    if (mend) {
      input.begin(bytes)
      const mended = target.mend?.(bytes) ?? bytes
      input.end(false)
      tell({ type: 'mended', input: mended })
    } else tell({ type: 'probed', finding: await probe(bytes, opened) })
  })
} else if (task.kind === 'distil') {
  const fuzzer = new Fuzzer(target, opened, new Chance(seed, 'fuzz'), coverage, hooks)
  const needed = await fuzzer.distil(corpus.length === 0 ? await target.seeds() : corpus)
  tell({ type: 'done', needed })
} else {
  await fuzz(task.runs, task.milliseconds)
  await opened.close()
  tell({ type: 'done', needed: [] })
}
