import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url))

// Starting is most of what these tests wait for, and compiling is most of starting.
const compileCache = fileURLToPath(new URL('../../../../node_modules/.cache/kuji-tests', import.meta.url))

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunningServer {
  readonly url: string
  readonly process: ChildProcess
  readonly stdout: () => string
  readonly stderr: () => string
  /** Waits until stderr holds this text. */
  said(text: string): Promise<void>
  /** Sends the signal and waits for the end. */
  stop(signal?: NodeJS.Signals): Promise<Ended>
  readonly ended: Promise<Ended>
}

interface RunOptions {
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
}

/** A directory of the test's own, gone afterwards, and behind the servers that have it open. */
export function temporaryDirectory(context: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'kuji-test-'))
  context.after(async () => {
    await endServers(context)
    rmSync(dir, { recursive: true, force: true })
  })
  return dir
}

type Started = ReturnType<typeof start>

const serversOf = new WeakMap<TestContext, Started[]>()

async function endServers(context: TestContext): Promise<void> {
  const servers = serversOf.get(context) ?? []
  for (const { child } of servers) child.kill('SIGKILL')
  await Promise.all(servers.map(({ ended }) => ended))
}

/** Writes a configuration into a directory and returns its path. */
export function writeConfiguration(dir: string, yaml: string, name = 'kuji.yaml'): string {
  const file = join(dir, name)
  writeFileSync(file, yaml)
  return file
}

/** Starts `kuji …`, for those who do something to it before its end. */
export function start(commandLine: readonly string[], { cwd, env }: RunOptions = {}) {
  const child = spawn(process.execPath, ['--conditions=source', main, ...commandLine], {
    ...(cwd === undefined ? {} : { cwd }),
    env: { ...process.env, NODE_COMPILE_CACHE: compileCache, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A process that should have ended must not hold up the run for good.
    timeout: 600_000,
    killSignal: 'SIGKILL',
  })
  const text = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (text.stdout += chunk))
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (text.stderr += chunk))
  const ended = once(child, 'close').then(([code]): Ended => ({ code: code as number | null, ...text }))
  return { child, text, ended }
}

/** Runs `kuji …` to its end. */
export function kuji(commandLine: readonly string[], options: RunOptions = {}): Promise<Ended> {
  return start(commandLine, options).ended
}

/** Starts `kuji serve …`, and kills it at the end of the test. */
export function startServer(
  context: TestContext,
  commandLine: readonly string[],
  options: RunOptions = {},
): Started {
  const started = start(['serve', ...commandLine], options)
  serversOf.set(context, [...(serversOf.get(context) ?? []), started])
  context.after(() => endServers(context))
  return started
}

/** The same, and waits until it says where it listens. */
export async function serve(
  context: TestContext,
  commandLine: readonly string[],
  options: RunOptions = {},
): Promise<RunningServer> {
  const { child, text, ended } = startServer(context, commandLine, options)
  const url = await new Promise<string>((resolve, reject) => {
    const look = () => {
      const [, found] = /listens on (https?:\S+)[\s\S]*Try:\n.*\n/.exec(text.stdout) ?? []
      if (found !== undefined) resolve(found)
    }
    child.stdout.on('data', look)
    ended.then(({ code, stderr }) => reject(new Error(`kuji serve ended with ${code}:\n${stderr}`)))
  })
  // What it has said on stderr before is there to be read, and is read within this turn of the event loop.
  await new Promise(setImmediate)
  const stop = (signal: NodeJS.Signals = 'SIGTERM') => {
    child.kill(signal)
    return ended
  }
  const said = async (words: string) => {
    while (!text.stderr.includes(words)) await once(child.stderr, 'data')
  }
  return { url, said, process: child, stdout: () => text.stdout, stderr: () => text.stderr, stop, ended }
}

/** A server on a free port with these pools, in a directory of its own. */
export async function serveSample(
  context: TestContext,
  pools: string,
  options: RunOptions = {},
): Promise<RunningServer & { dir: string; file: string }> {
  const dir = temporaryDirectory(context)
  // Small files: the log is made ready in full size, which is time that no test here needs.
  const file = writeConfiguration(dir, `segmentBytes: 65536\nhttp: { listen: 127.0.0.1:0 }\n${pools}`)
  return { ...(await serve(context, [file], options)), dir, file }
}
