import { Server, ServerCredentials, type ServerDuplexStream, type sendUnaryData } from '@grpc/grpc-js'
import { loadKujiService } from './grpc-proto.ts'

/** A process that answers every draw with the same receipt: what grpc-js costs by itself. Takes its port. */

const receipt = {
  id: 1_000_000,
  pool: 'summer',
  items: ['sticker'],
  version: 1,
  at: { seconds: 1_795_000_000, nanos: 0 },
  replayed: false,
}

interface StreamRequest {
  readonly correlationId: string
}

const server = new Server()
server.addService(loadKujiService().service, {
  Draw: (_call: unknown, answer: sendUnaryData<unknown>) => answer(null, receipt),
  DrawStream: (stream: ServerDuplexStream<StreamRequest, unknown>) => {
    stream.on('data', ({ correlationId }: StreamRequest) => stream.write({ correlationId, receipt }))
    stream.once('end', () => stream.end())
  },
})
server.bindAsync(`127.0.0.1:${process.argv[2]}`, ServerCredentials.createInsecure(), error => {
  if (error !== null) throw error
})
