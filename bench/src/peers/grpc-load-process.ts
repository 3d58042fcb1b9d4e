import type { ClientHttp2Session, ClientHttp2Stream } from 'node:http2'
import { connect } from 'node:http2'
import { campaign } from './campaign.ts'
import { service } from './grpc-messages.ts'

/**
 * The load on a gRPC server: `CALL PORT IN_FLIGHT COUNT SECONDS`, where CALL is Draw or DrawStream. It speaks HTTP/2
 * itself and sends the same bytes again and again: a client of grpc-js would take more time than the server. Prints
 * requests and seconds as JSON; ends with an error where a draw was refused.
 */

const [, , call = '', ...numbers] = process.argv
const [port = 0, inFlight = 0, count = 0, seconds = 0] = numbers.map(Number)
const draw = { pool: campaign.pool, ...(count === 1 ? {} : { count }) }
const message = frame(service[call]!.requestSerialize(call === 'Draw' ? draw : { draw, correlationId: '1' }))
/** The least that an answer without an error has. */
const leastBytes = count * 2
const headers = {
  ':method': 'POST',
  ':path': service[call]!.path,
  'content-type': 'application/grpc+proto',
  te: 'trailers',
}

let answered = 0
let ending = false

/** A message behind its flag and its length. */
function frame(bytes: Buffer): Buffer {
  const head = Buffer.alloc(5)
  head.writeUInt32BE(bytes.length, 1)
  return Buffer.concat([head, bytes])
}

function fail(why: string): never {
  process.stderr.write(`${call} after ${answered} answers: ${why}\n`)
  process.exit(1)
}

function open(session: ClientHttp2Session): ClientHttp2Stream {
  const stream = session.request(headers)
  stream.on('trailers', ({ 'grpc-status': status, 'grpc-message': text }) => {
    if (status !== '0') fail(`status ${status}: ${text}`)
  })
  return stream.on('error', error => fail(error.message))
}

/** One call after another. */
function unaryLane(session: ClientHttp2Session): Promise<void> {
  return new Promise(resolve => {
    const next = (): void => {
      if (ending) {
        resolve()
        return
      }
      let bytes = 0
      const stream = open(session)
      stream.on('data', (chunk: Buffer) => {
        bytes += chunk.length
      })
      stream.on('end', () => {
        if (bytes < leastBytes) fail(`an answer of ${bytes} bytes`)
        answered++
        next()
      })
      stream.end(message)
    }
    next()
  })
}

/** All on one stream: each answer sets off a request. */
function streamLane(session: ClientHttp2Session): Promise<void> {
  return new Promise(resolve => {
    const stream = open(session)
    let left = inFlight
    let head = Buffer.alloc(0)
    let body = 0
    stream.on('data', (chunk: Buffer) => {
      let finished = 0
      for (let at = 0; at < chunk.length; ) {
        if (body > 0) {
          const step = Math.min(body, chunk.length - at)
          at += step
          body -= step
          if (body > 0) break
          finished++
          continue
        }
        const step = Math.min(5 - head.length, chunk.length - at)
        head = Buffer.concat([head, chunk.subarray(at, at + step)])
        at += step
        if (head.length < 5) break
        body = head.readUInt32BE(1)
        if (body < leastBytes) fail(`an answer of ${body} bytes`)
        head = Buffer.alloc(0)
      }
      if (finished === 0) return
      answered += finished
      if (!ending) stream.write(finished === 1 ? message : Buffer.concat(Array(finished).fill(message)))
      else if ((left -= finished) === 0) stream.end()
    })
    stream.on('end', resolve)
    for (let k = 0; k < inFlight; k++) stream.write(message)
  })
}

const session = connect(`http://127.0.0.1:${port}`, { settings: { initialWindowSize: 4 * 1024 * 1024 } })
session.on('error', error => fail(error.message))
await new Promise(resolve => session.once('connect', resolve))
session.setLocalWindowSize(16 * 1024 * 1024)
const began = performance.now()
setTimeout(() => {
  ending = true
}, seconds * 1000)
if (call === 'Draw') await Promise.all(Array.from({ length: inFlight }, () => unaryLane(session)))
else await streamLane(session)
const elapsed = (performance.now() - began) / 1000
session.close()
process.stdout.write(`${JSON.stringify({ requests: answered, seconds: elapsed })}\n`)
