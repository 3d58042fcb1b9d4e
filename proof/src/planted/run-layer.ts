import { spawn } from 'node:child_process'
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
const graceMs = 10_000

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
  const tail: string[] = []
  let finding = ''
  let isLate = false
  const kill = (by: 'SIGTERM' | 'SIGKILL'): void => {
    try {
      process.kill(-child.pid!, by)
    } catch {
      // All have ended by themselves.
    }
  }
  let forced: NodeJS.Timeout | undefined
  const stop = (): void => {
    if (took === 0) took = (performance.now() - began) / 1000
    kill('SIGTERM')
    forced ??= setTimeout(kill, graceMs, 'SIGKILL')
  }
  signal.addEventListener('abort', stop)
  process.once('exit', stop)
  const timer = setTimeout(() => {
    isLate = true
    stop()
  }, seconds * 1000)
  const hear = (line: string): void => {
    tail.push(line)
    if (tail.length > lastLines) tail.shift()
    if (finding !== '') return
    finding = read(line)
    if (finding !== '') stop()
  }
  createInterface(child.stdout).on('line', hear)
  createInterface(child.stderr).on('line', hear)
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, ended) => {
      clearTimeout(timer)
      clearTimeout(forced)
      signal.removeEventListener('abort', stop)
      process.off('exit', stop)
      kill('SIGKILL')
      if (signal.aborted) reject(new Error('interrupted'))
      if (took === 0) took = (performance.now() - began) / 1000
      const end = (outcome: LayerResult['outcome'], told: string): void =>
        resolve({ outcome, seconds: took, finding: told })
      if (finding !== '') end('found', finding)
      else if (isLate) end('out of time', '')
      else if (code === 0) end('passed', '')
      else end('broken', `${tail.join('\n')}\n(ended by ${ended ?? `exit code ${code}`})`)
    })
  })
}

/** Without what tells a test runner that it is run by another one. */
function withoutTestContext(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const { NODE_TEST_CONTEXT: _, ...rest } = environment
  return rest
}
