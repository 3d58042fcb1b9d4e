import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Address } from './client/door.ts'
import { now, sleep } from './clock.ts'

const command = fileURLToPath(new URL('../../../packages/server/bin/kuji.js', import.meta.url))
/** Node keeps compiled code here: half the time of a start. */
const compileCache = fileURLToPath(new URL('../../../node_modules/.cache/kuji-chaos', import.meta.url))
const startMostMs = 300_000
const endMostMs = 10_000
const lastLines = 20

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  /** When it was seen to have ended; nothing that it did came later. */
  readonly at: number
}

/** One `kuji serve`, from its start to its end. */
export class ServerProcess {
  readonly life: number
  readonly startedAt = now()
  readonly ended: Promise<Ended>
  /** Where it listens; rejects when it ends, or takes too long, before it does. */
  readonly listening: Promise<Address>
  readonly #process: ChildProcess
  #output = ''

  /** What it says is kept in `output`, a file. */
  constructor(life: number, file: string, output: string) {
    this.life = life
    this.#process = spawn(process.execPath, [command, 'serve', file], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, NODE_COMPILE_CACHE: compileCache },
    })
    appendFileSync(output, `--- life ${life}, process ${this.pid}\n`)
    for (const stream of [this.#process.stdout!, this.#process.stderr!]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.#output += text
        appendFileSync(output, text)
      })
    }
    this.ended = once(this.#process, 'close').then(([code, signal]) => {
      const at = now()
      appendFileSync(output, `--- ended with ${code ?? signal}\n`)
      return { code, signal, at }
    })
    this.listening = this.#listen()
    // Whoever kills it while it starts does not wait for it to listen.
    this.listening.catch(() => {})
  }

  get pid(): number {
    return this.#process.pid!
  }

  get hasEnded(): boolean {
    return this.#process.exitCode !== null || this.#process.signalCode !== null
  }

  get output(): string {
    return this.#output
  }

  /** How it has ended, with the last lines that it said; '' where it has not. */
  async lastWords(): Promise<string> {
    // What it leaves undone is noticed before its end is.
    const end = await Promise.race([this.ended, sleep(endMostMs)])
    if (end === undefined) return ''
    const lines = this.output.split('\n').filter(line => line !== '')
    const last = lines.slice(-lastLines).join('\n')
    return `the server has ended by itself, with ${end.code ?? end.signal}; it said last:\n${last}`
  }

  kill(signal: NodeJS.Signals): void {
    this.#process.kill(signal)
  }

  async #listen(): Promise<Address> {
    const { promise, resolve, reject } = Promise.withResolvers<Address>()
    const look = () => {
      const [, http, resp] = /listens on (http:\S+)\n.*?(redis:\S+)[\s\S]*Try:/.exec(this.#output) ?? []
      if (resp !== undefined) resolve({ life: this.life, http: http!, resp })
    }
    this.#process.stdout!.on('data', look)
    const late = setTimeout(
      () => reject(new Error(`the server does not start:\n${this.output}`)),
      startMostMs,
    )
    void this.ended.then(({ code, signal }) =>
      reject(new Error(`the server ended with ${code ?? signal} before it listened:\n${this.output}`)),
    )
    try {
      return await promise
    } finally {
      clearTimeout(late)
    }
  }
}
