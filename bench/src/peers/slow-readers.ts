import type { Socket } from 'node:net'
import { connect } from 'node:net'

/** Connections that ask without end and never read an answer. They stop asking when nothing more is taken from them. */
export class SlowReaders {
  readonly #sockets: Socket[] = []

  constructor(port: number, request: string, count: number) {
    // As much at a time as fills a socket's buffer.
    const requests = Buffer.from(request.repeat(Math.ceil(65_536 / request.length)))
    for (let k = 0; k < count; k++) {
      const socket = connect(port, '127.0.0.1').pause()
      const ask = (): void => {
        while (socket.writable && socket.write(requests)) {}
      }
      socket.once('connect', ask).on('drain', ask)
      // To be cut off is what a slow reader may expect.
      socket.on('error', () => {})
      this.#sockets.push(socket)
    }
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy()
  }
}
