import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Address, Protocol } from './client/door.ts'
import type { Order, Setting } from './client/main.ts'

const program = fileURLToPath(new URL('./client/main.ts', import.meta.url))

/** The clients of a campaign: one connection for each request at once, and many requests on one. */
export const clients: readonly { name: string; protocol: Protocol; lanes: number; shared: boolean }[] = [
  { name: 'http', protocol: 'http', lanes: 8, shared: false },
  { name: 'ioredis', protocol: 'ioredis', lanes: 24, shared: true },
  { name: 'node-redis', protocol: 'node-redis', lanes: 6, shared: false },
]

/** A client of a campaign. */
export class ClientProcess {
  readonly #process: ChildProcess
  readonly ended: Promise<unknown>
  readonly ready: Promise<unknown>

  constructor(setting: Setting) {
    this.#process = fork(program, [JSON.stringify(setting)], {
      execArgv: ['--conditions=source'],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
    this.ended = once(this.#process, 'exit')
    this.ready = once(this.#process, 'message')
  }

  get exitCode(): number | null {
    return this.#process.exitCode
  }

  work(address: Address): void {
    this.#tell({ kind: 'work', address })
  }

  rest(): void {
    this.#tell({ kind: 'rest' })
  }

  finish(): void {
    this.#tell({ kind: 'finish' })
  }

  async kill(): Promise<void> {
    this.#process.kill('SIGKILL')
    await this.ended
  }

  #tell(order: Order): void {
    if (this.#process.connected) this.#process.send(order)
  }
}
