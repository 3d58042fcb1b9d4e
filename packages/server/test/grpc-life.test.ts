import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { create, fromBinary } from '@bufbuild/protobuf'
import {
  type FileDescriptorProto,
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
} from '@bufbuild/protobuf/wkt'
import { type Client, credentials, loadPackageDefinition, makeGenericClientConstructor } from '@grpc/grpc-js'
import { loadSync, type ServiceDefinition } from '@grpc/proto-loader'
import type { AnswerSink, EngineStatus, Kuji } from '@kuji/engine'
import { service as healthService } from 'grpc-health-check'
import { certificate } from './support/certificate.ts'
import { Code, connectTo, descriptors, next, Requests, refusalOf } from './support/grpc-client.ts'
import { openDoor } from './support/grpc-door.ts'
import { eventually } from './support/grpc-eventually.ts'
import { serve, temporaryDirectory, writeConfiguration } from './support/processes.ts'

const draw = { pool: 'summer' }

type Callback = (error: { code: number } | null, value?: { status: string }) => void

interface HealthClient extends Client {
  check(request: object, done: Callback): void
  watch(request: object): AsyncIterable<{ status: string }>
}

function healthOf(port: number) {
  const Health = makeGenericClientConstructor(healthService, 'Health')
  const client = new Health(`127.0.0.1:${port}`, credentials.createInsecure()) as unknown as HealthClient
  const check = (service?: string) =>
    new Promise(resolve => {
      client.check({ service }, (error, value) => resolve(error?.code ?? value?.status))
    })
  const watch = (service: string) => client.watch({ service })[Symbol.asyncIterator]()
  return { client, check, watch }
}

test('health follows the engine, for those who ask and for those who watch', async context => {
  let state: EngineStatus['state'] = 'open'
  const engine = (kuji: Kuji): Partial<Kuji> => ({ status: () => ({ ...kuji.status(), state }) })
  const { port, door } = await openDoor(context, { engine })
  const { client, check, watch } = healthOf(port)
  context.after(() => client.close())
  const watched = watch('kuji.v1.Kuji')
  const unknown = watch('nobody')
  assert.equal((await next(watched)).status, 'SERVING')
  assert.equal((await next(unknown)).status, 'SERVICE_UNKNOWN')
  assert.deepEqual(await Promise.all([check(), check('kuji.v1.Kuji'), check('nobody')]), [
    'SERVING',
    'SERVING',
    5,
  ])
  for (const other of ['read-only', 'failed', 'open'] as const) {
    state = other
    const serving = other === 'open' ? 'SERVING' : 'NOT_SERVING'
    assert.equal(await check(), serving, other)
    if (other !== 'failed') assert.equal((await next(watched)).status, serving)
  }
  const stopped = door.stop(5000)
  assert.equal((await next(watched)).status, 'NOT_SERVING')
  await assert.rejects(watched.next(), { code: 14 })
  await assert.rejects(unknown.next(), { code: 14 })
  client.close()
  await stopped
})

interface Reflection extends Client {
  ServerReflectionInfo(): import('@grpc/grpc-js').ClientDuplexStream<object, ReflectionAnswer>
}

interface ReflectionAnswer {
  readonly listServicesResponse?: { readonly service: readonly { readonly name: string }[] }
  readonly fileDescriptorResponse?: { readonly fileDescriptorProto: readonly Buffer[] }
}

function reflectionOf(port: number): Reflection {
  const file = import.meta
    .resolve('@grpc/reflection')
    .replace(/src\/.*$/, 'proto/grpc/reflection/v1/reflection.proto')
  const loaded = loadPackageDefinition(loadSync(new URL(file).pathname)) as Record<string, never>
  // biome-ignore lint/suspicious/noExplicitAny: what a package holds is known when it is loaded
  const { ServerReflection } = (loaded as any).grpc.reflection.v1
  return new ServerReflection(`127.0.0.1:${port}`, credentials.createInsecure())
}

test('a client that knows nothing learns the calls from the server, and draws', async context => {
  const { port } = await openDoor(context)
  const client = reflectionOf(port)
  context.after(() => client.close())
  const call = client.ServerReflectionInfo()
  call.write({ listServices: '*' })
  const [listed] = (await once(call, 'data')) as [ReflectionAnswer]
  assert.deepEqual(
    listed.listServicesResponse?.service.map(({ name }) => name),
    ['kuji.v1.Kuji'],
  )
  call.write({ fileContainingSymbol: 'kuji.v1.Kuji' })
  const [found] = (await once(call, 'data')) as [ReflectionAnswer]
  call.end()
  const file = found.fileDescriptorResponse!.fileDescriptorProto.map(bytes =>
    fromBinary(FileDescriptorProtoSchema, bytes),
  )
  assert.deepEqual(file.map(({ name }) => name).sort(), descriptors.file.map(({ name }) => name).sort())
  // A set is in the order in which its files need one another.
  const described = create(FileDescriptorSetSchema, {
    file: file.toSorted((a, b) => a.dependency.length - b.dependency.length),
  })
  assert.equal((await connectTo(port, { described }).draw(draw)).id, 1n)
})

test('reflection can be turned off', async context => {
  const { port } = await openDoor(context, { reflection: false })
  const client = reflectionOf(port)
  context.after(() => client.close())
  const call = client.ServerReflectionInfo()
  const [error] = (await once(call, 'error')) as [{ code: number }]
  assert.equal(error.code, 12)
})

interface EnumFacts {
  readonly name: string
  readonly value: readonly { readonly name: string; readonly number: number }[]
}

function factsOfEnum({ name, value }: EnumFacts): unknown[] {
  return [name, value.map(entry => [entry.name, entry.number])]
}

/** What matters on the wire, in the order of the file. */
function factsOf({ service, messageType, enumType }: FileDescriptorProto): unknown {
  const last = (name: string) => name.split('.').at(-1)
  return {
    methods: service[0]?.method.map(method => [
      method.name,
      last(method.inputType),
      last(method.outputType),
      method.clientStreaming,
      method.serverStreaming,
    ]),
    messages: messageType.map(message => [
      message.name,
      message.field.map(({ name, number, type, label, typeName }) => [
        name,
        number,
        type,
        label,
        last(typeName),
      ]),
      message.oneofDecl.map(({ name }) => name),
      message.enumType.map(factsOfEnum),
    ]),
    enums: enumType.map(factsOfEnum),
  }
}

test('the descriptors say what kuji.proto says', () => {
  const proto = new URL('../proto/kuji/v1/kuji.proto', import.meta.url).pathname
  const service = loadSync(proto, { keepCase: true })['kuji.v1.Kuji'] as ServiceDefinition
  const files = service.Draw!.requestType.fileDescriptorProtos
  const loaded = files.map(bytes => fromBinary(FileDescriptorProtoSchema, bytes))
  const compiled = descriptors.file.find(({ name }) => name === 'kuji/v1/kuji.proto')!
  assert.deepEqual(factsOf(compiled), factsOf(loaded.find(file => file.package === 'kuji.v1')!))
})

test('over TLS, and not in the clear', async context => {
  const { port, door } = await openDoor(context, { tls: certificate })
  assert.match(door.url, /^grpcs:/)
  assert.equal((await connectTo(port, { ca: certificate.cert }).draw(draw)).id, 1n)
  assert.equal((await refusalOf(connectTo(port).draw(draw))).code, null)
})

/** An engine that keeps draws back until it is told to make them. */
function holdDraws() {
  const waiting: (() => void)[] = []
  const engine = (kuji: Kuji): Partial<Kuji> => ({
    drawTo: (sink: AnswerSink, token: number, pool: string, options?: object) =>
      void waiting.push(() => kuji.drawTo(sink, token, pool, options)),
  })
  const answer = () => {
    for (const make of waiting.splice(0)) make()
  }
  return { waiting, engine, answer }
}

test('a call whose time is over ends, and the same key tells what became of its draw', async context => {
  const { waiting, engine, answer } = holdDraws()
  const { port, kuji, lines } = await openDoor(context, { engine })
  const client = connectTo(port)
  const request = { ...draw, count: 3, key: 'k' }
  // No time goes by until the call has arrived: one that is over before would never do so.
  context.mock.timers.enable({ apis: ['setTimeout'] })
  const late = refusalOf(client.draw(request, { timeoutMs: 50 }))
  while (waiting.length === 0) await turn()
  context.mock.timers.tick(50)
  assert.equal((await late).status, Code.DeadlineExceeded)
  context.mock.timers.reset()
  const leaving = new AbortController()
  const left = refusalOf(client.draw(request, { signal: leaving.signal }))
  await eventually(() => waiting.length === 2)
  leaving.abort()
  assert.equal((await left).status, Code.Canceled)
  answer()
  await eventually(async () => (await kuji.pool('summer')).drawn === 3)
  const again = client.draw(request)
  await eventually(() => waiting.length === 1)
  answer()
  const { id, items, replayed } = await again
  assert.deepEqual([id, items.length, replayed], [1n, 3, true])
  assert.deepEqual(lines, [])
})

test('a stream that is cancelled ends, and the draws under way take place', async context => {
  const { waiting, engine, answer } = holdDraws()
  const { port, kuji, lines } = await openDoor(context, { engine })
  const leaving = new AbortController()
  const requests = new Requests()
  requests.send({ draw }, { draw })
  const answers = connectTo(port).drawStream(requests, { signal: leaving.signal })[Symbol.asyncIterator]()
  const first = refusalOf(answers.next())
  await eventually(() => waiting.length === 2)
  leaving.abort()
  assert.equal((await first).status, Code.Canceled)
  answer()
  await eventually(async () => (await kuji.pool('summer')).drawn === 2)
  assert.deepEqual(lines, [])
})

test('a stop finishes what is under way, ends the streams behind it, and takes nothing more', async context => {
  const { waiting, engine, answer } = holdDraws()
  const { port, door } = await openDoor(context, { engine })
  const client = connectTo(port)
  const unary = client.draw(draw)
  const requests = new Requests()
  requests.send({ draw, correlationId: 'under way' })
  const answers = client.drawStream(requests)[Symbol.asyncIterator]()
  const streamed = next(answers)
  let standing = () => {}
  const stands = new Promise<void>(resolve => {
    standing = resolve
  })
  const watched = refusalOf(
    client
      .watch({}, { onHeader: () => standing() })
      [Symbol.asyncIterator]()
      .next(),
  )
  await stands
  await eventually(() => waiting.length === 2)
  const stopped = door.stop(60_000)
  const { status, code, message } = await watched
  assert.deepEqual([status, code], [Code.Unavailable, null])
  assert.match(message, /the server stops/)
  assert.equal((await refusalOf(connectTo(port).draw(draw))).status, Code.Unavailable)
  answer()
  assert.equal((await unary).items.length, 1)
  const { correlationId, outcome } = await streamed
  assert.deepEqual([correlationId, outcome.case], ['under way', 'receipt'])
  assert.equal((await refusalOf(answers.next())).status, Code.Unavailable)
  requests.end()
  await stopped
})

test('a stop cuts what takes longer than its deadline', async context => {
  const { waiting, engine } = holdDraws()
  const { port, door, lines, meter } = await openDoor(context, { engine })
  const call = refusalOf(connectTo(port).draw(draw))
  await eventually(() => waiting.length === 1)
  await door.stop(20)
  assert.equal((await call).code, null)
  assert.match(lines.join(''), /cut off/)
  await eventually(() => meter.connections === 0)
})

test('kuji serve opens the door of its configuration, and SIGTERM closes it in order', async context => {
  const dir = temporaryDirectory(context)
  const yaml = `durability: os
segmentBytes: 65536
http: { listen: 127.0.0.1:0 }
grpc: { listen: 127.0.0.1:0 }
pools: [{ id: summer, items: [{ id: a, weight: 1, stock: unlimited }] }]
`
  const server = await serve(context, [writeConfiguration(dir, yaml)])
  const [, port] = /grpc:\/\/127\.0\.0\.1:(\d+)/.exec(server.stdout())!
  const client = connectTo(Number(port))
  assert.equal((await client.draw(draw)).id, 1n)
  const requests = new Requests()
  const answers = client.drawStream(requests)[Symbol.asyncIterator]()
  requests.send({ draw })
  await next(answers)
  const ended = server.stop('SIGTERM')
  assert.equal((await refusalOf(answers.next())).status, Code.Unavailable)
  requests.end()
  assert.equal((await ended).code, 0)
})
