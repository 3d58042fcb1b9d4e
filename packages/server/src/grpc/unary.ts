import type { handleUnaryCall, UntypedServiceImplementation } from '@grpc/grpc-js'
import { KujiError, type Receipt } from '@kuji/engine/contract'
import type { Caller } from '../access/caller.ts'
import { encodePool, encodeReceipt, encodeSummary } from './answers.ts'
import { type CallContext, callerOf, checkRequest, describeFailure } from './call.ts'
import {
  type DrawMessage,
  decodeAction,
  decodeDraw,
  decodeManifest,
  decodePage,
  type IdMessage,
  type PageMessage,
  type PoolMessage,
  type PutPoolMessage,
  type SetPoolStatusMessage,
  type UpdateItemMessage,
} from './requests.ts'

/** Every call with one request and one answer: decode, one call of the service, encode. */
export function unaryMethods(context: CallContext): UntypedServiceImplementation {
  const { service } = context
  return {
    Draw: draw(context),
    GetReceipt: unary(context, async (caller, { id = 0 }: IdMessage) =>
      encodeReceipt(await service.receipt(caller, id)),
    ),
    GetPool: unary(context, async (caller, { pool = '' }: PoolMessage) =>
      encodePool(await service.pool(caller, pool)),
    ),
    ListPools: unary(context, async (caller, request: PageMessage) => {
      const { after, size } = decodePage(request)
      // One more than asked for tells whether there is a next page.
      const found = await service.pools(caller, { after, limit: size + 1 })
      const pools = found.slice(0, size)
      const next = found.length > size ? { nextPageToken: pools.at(-1)!.id } : {}
      return { pools: pools.map(encodeSummary), ...next }
    }),
    PutPool: unary(context, async (caller, { pool, ...options }: PutPoolMessage) =>
      service.putPool(caller, decodeManifest(pool), options),
    ),
    UpdateItem: unary(context, async (caller, request: UpdateItemMessage) => {
      const { pool = '', item = '', ifVersion, ...update } = request
      const options = ifVersion === undefined ? {} : { ifVersion }
      return encodeSummary(await service.updateItem(caller, pool, item, update, options))
    }),
    SetPoolStatus: unary(context, async (caller, { pool = '', status }: SetPoolStatusMessage) =>
      encodeSummary(await service.changeStatus(caller, pool, decodeAction(status))),
    ),
    DeletePool: unary(context, async (caller, { pool = '' }: PoolMessage) =>
      encodeSummary(await service.changeStatus(caller, pool, 'delete')),
    ),
  }
}

/** The same without a promise: draws are many. */
function draw(context: CallContext): handleUnaryCall<DrawMessage | KujiError, object> {
  const { meter } = context
  return (call, callback) => {
    meter.requests++
    if (call.cancelled) return
    const answer = (_token: number, answer: Receipt | KujiError): void => {
      if (answer instanceof KujiError) {
        callback(describeFailure(context, call.getPath(), answer))
        return
      }
      meter.answered(answer)
      callback(null, encodeReceipt(answer))
    }
    try {
      const caller = callerOf(context, call.metadata)
      const { pool, ...options } = decodeDraw(checkRequest(call.request))
      context.draws.add({ caller, sink: { answer }, token: 0, pool, options })
    } catch (error) {
      callback(describeFailure(context, call.getPath(), error))
    }
  }
}

/** What a call that was cancelled or has run out of time would be told is dropped by grpc-js. */
function unary<Request extends object>(
  context: CallContext,
  answer: (caller: Caller, request: Request) => Promise<object>,
): handleUnaryCall<Request | KujiError, object> {
  const run = async (metadata: Parameters<typeof callerOf>[1], request: Request | KujiError) =>
    answer(callerOf(context, metadata), checkRequest(request))
  return (call, callback) => {
    context.meter.requests++
    // Its caller is gone before anything was done.
    if (call.cancelled) return
    run(call.metadata, call.request).then(
      value => callback(null, value),
      error => callback(describeFailure(context, call.getPath(), error)),
    )
  }
}
