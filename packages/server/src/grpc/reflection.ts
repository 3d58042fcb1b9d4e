import { readFileSync } from 'node:fs'
import type { Server, ServerDuplexStream } from '@grpc/grpc-js'
import type { MessageTypeDefinition } from '@grpc/proto-loader'
import { ReflectionService } from '@grpc/reflection'
import { type CallContext, stopping } from './call.ts'
import { descriptorFile } from './definitions.ts'

type Call = ServerDuplexStream<object, object>
type Reflect = (call: Call) => void

/**
 * Server reflection: tells tools like grpcurl what kuji.proto says. What proto-loader makes of a .proto file will not
 * do, since it leaves out which file needs which; so the descriptors are those of protoc.
 */
export function addReflection(server: Server, { streams }: CallContext): void {
  const described = { fileDescriptorProtos: splitFiles(readFileSync(descriptorFile)) }
  const reflection = new ReflectionService({ kuji: described as MessageTypeDefinition<object, object> })
  const bounded = (reflect: Reflect): Reflect => {
    return call => {
      const stream = { stop: () => call.emit('error', stopping) }
      streams.add(stream)
      call.once('close', () => streams.delete(stream))
      reflect(call)
      // It answers without looking whether anybody reads, and an answer is many times as long as its request.
      call.on('data', () => {
        if (call.writableNeedDrain) call.pause()
      })
      call.on('drain', () => call.resume())
    }
  }
  reflection.addToServer({
    addService: (definition, { ServerReflectionInfo }) =>
      server.addService(definition, { ServerReflectionInfo: bounded(ServerReflectionInfo as Reflect) }),
  })
}

/** The messages of a FileDescriptorSet, whose one field they are: a tag, the length as a varint, the bytes. */
function splitFiles(set: Buffer): Buffer[] {
  const files: Buffer[] = []
  for (let at = 0; at < set.length; ) {
    at++
    let length = 0
    for (let shift = 0, byte = 0x80; byte >= 0x80; shift += 7) {
      byte = set[at++]!
      length |= (byte & 0x7f) << shift
    }
    files.push(set.subarray(at, at + length))
    at += length
  }
  return files
}
