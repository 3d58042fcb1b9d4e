import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { TestContext } from 'node:test'

/** An error reply: its code and the rest of its line. */
export class Refusal {
  readonly code: string
  readonly message: string

  constructor(line: string) {
    const [code = '', ...words] = line.split(' ')
    this.code = code
    this.message = words.join(' ')
  }
}

/** A RESP3 double, so that it is told from a whole number. */
export class Double {
  readonly value: number

  constructor(value: number) {
    this.value = value
  }
}

export type Reply = string | number | boolean | null | Double | Refusal | Reply[] | Map<Reply, Reply>

/** A command as clients send it. */
export function encode(...words: readonly (string | Buffer)[]): Buffer {
  const pieces = [Buffer.from(`*${words.length}\r\n`)]
  for (const word of words) {
    const bytes = Buffer.from(word)
    pieces.push(Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from('\r\n'))
  }
  return Buffer.concat(pieces)
}

/** Reads replies to the letter, and holds the server to the protocol: what it cannot read is an error. */
export class RespClient {
  readonly socket: Socket
  #received = Buffer.alloc(0)
  readonly #arrived: Buffer[] = []
  #ended = false
  #wake: () => void = () => {}

  constructor(socket: Socket) {
    this.socket = socket
    const wake = () => this.#wake()
    socket.on('data', chunk => {
      this.#arrived.push(chunk as Buffer)
      wake()
    })
    for (const event of ['end', 'close']) {
      socket.on(event, () => {
        this.#ended = true
        wake()
      })
    }
    socket.on('error', () => {})
  }

  static async open(context: TestContext, port: number): Promise<RespClient> {
    const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true, noDelay: true })
    context.after(() => socket.destroy())
    await once(socket, 'connect')
    return new RespClient(socket)
  }

  write(bytes: string | Buffer): void {
    this.socket.write(bytes)
  }

  /** Sends a command and reads its reply. */
  async ask(...words: readonly (string | Buffer)[]): Promise<Reply> {
    this.write(encode(...words))
    return this.read()
  }

  async read(): Promise<Reply> {
    const line = await this.#line()
    const rest = line.slice(1)
    const list = async (count: number) => {
      const replies: Reply[] = []
      while (replies.length < count) replies.push(await this.read())
      return replies
    }
    switch (line[0]) {
      case '+':
        return rest
      case '-':
        return new Refusal(rest)
      case ':':
        return Number(rest)
      case ',':
        return new Double(Number(rest))
      case '#':
        return rest === 't'
      case '_':
        return null
      case '$':
        return rest === '-1' ? null : this.#bulk(Number(rest))
      case '*':
        return list(Number(rest))
      case '%': {
        const flat = await list(Number(rest) * 2)
        return new Map(flat.flatMap((key, at) => (at % 2 === 0 ? [[key, flat[at + 1]!]] : [])))
      }
    }
    throw new Error(`no reply: ${JSON.stringify(line)}`)
  }

  /** All that still comes until the server ends. */
  async rest(): Promise<string> {
    while (!this.#ended) await this.#woken()
    this.#gather()
    return this.#received.toString()
  }

  /** Reads replies until the server ends. */
  async readToEnd(): Promise<Reply[]> {
    await this.rest()
    const replies: Reply[] = []
    while (this.#received.length > 0) replies.push(await this.read())
    return replies
  }

  async #line(): Promise<string> {
    for (;;) {
      const end = this.#received.indexOf('\r\n')
      if (end >= 0) return this.#takeBytes(end, 2)
      await this.#more()
    }
  }

  async #bulk(length: number): Promise<string> {
    while (this.#received.length < length + 2) await this.#more()
    return this.#takeBytes(length, 2)
  }

  #takeBytes(length: number, behind: number): string {
    const text = this.#received.toString('utf8', 0, length)
    this.#received = this.#received.subarray(length + behind)
    return text
  }

  #gather(): void {
    this.#received = Buffer.concat([this.#received, ...this.#arrived.splice(0)])
  }

  async #more(): Promise<void> {
    if (this.#arrived.length > 0) {
      this.#gather()
      return
    }
    if (this.#ended) throw new Error(`the connection has ended; unread: ${this.#received.toString()}`)
    await this.#woken()
    this.#gather()
  }

  #woken(): Promise<void> {
    return new Promise(resolve => {
      this.#wake = resolve
    })
  }
}

/** Names and values in one array, as RESP2 has a map. */
export function pairs(reply: Reply): Record<string, Reply> {
  const flat = reply as Reply[]
  return Object.fromEntries(flat.flatMap((name, at) => (at % 2 === 0 ? [[name, flat[at + 1]]] : [])))
}
