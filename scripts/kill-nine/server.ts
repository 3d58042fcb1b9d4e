import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const command = fileURLToPath(new URL('../../packages/server/bin/kuji.js', import.meta.url))
const startMostMs = 60_000

/** One `kuji serve`, from its start to its kill. */
export class Server {
  readonly #process: ChildProcess
  readonly #ended: Promise<unknown>
  /** Where it listens; rejects when it ends, or takes too long, before it does. */
  readonly listening: Promise<string>
  output = ''

  private constructor(file: string) {
    this.#process = spawn(process.execPath, [command, 'serve', file], { stdio: ['ignore', 'pipe', 'pipe'] })
    this.#ended = once(this.#process, 'close')
    this.listening = new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error('the server does not start')), startMostMs)
      void this.#ended.then(() => {
        clearTimeout(late)
        reject(new Error('the server ended before it listened'))
      })
      for (const stream of [this.#process.stdout!, this.#process.stderr!]) {
        stream.setEncoding('utf8').on('data', (text: string) => {
          this.output += text
          const url = /listens on (http:\S+)[\s\S]*Try:/.exec(this.output)?.[1]
          if (url === undefined) return
          clearTimeout(late)
          resolve(url)
        })
      }
    })
    // Whoever kills it while it starts does not wait for it to listen.
    this.listening.catch(() => {})
  }

  static spawn(file: string): Server {
    return new Server(file)
  }

  async kill(): Promise<void> {
    this.#process.kill('SIGKILL')
    await this.#ended
  }
}
