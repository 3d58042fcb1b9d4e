import { Redis } from 'ioredis'
import {
  ClientClosedError,
  ClientOfflineError,
  createClient,
  DisconnectsClientError,
  ErrorReply,
  SocketClosedUnexpectedlyError,
} from 'redis'
import type { DrawRequest, Outcome, Request } from '../../history/index.ts'
import { manifestOf } from '../manifest.ts'
import { readShown } from './answers.ts'
import type { Door } from './door.ts'
import { isOfConnection, LostAnswer, refusal } from './door.ts'
import { type Fields, fieldsOf, flagOf, listOf, textOf, wholeOf } from './shape.ts'

/** Sends one command; rejects with an error of the server, or of the connection. */
type Send = (command: readonly string[]) => Promise<unknown>

/** What there has to be of a client that others have made. */
interface Library {
  readonly send: Send
  /** Tells what the server said from what became of the connection. */
  readonly isRefusal: (error: Error) => boolean
  readonly isLoss: (error: Error) => boolean
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
    })
    redis.on('error', () => {})
    await connect(redis.connect(), isLossOfIoredis)
    return new RespDoor({
      send: ([name, ...words]) => redis.call(name!, ...words),
      isRefusal: error => error.name === 'ReplyError',
      isLoss: isLossOfIoredis,
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
    // What it cannot read it tells as an event, and goes on waiting.
    const unreadable = Promise.withResolvers<never>()
    unreadable.promise.catch(() => {})
    client.on('error', (error: Error) => {
      if (!isLossOfNodeRedis(error)) unreadable.reject(error)
    })
    await connect(client.connect(), isLossOfNodeRedis)
    return new RespDoor({
      send: command => Promise.race([client.sendCommand([...command]), unreadable.promise]),
      isRefusal: error => error instanceof ErrorReply,
      isLoss: isLossOfNodeRedis,
      isBroken: () => !client.isReady,
      end: () => client.destroy(),
    })
  }

  async send(request: Request, patienceMs: number): Promise<Outcome> {
    const { send, isRefusal, isLoss } = this.#library
    try {
      return readAnswer(request, await withPatience(send(commandFor(request)), patienceMs))
    } catch (error) {
      if (isLoss(error as Error)) throw new LostAnswer('connection', error)
      if (isRefusal(error as Error)) return refusal((error as Error).message.split(' ', 1)[0]!)
      throw error
    }
  }

  close(): void {
    this.#library.end()
  }
}

function commandFor(request: Request): string[] {
  const { pool } = request
  switch (request.kind) {
    case 'draw':
      return drawCommand(request)
    case 'put':
      return ['PUTPOOL', pool, JSON.stringify(manifestOf(request))]
    case 'restock':
      return ['RESTOCK', pool, request.item, `${request.units}`]
    case 'read':
      return ['POOL', pool]
    default:
      throw new Error(`RESP has no command for ${request.kind}`)
  }
}

function readAnswer({ kind }: Request, reply: unknown): Outcome {
  if (kind === 'draw') {
    const [id, ...items] = listOf(reply)
    return { kind: 'drawn', id: wholeOf(id), items: items.map(textOf) }
  }
  const fields = readMap(reply)
  if (kind === 'read') return readShown(fields, readMap)
  const version = wholeOf(fields.version)
  if (kind !== 'put') return { kind: 'changed', version }
  return { kind: 'changed', version, changed: flagOf(toFlag(fields.changed)) }
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

/** RESP3 has maps, which node-redis asks for; RESP2 has names and values in turn. */
function readMap(reply: unknown): Fields {
  if (!Array.isArray(reply)) return fieldsOf(reply)
  const map: Record<string, unknown> = Object.create(null)
  for (let k = 0; k < reply.length; k += 2) map[textOf(reply[k])] = reply[k + 1]
  return map
}

/** RESP2 has numbers for yes and no. */
function toFlag(value: unknown): unknown {
  return value === 1 ? true : value === 0 ? false : value
}

async function connect(connected: Promise<unknown>, isLoss: Library['isLoss']): Promise<void> {
  try {
    await connected
  } catch (error) {
    throw isLoss(error as Error) ? new LostAnswer('connection', error) : error
  }
}

/** ioredis tells most of it by words alone. */
const lossesOfIoredis = new Set([
  'Connection is closed.',
  "Stream isn't writeable and enableOfflineQueue options is false",
  'Command aborted due to connection close',
  'connect ETIMEDOUT',
])

function isLossOfIoredis(error: Error): boolean {
  return (
    isOfConnection(error) || error.name === 'MaxRetriesPerRequestError' || lossesOfIoredis.has(error.message)
  )
}

const lossesOfNodeRedis = [
  ...[ClientClosedError, ClientOfflineError, DisconnectsClientError],
  ...[SocketClosedUnexpectedlyError],
]

function isLossOfNodeRedis(error: Error): boolean {
  return isOfConnection(error) || lossesOfNodeRedis.some(kind => error instanceof kind)
}

/** The libraries go on counting replies, so one that comes late is nobody else's. */
function withPatience(reply: Promise<unknown>, patienceMs: number): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new LostAnswer('timeout')), patienceMs)
    reply.then(resolve, reject).finally(() => clearTimeout(late))
  })
}
