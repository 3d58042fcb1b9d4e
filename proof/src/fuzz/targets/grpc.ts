import {
  status as codes,
  Metadata,
  type MethodDefinition,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js'
import { KujiError } from '@kuji/engine/contract'
import { openAccess } from '../../../../packages/server/src/access/open-access.ts'
import { kujiService } from '../../../../packages/server/src/grpc/definitions.ts'
import { Draws } from '../../../../packages/server/src/grpc/draws.ts'
import { type DrawStreamMessage, decodeDraw } from '../../../../packages/server/src/grpc/requests.ts'
import { unaryMethods } from '../../../../packages/server/src/grpc/unary.ts'
import { serverLimits } from '../../../../packages/server/src/limits.ts'
import { DoorMeter } from '../../../../packages/server/src/metrics/meter.ts'
import { mutateProtobuf } from '../mutate/protobuf.ts'
import { ServiceOnTrial } from '../server-parts.ts'
import { Defect, type FuzzTarget } from '../target.ts'

/** The first byte of an input tells the method. */
const methods = Object.keys(kujiService)
const changing = new Set(['Draw', 'PutPool', 'UpdateItem', 'SetPoolStatus', 'DeletePool'])

const item = (id: string, weight: number, more: object) => ({ id, weight, ...more })
const value = {
  structValue: { fields: { a: { listValue: { values: [{ nullValue: 0 }, { numberValue: 1.5 }] } } } },
}
const manifest = {
  id: 'new',
  mode: 'MODE_WEIGHTED',
  items: [
    item('a', 0.5, { stock: { units: 3 }, metadata: value }),
    item('b', 99.5, { stock: { unlimited: true } }),
  ],
  fallback: 'b',
  metadata: value,
}

const seeds: readonly [method: string, message: object][] = [
  ['Draw', { pool: 'summer', count: 3, partial: true, key: 'order-42', recipient: 'user-7' }],
  ['DrawStream', { draw: { pool: 'box' }, correlationId: 'c' }],
  ['GetReceipt', { id: 1 }],
  ['GetPool', { pool: 'summer' }],
  ['ListPools', { pageSize: 1, pageToken: 'a' }],
  ['PutPool', { pool: manifest, ifVersion: 0 }],
  ['UpdateItem', { pool: 'summer', item: 'diamond', restock: 5, weight: 2.25, ifVersion: 1 }],
  ['SetPoolStatus', { pool: 'summer', status: 'POOL_STATUS_PAUSED' }],
  ['DeletePool', { pool: 'box' }],
  ['Watch', { after: 7 }],
]

const caller = openAccess.authenticate(undefined)

type Handler = (
  call: object,
  callback: (error: { code: number; details: string } | null, value: object) => void,
) => void

/** Calls a method as grpc-js does. Returns whether it was carried out. */
function call(methodsOf: UntypedServiceImplementation, name: string, request: unknown, metadata: Metadata) {
  const path = kujiService[name]!.path
  const seen = { request, metadata, cancelled: false, getPath: () => path }
  return new Promise<boolean>((resolve, reject) => {
    const handler = methodsOf[name] as unknown as Handler
    handler(seen, (error, answer) => {
      try {
        if (error === null) kujiService[name]!.responseSerialize(answer)
        else if ([codes.INTERNAL, codes.UNKNOWN].includes(error.code))
          throw new Defect(`status ${error.code}\n${error.details}`)
        resolve(error === null)
      } catch (thrown) {
        reject(thrown)
      }
    })
  })
}

/** What the streams do with a message before they hand it on. */
function readStreamed(request: unknown): void {
  if (request instanceof KujiError) return
  try {
    decodeDraw((request as DrawStreamMessage).draw)
  } catch (error) {
    if (!(error instanceof KujiError)) throw error
  }
}

/** Messages of all calls, from their bytes through the engine to the bytes of the answer. */
const grpc: FuzzTarget = {
  mostBytes: serverLimits.grpcMessageBytes + 1,
  mutate(input, other, chance) {
    const method = chance.happens(0.97) ? (input[0] ?? 0) : chance.below(methods.length)
    return Buffer.concat([
      Uint8Array.of(method),
      mutateProtobuf(input.subarray(1), other.subarray(1), chance),
    ])
  },
  async seeds() {
    return seeds.map(([name, message]) => {
      const { requestSerialize } = kujiService[name] as MethodDefinition<object, object>
      return Buffer.concat([Uint8Array.of(methods.indexOf(name)), requestSerialize(message)])
    })
  },
  async open() {
    const trial = new ServiceOnTrial()
    const { service, log } = trial
    const metadata = new Metadata()
    const context = {
      service,
      log,
      meter: new DoorMeter('grpc'),
      draws: new Draws(service),
      streams: new Set<never>(),
      callers: new WeakMap([[metadata, caller]]),
    }
    const unary = unaryMethods(context)
    let changed = true
    return {
      async run(input) {
        const name = methods[(input[0] ?? 0) % methods.length]!
        const request: unknown = kujiService[name]!.requestDeserialize(Buffer.from(input.subarray(1)))
        if (unary[name] === undefined) return readStreamed(request)
        if (changed) await trial.reset()
        changed = true
        const done = await call(unary, name, request, metadata)
        changed = done && changing.has(name)
        await trial.check(changed)
      },
      close: () => trial.close(),
    }
  },
}

export default grpc
