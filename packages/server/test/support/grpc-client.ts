import { readFileSync } from 'node:fs'
import { createFileRegistry, fromBinary, type JsonObject, type Message } from '@bufbuild/protobuf'
import { type FileDescriptorSet, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt'
import { type CallOptions, Code, ConnectError, createClient } from '@connectrpc/connect'
import { createGrpcTransport } from '@connectrpc/connect-node'

const compiled = readFileSync(new URL('../../proto/kuji.binpb', import.meta.url))

interface Time {
  readonly seconds: bigint
  readonly nanos: number
}

export interface Receipt {
  readonly id: bigint
  readonly pool: string
  readonly items: readonly string[]
  readonly version: bigint
  readonly at: Time
  readonly replayed: boolean
}

type Amount = { case: 'units'; value: bigint } | { case: 'unlimited'; value: boolean }

export interface Pool {
  readonly id: string
  readonly version: bigint
  readonly mode: number
  readonly status: number
  readonly drawn: bigint
  readonly fallback?: string
  readonly lastOne?: string
  readonly metadata?: unknown
  readonly items: readonly {
    readonly id: string
    readonly weight?: number
    readonly stock: { amount: Amount }
    readonly remaining: { amount: Amount }
    readonly drawn: bigint
    readonly odds: number
    readonly metadata?: unknown
  }[]
}

export interface Summary {
  readonly id: string
  readonly version: bigint
  readonly status: number
  readonly itemCount: number
  readonly remaining: { amount: Amount }
}

export interface StreamResponse {
  readonly correlationId: string
  readonly outcome:
    | { readonly case: 'receipt'; readonly value: Receipt }
    | {
        readonly case: 'error'
        readonly value: {
          readonly code: string
          readonly message: string
          readonly fields: JsonObject
          readonly retryAfterSeconds?: number
        }
      }
}

export interface WatchResponse {
  readonly lsn: bigint
  readonly continues: boolean
  readonly changes: readonly {
    readonly what:
      | {
          case: 'draws'
          value: { pool: string; id: bigint; items: string[]; key?: string; recipient?: string }
        }
      | { case: 'pool'; value: { pool: string; kind: number } }
  }[]
}

/** The calls of kuji.proto, as connect makes them of a description read when it runs. */
export interface KujiClient {
  draw(request: object, options?: CallOptions): Promise<Receipt & Message>
  drawStream(requests: AsyncIterable<object>, options?: CallOptions): AsyncIterable<StreamResponse>
  getReceipt(request: object): Promise<Receipt>
  getPool(request: object, options?: CallOptions): Promise<Pool>
  listPools(request: object): Promise<{ pools: readonly Summary[]; nextPageToken: string }>
  putPool(request: object): Promise<{ id: string; version: bigint; created: boolean; changed: boolean }>
  updateItem(request: object): Promise<Summary>
  setPoolStatus(request: object): Promise<Summary>
  deletePool(request: object): Promise<Summary>
  watch(request: object, options?: CallOptions): AsyncIterable<WatchResponse>
}

/** What protoc makes of kuji.proto. */
export const descriptors: FileDescriptorSet = fromBinary(FileDescriptorSetSchema, compiled)

interface ClientSetting {
  readonly key?: string
  readonly ca?: Buffer
  /** Default: what the .proto file says. */
  readonly described?: FileDescriptorSet
}

/** A client of another implementation than the server's, with nothing generated. */
export function connectTo(port: number, setting: ClientSetting = {}): KujiClient {
  const { key, ca, described = descriptors } = setting
  const transport = createGrpcTransport({
    baseUrl: `${ca === undefined ? 'http' : 'https'}://127.0.0.1:${port}`,
    interceptors: [
      next => request => {
        if (key !== undefined) request.header.set('authorization', `Bearer ${key}`)
        return next(request)
      },
    ],
    ...(ca === undefined ? {} : { nodeOptions: { ca, servername: 'localhost' } }),
  })
  const description = createFileRegistry(described).getService('kuji.v1.Kuji')!
  return createClient(description, transport) as unknown as KujiClient
}

export interface Refusal {
  readonly status: Code
  readonly code: string | null
  readonly message: string
  readonly fields: Record<string, unknown>
  readonly retryAfter: string | null
  readonly error: ConnectError
}

/** What a call that has to fail says. */
export async function refusalOf(call: Promise<unknown>): Promise<Refusal> {
  const error = await call.then(
    value => {
      throw new Error(`an answer came: ${String(value)}`)
    },
    (reason: unknown) => ConnectError.from(reason),
  )
  const { metadata, code: status, rawMessage: message } = error
  const fields = JSON.parse(metadata.get('kuji-fields') ?? '{}') as Record<string, unknown>
  return {
    status,
    code: metadata.get('kuji-code'),
    message,
    fields,
    retryAfter: metadata.get('retry-after'),
    error,
  }
}

/** Requests of a stream, as a test puts them in. */
export class Requests implements AsyncIterable<object> {
  readonly #waiting: object[] = []
  #ended = false
  #wake: () => void = () => {}

  send(...requests: readonly object[]): void {
    this.#waiting.push(...requests)
    this.#wake()
  }

  end(): void {
    this.#ended = true
    this.#wake()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<object> {
    for (;;) {
      while (this.#waiting.length > 0) yield this.#waiting.shift()!
      if (this.#ended) return
      await new Promise<void>(resolve => {
        this.#wake = resolve
      })
    }
  }
}

/** The next message of a stream. */
export async function next<Message>(stream: AsyncIterator<Message>): Promise<Message> {
  const { value, done } = await stream.next()
  if (done) throw new Error('the stream has ended')
  return value
}

export { Code }
