import { loadSync, type MessageTypeDefinition } from '@grpc/proto-loader'
import type { Kind, MessageShape } from './wire.ts'

interface FileDescriptorSet {
  readonly file: readonly { readonly package: string; readonly messageType: readonly MessageDescriptor[] }[]
}

interface MessageDescriptor {
  readonly name: string
  readonly field: readonly {
    readonly number: number
    readonly type: string
    readonly typeName: string
  }[]
  readonly nestedType: readonly MessageDescriptor[]
}

/** The shapes of all messages in a FileDescriptorSet, by their full names, which begin with a dot. */
export function readShapes(set: Buffer): ReadonlyMap<string, MessageShape> {
  const { 'google.protobuf.FileDescriptorSet': type } = loadSync('google/protobuf/descriptor.proto', {
    keepCase: false,
    enums: String,
    defaults: true,
    arrays: true,
  })
  const { file } = (type as MessageTypeDefinition<object, object>).deserialize(set) as FileDescriptorSet
  const found = new Map<string, { shape: Map<number, Kind>; descriptor: MessageDescriptor }>()
  const gather = (scope: string, messages: readonly MessageDescriptor[]) => {
    for (const descriptor of messages) {
      const name = `${scope}.${descriptor.name}`
      found.set(name, { shape: new Map(), descriptor })
      gather(name, descriptor.nestedType)
    }
  }
  for (const { package: name, messageType } of file) gather(`.${name}`, messageType)
  // Behind all of them: messages may hold one another, themselves too.
  for (const { shape, descriptor } of found.values()) {
    for (const { number, type, typeName } of descriptor.field) {
      if (type === 'TYPE_STRING') shape.set(number, 'text')
      else if (type === 'TYPE_MESSAGE') shape.set(number, found.get(typeName)!.shape)
    }
  }
  return new Map([...found].map(([name, { shape }]) => [name, shape]))
}
