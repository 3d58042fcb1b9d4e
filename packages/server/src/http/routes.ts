import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import { KujiError } from '@kuji/engine/contract'
import type {
  FastifyBaseLogger,
  FastifyInstance,
  FastifyReply,
  FastifyRequest,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from 'fastify'
import type { Caller } from '../access/caller.ts'
import { encodeReceipt } from '../json.ts'
import { serverLimits } from '../limits.ts'
import { ItemUpdateSchema, PoolBodySchema } from '../schema/manifest.ts'
import type { PoolAction, Service } from '../service.ts'
import { DrawBody, ItemParams, NoBody, PageQuery, PoolParams } from './schemas.ts'

export type HttpApp = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>

/** Every route: decode, one call of the service, encode. */
export function addRoutes(app: HttpApp, service: Service): void {
  addDrawRoutes(app, service)
  addPoolRoutes(app, service)
  addStatusRoutes(app, service)
  app.get('/healthz', async () => service.health())
}

/** Set by the hook that authenticates; see server.ts. */
function callerOf(request: FastifyRequest): Caller {
  return request.getDecorator<Caller>('caller')
}

/** Where a body may be left out, its fields all have defaults. */
function allowNoBody(request: FastifyRequest, _reply: FastifyReply, done: () => void): void {
  if (request.body === undefined) request.body = {}
  done()
}

function addDrawRoutes(app: HttpApp, service: Service): void {
  const schema = { params: PoolParams, body: DrawBody }
  app.post('/v1/pools/:pool/draws', { schema, preValidation: allowNoBody }, async (request, reply) => {
    const receipt = await service.draw(callerOf(request), { ...request.body, pool: request.params.pool })
    return reply.code(receipt.replayed ? 200 : 201).send(encodeReceipt(receipt))
  })
}

function addPoolRoutes(app: HttpApp, service: Service): void {
  app.get('/v1/pools', { schema: { querystring: PageQuery } }, async request => {
    const { after, limit } = request.query
    const size = limit === undefined ? serverLimits.defaultPageSize : Number(limit)
    // One more than asked for tells whether there is a next page.
    const found = await service.pools(callerOf(request), {
      ...(after === undefined ? {} : { after }),
      limit: size + 1,
    })
    const pools = found.slice(0, size)
    return found.length > size ? { pools, next: pools.at(-1)?.id } : { pools }
  })

  app.get('/v1/pools/:pool', { schema: { params: PoolParams } }, async request =>
    service.pool(callerOf(request), request.params.pool),
  )

  const putSchema = { params: PoolParams, body: PoolBodySchema }
  app.put('/v1/pools/:pool', { schema: putSchema }, async (request, reply) => {
    const { pool } = request.params
    const { id = pool, ...rules } = request.body
    if (id !== pool) {
      throw new KujiError('INVALID', `id: expected "${pool}", the pool that the path names, or none`, {
        field: 'id',
      })
    }
    const result = await service.putPool(callerOf(request), { id, ...rules })
    if (result.created) reply.code(201).header('location', `/v1/pools/${encodeURIComponent(id)}`)
    return result
  })

  const patchSchema = { params: ItemParams, body: ItemUpdateSchema }
  app.patch('/v1/pools/:pool/items/:item', { schema: patchSchema }, async request => {
    const { pool, item } = request.params
    return service.updateItem(callerOf(request), pool, item, request.body)
  })
}

function addStatusRoutes(app: HttpApp, service: Service): void {
  const options = { schema: { params: PoolParams, body: NoBody }, preValidation: allowNoBody }
  const add = (method: 'POST' | 'DELETE', url: string, action: PoolAction) =>
    app.route({
      ...options,
      method,
      url,
      handler: async request =>
        service.changeStatus(callerOf(request), (request.params as { pool: string }).pool, action),
    })
  add('POST', '/v1/pools/:pool/pause', 'pause')
  add('POST', '/v1/pools/:pool/resume', 'resume')
  add('POST', '/v1/pools/:pool/close', 'close')
  add('DELETE', '/v1/pools/:pool', 'delete')
}
