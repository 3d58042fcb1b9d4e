import type { Socket } from 'node:net'
import { connect } from 'node:net'
import { setTimeout } from 'node:timers/promises'

/** A server that has taken nothing for so long has stopped reading. */
const quietMs = 500
const mostMs = 20_000

/** Connections that ask without end and never read an answer. */
export class SlowReaders {
  readonly #sockets: Socket[] = []
  #lastTaken = performance.now()

  constructor(port: number, request: string, count: number) {
    // As much at a time as fills a socket's buffer.
    const requests = Buffer.from(request.repeat(Math.ceil(65_536 / request.length)))
    for (let k = 0; k < count; k++) {
      const socket = connect(port, '127.0.0.1').pause()
      const ask = (): void => {
        this.#lastTaken = performance.now()
        while (socket.writable && socket.write(requests)) {}
      }
      socket.once('connect', ask).on('drain', ask)
      // To be cut off is what a slow reader may expect.
      socket.on('error', () => {})
      this.#sockets.push(socket)
    }
  }

  /** Waits until the server takes nothing more from them, as it has to: it would fill its memory with answers. */
  async stalled(): Promise<void> {
    const start = performance.now()
    while (performance.now() - this.#lastTaken < quietMs) {
      if (performance.now() - start > mostMs) throw new Error('requests are taken, though no answer is read')
      await setTimeout(quietMs / 10)
    }
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy()
  }
}
