import type { TestContext } from 'node:test'
import { type Client, credentials, loadPackageDefinition, type ServiceError } from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'
import type { Kuji } from '@kuji/engine'
import type { PoolManifest, PoolState, PutResult } from '@kuji/engine/contract'
import { openAccess } from '../../../src/access/open-access.ts'
import type { Door, DoorOptions } from '../../../src/door.ts'
import { startGrpc } from '../../../src/grpc/server.ts'
import { startHttp } from '../../../src/http/server.ts'
import { createLogger } from '../../../src/logger.ts'
import type { Protocol } from '../../../src/metrics/meter.ts'
import { Metrics } from '../../../src/metrics/metrics.ts'
import { startResp } from '../../../src/resp/server.ts'
import { Service } from '../../../src/service.ts'
import { request } from '../requests.ts'
import { Refusal, type Reply, RespClient } from '../resp-client.ts'
import { type PoolAnswer, type ReceiptAnswer, Refused, type Way } from './way.ts'

async function openDoor(
  context: TestContext,
  kuji: Kuji,
  protocol: Protocol,
  start: (options: DoorOptions & { readonly metrics: Metrics }) => Promise<Door>,
): Promise<URL> {
  const log = createLogger(() => {})
  const listen = { host: '127.0.0.1', port: 0 }
  const service = new Service(kuji, openAccess, log)
  const metrics = new Metrics(() => service.health())
  const door = await start({ service, listen, log, meter: metrics.meterOf(protocol), metrics })
  context.after(() => door.stop(0))
  return new URL(door.url)
}

function remainingOf(items: PoolState['items']): PoolAnswer['remaining'] {
  return Object.fromEntries(items.map(({ id, remaining }) => [id, remaining]))
}

const answerOf = ({ version, status, drawn, items }: PoolState): PoolAnswer => ({
  version,
  status,
  drawn,
  remaining: remainingOf(items),
})

export function library(_context: TestContext, kuji: Kuji): Way {
  return {
    draw: (pool, options = {}) => kuji.draw(pool, options),
    receipt: id => kuji.receipt(id),
    pool: async id => answerOf(await kuji.pool(id)),
    pools: async () => (await kuji.pools()).map(({ id }) => id),
    put: manifest => kuji.putPool(manifest),
    update: async (pool, item, update) => (await kuji.updateItem(pool, item, update)).version,
    putFor: (manifest, ifVersion) => kuji.putPool(manifest, { ifVersion }),
  }
}

export async function http(context: TestContext, kuji: Kuji): Promise<Way> {
  const { origin } = await openDoor(context, kuji, 'http', startHttp)
  const ask = async <T>(method: string, path: string, body?: object, headers = {}): Promise<T> => {
    const answer = await request(origin, method, path, body, headers)
    if (answer.status < 400) return answer.body as T
    throw new Refused(String(answer.body.code), String(answer.body.detail))
  }
  const put = ({ id, ...rules }: PoolManifest, headers = {}) =>
    ask<PutResult>('PUT', `/v1/pools/${id}`, rules, headers)
  return {
    draw: (pool, { key, ...body } = {}) =>
      ask('POST', `/v1/pools/${pool}/draws`, body, key === undefined ? {} : { 'idempotency-key': key }),
    receipt: async id => {
      const { at, ...receipt } = await ask<ReceiptAnswer & { at: string }>('GET', `/v1/draws/${id}`)
      return { ...receipt, at: Date.parse(at) }
    },
    pool: async id => answerOf(await ask<PoolState>('GET', `/v1/pools/${id}`)),
    pools: async () => (await ask<{ pools: { id: string }[] }>('GET', '/v1/pools')).pools.map(({ id }) => id),
    put,
    update: async (pool, item, update) =>
      (await ask<{ version: number }>('PATCH', `/v1/pools/${pool}/items/${item}`, update)).version,
    putFor: (manifest, version) =>
      put(manifest, version === 0 ? { 'if-none-match': '*' } : { 'if-match': `"${version}"` }),
  }
}

export async function resp(context: TestContext, kuji: Kuji): Promise<Way> {
  const { port } = await openDoor(context, kuji, 'resp', startResp)
  const client = await RespClient.open(context, Number(port))
  await client.ask('HELLO', '3')
  // One connection, whose replies come in the order of its commands.
  let last: Promise<unknown> = Promise.resolve()
  const ask = async (...words: string[]): Promise<Reply> => {
    const answer = last.then(() => client.ask(...words))
    last = answer
    const reply = await answer
    if (reply instanceof Refusal) throw new Refused(reply.code, reply.message)
    return reply
  }
  const map = async <T>(...words: string[]): Promise<T> => objectOf(await ask(...words)) as T
  return {
    draw: async (pool, { count, key, recipient, partial } = {}) => {
      const words = ['DRAW', pool]
      if (count !== undefined) words.push('COUNT', String(count))
      if (key !== undefined) words.push('KEY', key)
      if (recipient !== undefined) words.push('FOR', recipient)
      if (partial === true) words.push('PARTIAL')
      const [id, ...items] = (await ask(...words)) as [number, ...string[]]
      return { id, items }
    },
    receipt: async id => {
      const { at, ...receipt } = await map<ReceiptAnswer & { at: string | number }>('RECEIPT', String(id))
      return { ...receipt, at: typeof at === 'number' ? at : Date.parse(at) }
    },
    pool: async id => answerOf(await map<PoolState>('POOL', id)),
    pools: async () => ((await ask('POOLS')) as Reply[]).map(pool => (objectOf(pool) as { id: string }).id),
    put: ({ id, ...rules }) => map('PUTPOOL', id, JSON.stringify(rules)),
    update: async (pool, item, { restock }) =>
      (await map<{ version: number }>('RESTOCK', pool, item, String(restock))).version,
  }
}

/** Maps as objects, all the way down. */
function objectOf(reply: Reply): unknown {
  if (Array.isArray(reply)) return reply.map(objectOf)
  if (!(reply instanceof Map)) return reply
  return Object.fromEntries([...reply].map(([name, value]) => [name, objectOf(value)]))
}

type GrpcMessage = Record<string, unknown>

export async function grpc(context: TestContext, kuji: Kuji): Promise<Way> {
  const { host } = await openDoor(context, kuji, 'grpc', startGrpc)
  const directory = new URL('../../../proto/', import.meta.url).pathname
  const options = { longs: Number, enums: String, defaults: true, includeDirs: [directory] }
  const loaded = loadPackageDefinition(loadSync('kuji/v1/kuji.proto', options)) as unknown as {
    kuji: { v1: { Kuji: new (host: string, secret: unknown) => Client } }
  }
  const client = new loaded.kuji.v1.Kuji(host, credentials.createInsecure())
  context.after(() => client.close())
  const ask = <T>(method: string, message: GrpcMessage): Promise<T> =>
    new Promise((resolve, reject) => {
      const call = (client as unknown as Record<string, (...parameters: unknown[]) => void>)[method]!
      call.call(client, message, (error: ServiceError | null, answer: T) => {
        if (error === null) resolve(answer)
        else reject(new Refused(String(error.metadata.get('kuji-code')[0]), error.details))
      })
    })
  const put = (manifest: PoolManifest, ifVersion?: number) =>
    ask<PutResult>('PutPool', { pool: messageOf(manifest), ifVersion })
  return {
    draw: (pool, draw = {}) => ask('Draw', { pool, ...draw }),
    receipt: async id => {
      type GrpcReceipt = Omit<ReceiptAnswer, 'at'> & { at: { seconds: number; nanos: number } }
      const { at, ...receipt } = await ask<GrpcReceipt>('GetReceipt', { id })
      return { ...receipt, at: at.seconds * 1000 + at.nanos / 1e6 }
    },
    pool: async pool => {
      const { version, status, drawn, items } = await ask<GrpcPool>('GetPool', { pool })
      const remaining = items.map(({ id, remaining: left }) => [
        id,
        left.unlimited ? 'unlimited' : left.units,
      ])
      const word = status.replace('POOL_STATUS_', '').toLowerCase()
      return { version, status: word, drawn, remaining: Object.fromEntries(remaining) }
    },
    pools: async () => (await ask<{ pools: { id: string }[] }>('ListPools', {})).pools.map(({ id }) => id),
    put,
    update: async (pool, item, update) =>
      (await ask<{ version: number }>('UpdateItem', { pool, item, ...update })).version,
    putFor: put,
  }
}

interface GrpcPool {
  readonly version: number
  readonly status: string
  readonly drawn: number
  readonly items: readonly { id: string; remaining: { units?: number; unlimited?: boolean } }[]
}

function messageOf({ items, ...rules }: PoolManifest): GrpcMessage {
  const stocked = items.map(({ stock, ...item }) => ({
    ...item,
    stock: stock === 'unlimited' ? { unlimited: true } : { units: stock },
  }))
  return { ...rules, items: stocked }
}
