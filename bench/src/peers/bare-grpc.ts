import { Server, ServerCredentials, type ServerDuplexStream } from '@grpc/grpc-js'
import { receiptOf, service } from './grpc-messages.ts'

/**
 * A process that answers every draw with the same receipt: what grpc-js costs by itself, with kuji's messages and used
 * as its guide shows. Takes its port.
 */

interface StreamRequest {
  readonly correlationId?: string
}

const receipt = receiptOf(1)
const server = new Server()
server.addService(service, {
  Draw: (_call: unknown, answer: (error: null, value: object) => void) => answer(null, receipt),
  DrawStream: (call: ServerDuplexStream<StreamRequest, object>) => {
    call.on('data', ({ correlationId }: StreamRequest) => call.write({ correlationId, receipt }))
    call.on('end', () => call.end())
  },
})
server.bindAsync(`127.0.0.1:${process.argv[2]}`, ServerCredentials.createInsecure(), error => {
  if (error !== null) throw error
})
