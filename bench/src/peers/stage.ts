import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import type { Cores } from './cores.ts'
import { pathOf } from './programs.ts'

export interface ServerCommand {
  readonly name: string
  readonly command: string
  readonly args: readonly string[]
  readonly directory: string
  readonly stopSignal?: NodeJS.Signals
  /** Files and connections that it has to be able to hold open. */
  readonly openFiles?: number
  /** Asked again and again until it says yes; a throw counts as no. */
  readonly isReady: () => Promise<boolean>
}

/** A server that was started. */
export interface Served {
  readonly pid: number
  /** Ends it before the stage closes. */
  stop(): Promise<void>
}

/** A program that goes on beside the others. */
export interface Background {
  running(): boolean
  stop(): Promise<void>
}

/** Bounds for what hangs, not for a machine that is busy. */
const readyTimeoutMs = 300_000
const stopTimeoutMs = 60_000
/** What a program that is run to its end may take beyond what it was asked to. */
const runTimeoutMs = 300_000
/** Of what a process printed, that much is kept for the message when it fails. */
const keptOutput = 4000

interface StageSettings {
  /** The directory for the stage's own. */
  readonly within: string
  readonly smoke: boolean
  /** What load generators are asked to take. */
  readonly seconds: number
  readonly cores: Cores | null
}

/** Everything that a contest starts and writes, so that nothing of it is left afterwards, whichever way it ends. */
export class Stage {
  readonly directory: string
  /** Sizes are cut to what shows that it runs. */
  readonly smoke: boolean
  readonly #cores: Cores | null
  readonly #runTimeoutMs: number
  readonly #servers: { readonly child: ChildProcess; readonly stopSignal: NodeJS.Signals }[] = []
  readonly #loads = new Set<ChildProcess>()
  readonly #closers: (() => void)[] = []
  readonly #deaths: string[] = []
  #directories = 0

  constructor({ within, smoke, seconds, cores }: StageSettings) {
    this.directory = mkdtempSync(join(within, 'kuji-peers-'))
    // A server that refuses to run as root needs to reach its directory in here.
    chmodSync(this.directory, 0o711)
    this.smoke = smoke
    this.#cores = cores
    this.#runTimeoutMs = runTimeoutMs + 5000 * seconds
  }

  newDirectory(name: string): string {
    const path = join(this.directory, `${++this.#directories}-${name}`)
    mkdirSync(path, { mode: 0o700 })
    return path
  }

  /** Something of this process that has to be let go of at the end. */
  onClose(close: () => void): void {
    this.#closers.push(close)
  }

  /** Starts a server on the servers' cores and waits until it is ready. */
  async serve(server: ServerCommand): Promise<Served> {
    const { name, directory, stopSignal = 'SIGTERM', openFiles = 0, isReady } = server
    const [command = '', ...args] = [...raisedLimit(openFiles), server.command, ...server.args]
    const child = this.#spawn(command, args, this.#cores?.server, directory)
    this.#servers.push({ child, stopSignal })
    const output = collect(child)
    child.once('exit', (code, signal) => {
      if (child.killed) return
      this.#deaths.push(`${name} has ended by itself, with ${code ?? signal}: ${output.all().trim()}`)
    })
    const deadline = performance.now() + readyTimeoutMs
    while (!(await isReady().catch(() => false))) {
      if (hasEnded(child)) throw new Error(`${name} did not start: ${output.all().trim()}`)
      if (performance.now() > deadline) throw new Error(`${name} is not ready: ${output.all().trim()}`)
      await setTimeout(20)
    }
    return { pid: child.pid!, stop: () => stop(child, stopSignal) }
  }

  /** Servers that ended without being asked to, and what they said. */
  get deaths(): readonly string[] {
    return this.#deaths
  }

  /** Runs a program to its end on the cores of the load, and returns what it printed. */
  async run(command: string, args: readonly string[], input = ''): Promise<string> {
    const child = this.#spawn(command, args, this.#cores?.load, this.directory)
    this.#loads.add(child)
    const output = collect(child)
    child.stdin!.on('error', () => {})
    child.stdin!.end(input)
    // Some generators try for ever to connect to a server that has gone.
    const timer = globalThis.setTimeout(() => child.kill('SIGKILL'), this.#runTimeoutMs)
    const code = await new Promise(resolve => child.once('close', (exit, signal) => resolve(exit ?? signal)))
    clearTimeout(timer)
    this.#loads.delete(child)
    if (code !== 0) throw new Error(`${[command, ...args].join(' ')}: code ${code}: ${output.all().trim()}`)
    return output.printed()
  }

  /** Starts a program that goes on beside the others, on the cores of the load, up to the line that it then prints. */
  async background(
    command: string,
    args: readonly string[],
    line: string,
    openFiles = 0,
  ): Promise<Background> {
    const [first = '', ...rest] = [...raisedLimit(openFiles), command, ...args]
    const child = this.#spawn(first, rest, this.#cores?.load, this.directory)
    this.#servers.push({ child, stopSignal: 'SIGKILL' })
    const output = collect(child)
    while (!output.printed().includes(`${line}\n`)) {
      if (hasEnded(child)) throw new Error(`${[command, ...args].join(' ')}: ${output.all().trim()}`)
      await setTimeout(20)
    }
    return { running: () => !hasEnded(child), stop: () => stop(child, 'SIGKILL') }
  }

  /** Ends all processes and removes the directory. */
  async close(): Promise<void> {
    for (const close of this.#closers) close()
    for (const child of this.#loads) child.kill('SIGKILL')
    await Promise.all(this.#servers.map(({ child, stopSignal }) => stop(child, stopSignal)))
    this.#servers.length = 0
    rmSync(this.directory, { recursive: true, force: true })
  }

  #spawn(command: string, args: readonly string[], cores: string | undefined, cwd: string): ChildProcess {
    const pinned = cores === undefined ? [] : [pathOf('taskset'), '-c', cores]
    const [first = command, ...rest] = [...pinned, command, ...args]
    return spawn(first, rest, { cwd, stdio: 'pipe' })
  }
}

/** What has to stand before a command so that it may hold that many files open; nothing where it may anyway. */
function raisedLimit(openFiles: number): string[] {
  const limits = '/proc/self/limits'
  if (openFiles === 0 || !existsSync(limits)) return []
  const hard = /^Max open files\s+\S+\s+(\S+)/m.exec(readFileSync(limits, 'utf8'))?.[1] ?? 'unlimited'
  // Node raises its own limit up to the hard one. Beyond that, only root can.
  if (hard === 'unlimited' || Number(hard) >= openFiles) return []
  return [pathOf('prlimit'), `--nofile=${openFiles}:${openFiles}`]
}

function hasEnded({ exitCode, signalCode, pid }: ChildProcess): boolean {
  return pid === undefined || exitCode !== null || signalCode !== null
}

async function stop(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (hasEnded(child)) return
  const ended = new Promise(resolve => child.once('exit', resolve))
  child.kill(signal)
  const timer = globalThis.setTimeout(() => child.kill('SIGKILL'), stopTimeoutMs)
  await ended
  clearTimeout(timer)
}

/** Reads what a process prints, so that it never blocks on a full pipe. */
function collect(child: ChildProcess): { printed: () => string; all: () => string } {
  let printed = ''
  let all = ''
  const keep = (text: string): void => {
    all = (all + text).slice(-keptOutput)
  }
  child.stdout!.setEncoding('utf8').on('data', (text: string) => {
    printed += text
    keep(text)
  })
  child.stderr!.setEncoding('utf8').on('data', keep)
  child.once('error', error => keep(error.message))
  return { printed: () => printed, all: () => all }
}

/** Whether somebody listens on a loopback port. */
export function isListening(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}

/** Below those that systems give to whoever asks for any port: nobody is given one of them by the way. */
const [firstPort, lastPort] = [20_000, 32_000]

/** A loopback port that nobody listens on at the moment. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    const port = randomInt(firstPort, lastPort)
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(freePort())
      else reject(error)
    })
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(port)))
  })
}
