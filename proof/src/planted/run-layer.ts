import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

/** What came of a run of a layer. */
export interface LayerResult {
  /** `found`: something, as it should. `broken`: it ended in another way than by what it is there for. */
  readonly outcome: 'found' | 'passed' | 'out of time' | 'broken'
  readonly seconds: number
  /** What was found, or the end of what a broken one said. */
  readonly finding: string
}

export interface LayerRun {
  readonly root: string
  readonly scratch: string
  readonly command: readonly string[]
  readonly read: (line: string) => string
  readonly seconds: number
  /** Ends the run, which then rejects. */
  readonly signal: AbortSignal
}

const lastLines = 12
/** For a layer to unmount what it has mounted, and the like. */
const graceMs = 30_000

/** Runs a layer until it finds something, ends, or its time is out. */
export async function runLayer({
  root,
  scratch,
  command,
  read,
  seconds,
  signal,
}: LayerRun): Promise<LayerResult> {
  signal.throwIfAborted()
  const began = performance.now()
  let took = 0
  // A process group of its own: what the layer has started ends with it.
  const child = spawn(process.execPath, ['--conditions=source', ...command], {
    cwd: root,
    detached: true,
    env: { ...withoutTestContext(process.env), TMPDIR: scratch },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const group = new ProcessGroup(child)
  const stop = (): void => {
    if (took === 0) took = (performance.now() - began) / 1000
    group.stop()
  }
  const tail: string[] = []
  let finding = ''
  const hear = (line: string): void => {
    tail.push(line)
    if (tail.length > lastLines) tail.shift()
    if (finding !== '') return
    finding = read(line)
    if (finding !== '') stop()
  }
  createInterface(child.stdout).on('line', hear)
  createInterface(child.stderr).on('line', hear)
  signal.addEventListener('abort', stop)
  process.once('exit', stop)
  const timer = setTimeout(stop, seconds * 1000)
  try {
    const [code, by] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null]
    const isLate = took > 0
    if (!isLate) took = (performance.now() - began) / 1000
    signal.throwIfAborted()
    if (finding !== '') return { outcome: 'found', seconds: took, finding }
    if (isLate) return { outcome: 'out of time', seconds: took, finding }
    if (code === 0) return { outcome: 'passed', seconds: took, finding }
    const told = `${tail.join('\n')}\n(ended by ${by ?? `exit code ${code}`})`
    return { outcome: 'broken', seconds: took, finding: told }
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', stop)
    process.off('exit', stop)
    group.end()
  }
}

/** A process and what it has started. */
class ProcessGroup {
  readonly #leader: ChildProcess
  #forced: NodeJS.Timeout | undefined

  constructor(leader: ChildProcess) {
    this.#leader = leader
  }

  #kill(by: NodeJS.Signals): void {
    try {
      process.kill(-this.#leader.pid!, by)
    } catch {
      // All have ended by themselves.
    }
  }

  /** Ends it in order, or, after a while, in any case. */
  stop(): void {
    this.#kill('SIGTERM')
    this.#forced ??= setTimeout(() => this.#kill('SIGKILL'), graceMs)
  }

  /** Ends what the process has left behind. */
  end(): void {
    clearTimeout(this.#forced)
    this.#kill('SIGKILL')
  }
}

/** Without what tells a test runner that it is run by another one. */
function withoutTestContext(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const { NODE_TEST_CONTEXT: _, ...rest } = environment
  return rest
}
