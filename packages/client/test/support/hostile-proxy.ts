import { once } from 'node:events'
import { createServer, request as forward, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'

/** What becomes of one request on its way to a real server, and of the answer on its way back. */
export type Mishap =
  | 'none'
  /** The connection breaks before the request has reached anybody. */
  | 'lost on the way there'
  /** The request takes place; the connection breaks instead of the answer. */
  | 'lost on the way back'
  /** The request takes place; half of its answer comes. */
  | 'half an answer'
  /** The request takes place; what answers is no kuji. */
  | 'garbage'
  /** The request takes place; no answer ever comes. */
  | 'silence'
  /** The request takes place; a proxy gives up on the answer. */
  | 'gateway timeout'
  /** The request goes no further: the queue is full. */
  | 'overloaded'
  /** The same, and the server wants a long pause. */
  | 'overloaded for an hour'
  /** The request goes no further: a proxy has nobody to send it to. */
  | 'unavailable'

export interface SeenRequest {
  readonly method: string
  readonly path: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

/** A proxy in front of a server, where things go wrong as told. */
export interface HostileProxy {
  readonly url: string
  /** Every request, in order. */
  readonly seen: SeenRequest[]
  /** What becomes of the next requests; those after them pass. */
  plan(...mishaps: Mishap[]): void
  /** What becomes of each request from now on. */
  always(choose: () => Mishap): void
  /** Lets what comes from now on wait for the next `moveTo`, as whoever restarts a server may have it. */
  hold(): void
  /** Sends what comes from now on, and what waits, to another server. */
  moveTo(url: string): void
}

export async function startHostileProxy(context: TestContext, target: string): Promise<HostileProxy> {
  const planned: Mishap[] = []
  let choose = (): Mishap => 'none'
  const seen: SeenRequest[] = []
  let server = target
  let open = Promise.withResolvers<void>()
  open.resolve()
  const proxy = createServer(async (request, response) => {
    const { method = '', url = '', headers } = request
    const body = await readText(request).catch(() => undefined)
    // Given up before it was there.
    if (body === undefined) return
    await open.promise
    seen.push({ method, path: url, headers, body })
    await answer(planned.shift() ?? choose(), server, { method, path: url, headers, body }, response)
  })
  proxy.listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  context.after(() => {
    proxy.closeAllConnections()
    proxy.close()
  })
  return {
    url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    seen,
    plan: (...mishaps) => planned.push(...mishaps),
    always: next => {
      choose = next
    },
    hold: () => {
      open = Promise.withResolvers()
    },
    moveTo: next => {
      server = next
      open.resolve()
    },
  }
}

async function answer(
  mishap: Mishap,
  target: string,
  request: SeenRequest,
  response: ServerResponse,
): Promise<void> {
  if (mishap === 'lost on the way there') return void response.destroy()
  if (mishap === 'unavailable') return void response.writeHead(503).end('<h1>no backend</h1>')
  if (mishap === 'overloaded' || mishap === 'overloaded for an hour') {
    const problem = { code: 'OVERLOADED', detail: 'the queue is full', status: 503, title: '', type: '' }
    const seconds = mishap === 'overloaded' ? 0 : 3600
    const headers = { 'content-type': 'application/problem+json', 'retry-after': String(seconds) }
    return void response.writeHead(503, headers).end(JSON.stringify(problem))
  }
  const passed = await pass(target, request).catch(() => undefined)
  if (passed === undefined) return void response.destroy()
  const { statusCode = 500, headers } = passed
  if (mishap === 'none') return void passed.pipe(response.writeHead(statusCode, headers))
  const text = await readText(passed).catch(() => undefined)
  if (text === undefined || mishap === 'lost on the way back') response.destroy()
  else if (mishap === 'garbage')
    response.writeHead(200).end('<html>welcome to the free network of this hotel')
  else if (mishap === 'gateway timeout') response.writeHead(504).end('<h1>504</h1>')
  else if (mishap === 'half an answer') {
    response.writeHead(statusCode, { ...headers, 'content-length': String(Buffer.byteLength(text)) })
    response.write(text.slice(0, text.length / 2), () => response.destroy())
  }
}

async function pass(target: string, { method, path, headers, body }: SeenRequest): Promise<IncomingMessage> {
  const { host: _, connection: __, ...rest } = headers
  const passed = forward(target + path, { method, headers: rest, agent: false })
  passed.end(body)
  const [response] = (await once(passed, 'response')) as [IncomingMessage]
  return response
}

async function readText(message: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of message.setEncoding('utf8')) text += chunk
  return text
}
