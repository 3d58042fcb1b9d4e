import { Redis } from 'ioredis'
import { createClient } from 'redis'
import type { DrawRequest, Outcome, Request, ShownItem, Status, Stock } from '../../history/index.ts'
import { manifestOf } from '../manifest.ts'
import type { Door } from './door.ts'
import { patienceMs, refusal } from './door.ts'

type Reply = string | number | Reply[]

/** Sends one command; rejects with an error of the server, or of the connection. */
type Send = (command: readonly string[]) => Promise<Reply>

/** What there has to be of a client that others have made. */
interface Library {
  readonly send: Send
  /** Tells what the server said from what became of the connection. */
  readonly isRefusal: (error: Error) => boolean
  readonly isBroken: () => boolean
  readonly end: () => void
}

/** RESP by a client of others. */
export class RespDoor implements Door {
  readonly #library: Library

  private constructor(library: Library) {
    this.#library = library
  }

  get isBroken(): boolean {
    return this.#library.isBroken()
  }

  static async byIoredis(url: string): Promise<RespDoor> {
    const { hostname, port } = new URL(url)
    const redis = new Redis({
      ...{ host: hostname, port: Number(port), lazyConnect: true },
      // Nothing is sent again by itself: an attempt is one question.
      retryStrategy: () => null,
      ...{ maxRetriesPerRequest: 0, autoResendUnfulfilledCommands: false, enableOfflineQueue: false },
      commandTimeout: patienceMs,
    })
    redis.on('error', () => {})
    await redis.connect()
    return new RespDoor({
      send: ([name, ...words]) => redis.call(name!, ...words) as Promise<Reply>,
      isRefusal: error => error.name === 'ReplyError',
      isBroken: () => redis.status !== 'ready',
      end: () => redis.disconnect(),
    })
  }

  static async byNodeRedis(url: string): Promise<RespDoor> {
    const client = createClient({
      url,
      socket: { reconnectStrategy: false },
      disableOfflineQueue: true,
    })
    client.on('error', () => {})
    await client.connect()
    return new RespDoor({
      send: command => withPatience(client.sendCommand([...command]) as unknown as Promise<Reply>),
      isRefusal: error => /^[A-Z_]+ /.test(error.message),
      isBroken: () => !client.isReady,
      end: () => client.destroy(),
    })
  }

  async send(request: Request): Promise<Outcome> {
    try {
      return await this.#ask(request)
    } catch (error) {
      if (!this.#library.isRefusal(error as Error)) throw error
      return refusal((error as Error).message.split(' ', 1)[0]!)
    }
  }

  close(): void {
    this.#library.end()
  }

  async #ask(request: Request): Promise<Outcome> {
    const { pool } = request
    switch (request.kind) {
      case 'draw': {
        const [id, ...items] = (await this.#library.send(drawCommand(request))) as [number, ...string[]]
        return { kind: 'drawn', id, items }
      }
      case 'put': {
        const reply = readMap(
          await this.#library.send(['PUTPOOL', pool, JSON.stringify(manifestOf(request))]),
        )
        return { kind: 'changed', version: reply.version as number, changed: reply.changed === 1 }
      }
      case 'restock': {
        const reply = readMap(await this.#library.send(['RESTOCK', pool, request.item, `${request.units}`]))
        return { kind: 'changed', version: reply.version as number }
      }
      case 'read':
        return readPool(await this.#library.send(['POOL', pool]))
      default:
        throw new Error(`RESP has no command for ${request.kind}`)
    }
  }
}

function drawCommand({ pool, count, partial, key, recipient }: DrawRequest): string[] {
  return [
    ...['DRAW', pool],
    ...(count === 1 ? [] : ['COUNT', `${count}`]),
    ...(key === undefined ? [] : ['KEY', key]),
    ...(recipient === undefined ? [] : ['FOR', recipient]),
    ...(partial === true ? ['PARTIAL'] : []),
  ]
}

/** RESP2 has a map as names and values in turn. */
function readMap(reply: Reply): Record<string, Reply> {
  const words = reply as Reply[]
  const map: Record<string, Reply> = Object.create(null)
  for (let k = 0; k < words.length; k += 2) map[words[k] as string] = words[k + 1]!
  return map
}

function readPool(reply: Reply): Outcome {
  const { version, status, drawn, items } = readMap(reply)
  return {
    kind: 'shown',
    ...{ version: version as number, status: status as Status, drawn: drawn as number },
    items: (items as Reply[]).map((item): ShownItem => {
      const { id, stock, remaining, held, drawn: taken } = readMap(item)
      return {
        ...{ id: id as string, stock: stock as Stock, remaining: remaining as Stock },
        ...{ held: held as number, drawn: taken as number },
      }
    }),
  }
}

/** node-redis waits for ever, and goes on counting replies when one comes late. */
function withPatience(reply: Promise<Reply>): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error('no answer in time')), patienceMs)
    reply.then(resolve, reject).finally(() => clearTimeout(late))
  })
}
