import { type ClientDuplexStream, credentials, type ServiceError } from '@grpc/grpc-js'
import { loadKujiService } from './grpc-proto.ts'

/**
 * A process that draws over gRPC: `KIND PORT COUNT SECONDS`, KIND being `unary` or `stream`. So many draws are in
 * flight at any time, on one connection. It prints what it did as JSON.
 */

const [kind, port, count, seconds] = [process.argv[2], ...process.argv.slice(3).map(Number)]
const inFlight = 50
const pool = 'summer'
const request = count === 1 ? { pool } : { pool, count }

interface Receipt {
  readonly items: readonly string[]
}

interface StreamResponse {
  readonly receipt?: Receipt
  readonly error?: unknown
}

interface KujiClient {
  Draw(message: object, done: (error: ServiceError | null, receipt?: Receipt) => void): void
  DrawStream(): ClientDuplexStream<object, StreamResponse>
  close(): void
}

const Client = loadKujiService()
const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure()) as unknown as KujiClient

let requests = 0
const start = performance.now()
const end = start + seconds! * 1000

/** Counts an answer and tells whether there is time for another one. */
function note(receipt: Receipt | null | undefined): boolean {
  if (receipt?.items.length !== count)
    throw new Error(`expected ${count} items, got ${receipt?.items.length}`)
  requests++
  return performance.now() < end
}

function unaryLane(): Promise<void> {
  return new Promise((resolve, reject) => {
    const ask = (): void =>
      client.Draw(request, (error, receipt) => {
        if (error !== null) reject(error)
        else if (note(receipt)) ask()
        else resolve()
      })
    ask()
  })
}

function stream(): Promise<void> {
  return new Promise((resolve, reject) => {
    const call = client.DrawStream()
    const ask = (): void => void call.write({ draw: request })
    let open = inFlight
    call.on('data', ({ receipt }: StreamResponse) => {
      if (note(receipt)) ask()
      else if (--open === 0) call.end()
    })
    call.once('error', reject).once('end', resolve)
    for (let k = 0; k < inFlight; k++) ask()
  })
}

if (kind === 'stream') await stream()
else await Promise.all(Array.from({ length: inFlight }, unaryLane))
client.close()
const took = (performance.now() - start) / 1000
process.stdout.write(`${JSON.stringify({ rate: requests / took, requests })}\n`)
