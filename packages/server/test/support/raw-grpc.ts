import { once } from 'node:events'
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type Settings,
} from 'node:http2'
import type { TestContext } from 'node:test'

/** How a call ended: the grpc-status, or how the stream did where none came. */
export interface RawEnd {
  readonly status: number | undefined
  readonly headers: IncomingHttpHeaders
  readonly reset: number | undefined
}

/** A connection of bare HTTP/2, for what no gRPC client would send. */
export class RawConnection {
  readonly session: ClientHttp2Session

  private constructor(session: ClientHttp2Session) {
    this.session = session
  }

  static async open(context: TestContext, port: number, settings: Settings = {}): Promise<RawConnection> {
    const session = connect(`http://127.0.0.1:${port}`, { settings })
    session.on('error', () => {})
    context.after(() => session.destroy())
    await once(session, 'remoteSettings')
    return new RawConnection(session)
  }

  start(method: string, headers: OutgoingHttpHeaders = {}): ClientHttp2Stream {
    const stream = this.session.request({
      ':method': 'POST',
      ':path': method.startsWith('/') ? method : `/kuji.v1.Kuji/${method}`,
      'content-type': 'application/grpc+proto',
      te: 'trailers',
      ...headers,
    })
    return stream.on('error', () => {})
  }

  /** Sends bytes as the whole body of a call. */
  async call(method: string, body: Buffer, headers?: OutgoingHttpHeaders): Promise<RawEnd> {
    const stream = this.start(method, headers)
    stream.end(body)
    return endOf(stream)
  }
}

/** How a call ends; what it is answered is let go by. */
export async function endOf(stream: ClientHttp2Stream): Promise<RawEnd> {
  const headers: IncomingHttpHeaders = {}
  stream.on('response', (found: IncomingHttpHeaders) => Object.assign(headers, found))
  stream.on('trailers', (found: IncomingHttpHeaders) => Object.assign(headers, found))
  stream.resume()
  if (!stream.closed) await once(stream, 'close')
  const status = headers['grpc-status']
  return { status: status === undefined ? undefined : Number(status), headers, reset: stream.rstCode }
}

/** A message in its frame. The length may be said to be another. */
export function frame(message: Buffer, length = message.length, flags = 0): Buffer {
  const head = Buffer.alloc(5)
  head[0] = flags
  head.writeUInt32BE(length, 1)
  return Buffer.concat([head, message])
}

/** A field of bytes. */
export function field(number: number, bytes: Buffer): Buffer {
  const length = []
  for (let left = bytes.length; ; left >>>= 7) {
    length.push(left < 0x80 ? left : (left & 0x7f) | 0x80)
    if (left < 0x80) break
  }
  return Buffer.concat([Buffer.from([(number << 3) | 2, ...length]), bytes])
}
