import { KujiError } from '@kuji/engine/contract'
import { serverLimits } from '../limits.ts'
import { PoolPageSchema, PoolStateSchema, PoolSummarySchema, PutResultSchema } from '../schema/answers.ts'
import { ItemUpdateSchema, PoolBodySchema } from '../schema/manifest.ts'
import type { PoolAction, Service } from '../service.ts'
import { answers, etag, ofCallers, ofChanges } from './answers.ts'
import type { HttpApp } from './app.ts'
import { changeIf, entityTag } from './preconditions.ts'
import { ItemParams, NoBody, PageQuery, PatchHeaders, PoolParams, PutHeaders } from './schemas.ts'

const tags = ['pools']

const summary = (description: string) => ({ description, schema: PoolSummarySchema })

const listSchema = {
  operationId: 'listPools',
  tags,
  summary: 'List pools',
  description: 'Pools in the order of their ids, in pages.',
  querystring: PageQuery,
  response: answers({ 200: { description: 'A page of pools.', schema: PoolPageSchema } }, ofCallers),
}

const readSchema = {
  operationId: 'getPool',
  tags,
  summary: 'Read a pool',
  description:
    'A pool with its live numbers. The entity tag is the version of its rules, to make a change for with `If-Match`. ' +
    'Stock and odds change with every draw and leave it as it is, so no read is answered with 304.',
  params: PoolParams,
  response: answers(
    {
      200: { description: 'The pool.', schema: PoolStateSchema, headers: etag },
    },
    ofCallers,
    ['POOL_NOT_FOUND'],
  ),
}

const putSchema = {
  operationId: 'putPool',
  tags,
  summary: 'Create a pool, or give it new rules',
  description:
    'What was drawn stays drawn: `stock` counts all units, those drawn included. Rules that are what they were make ' +
    'no new version.',
  params: PoolParams,
  headers: PutHeaders,
  body: PoolBodySchema,
  response: answers(
    {
      200: {
        description: 'The pool was there: a new version, or no change.',
        schema: PutResultSchema,
        headers: etag,
      },
      201: {
        description: 'The pool is new.',
        schema: PutResultSchema,
        headers: { ...etag, Location: { type: 'string', description: 'The path of the pool.' } },
      },
    },
    ofChanges,
    ['POOL_CLOSED', 'VERSION_CONFLICT'],
  ),
}

const patchSchema = {
  operationId: 'updateItem',
  tags,
  summary: 'Restock or reweigh an item',
  description: 'Makes a new version of the pool.',
  params: ItemParams,
  headers: PatchHeaders,
  body: ItemUpdateSchema,
  response: answers({ 200: { ...summary('The pool with its new version.'), headers: etag } }, ofChanges, [
    'POOL_NOT_FOUND',
    'ITEM_NOT_FOUND',
    'POOL_CLOSED',
    'VERSION_CONFLICT',
  ]),
}

export function addPoolRoutes(app: HttpApp, service: Service): void {
  addReadRoutes(app, service)
  addChangeRoutes(app, service)
  addActionRoutes(app, service)
}

function addReadRoutes(app: HttpApp, service: Service): void {
  app.get('/v1/pools', { schema: listSchema }, async request => {
    const { after, limit } = request.query
    const size = limit === undefined ? serverLimits.defaultPageSize : Number(limit)
    // One more than asked for tells whether there is a next page.
    const found = await service.pools(request.caller, {
      ...(after === undefined ? {} : { after }),
      limit: size + 1,
    })
    const pools = found.slice(0, size)
    return found.length > size ? { pools, next: pools.at(-1)?.id } : { pools }
  })

  app.get('/v1/pools/:pool', { schema: readSchema }, async (request, reply) => {
    const pool = await service.pool(request.caller, request.params.pool)
    reply.header('etag', entityTag(pool.version))
    return pool
  })
}

function addChangeRoutes(app: HttpApp, service: Service): void {
  app.put('/v1/pools/:pool', { schema: putSchema }, async (request, reply) => {
    const { pool } = request.params
    const { id = pool, ...rules } = request.body
    if (id !== pool) {
      throw new KujiError('INVALID', `id: expected "${pool}", the pool that the path names, or none`, {
        field: 'id',
      })
    }
    const result = await changeIf(request.headers, options =>
      service.putPool(request.caller, { id, ...rules }, options),
    )
    if (result.created) reply.code(201).header('location', `/v1/pools/${encodeURIComponent(id)}`)
    return reply.header('etag', entityTag(result.version)).send(result)
  })

  app.patch('/v1/pools/:pool/items/:item', { schema: patchSchema }, async (request, reply) => {
    const { pool, item } = request.params
    const result = await changeIf(request.headers, options =>
      service.updateItem(request.caller, pool, item, request.body, options),
    )
    return reply.header('etag', entityTag(result.version)).send(result)
  })
}

function addActionRoutes(app: HttpApp, service: Service): void {
  const add = (method: 'POST' | 'DELETE', url: string, action: PoolAction, words: string, answer: string) => {
    const schema = {
      operationId: `${action}Pool`,
      tags,
      summary: words,
      params: PoolParams,
      body: NoBody,
      response: answers({ 200: summary(answer) }, ofChanges, ['POOL_NOT_FOUND', 'POOL_CLOSED']),
    }
    app.route({
      schema,
      method,
      url,
      handler: async request => service.changeStatus(request.caller, request.params.pool, action),
    })
  }
  const paused = 'The pool; draws are refused until it is resumed.'
  add('POST', '/v1/pools/:pool/pause', 'pause', 'Refuse draws until resumed', paused)
  add('POST', '/v1/pools/:pool/resume', 'resume', 'Draw again after a pause', 'The pool; it draws again.')
  add(
    'POST',
    '/v1/pools/:pool/close',
    'close',
    'Refuse draws and changes for good',
    'The pool; it can be read.',
  )
  add('DELETE', '/v1/pools/:pool', 'delete', 'Forget a pool', 'The last state; its draws stay in the log.')
}
