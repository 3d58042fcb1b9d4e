import type { Socket } from 'node:net'
import { connect } from 'node:net'
import { setTimeout } from 'node:timers/promises'

/** A server that has taken nothing for so long, and answers others, has stopped reading. */
const quietMs = 500
const mostMs = 300_000
/** Between two questions of another client. */
const pauseMs = 10

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

  /**
   * Waits until the server takes nothing more from them, as it has to: it would fill its memory with answers. Returns
   * for how long another client had to wait for an answer meanwhile, at most, in milliseconds.
   */
  async stalled(askAsOther: () => Promise<unknown>): Promise<number> {
    const start = performance.now()
    let longest = 0
    for (;;) {
      const asked = performance.now()
      await askAsOther()
      const answered = performance.now()
      longest = Math.max(longest, answered - asked)
      // Taken by the kernel alone, while the server was too busy to answer, would not count.
      if (asked - this.#lastTaken > quietMs) return longest
      if (answered - start > mostMs) throw new Error('requests are taken, though no answer is read')
      await setTimeout(pauseMs)
    }
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy()
  }
}
