import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { ServiceDefinition } from '@grpc/grpc-js'
import {
  type ServiceDefinition as LoadedService,
  loadSync,
  type MessageTypeDefinition,
  type PackageDefinition,
} from '@grpc/proto-loader'
import { KujiError } from '@kuji/engine/contract'
import { readShapes } from './shapes.ts'
import { findWireFault } from './wire.ts'

// One level up from src and from dist alike.
const directory = fileURLToPath(new URL('../../proto/', import.meta.url))

/**
 * Only what is set is there, so that a field left out can be told from its default. Whole numbers of 64 bits are
 * JavaScript's: those up to 2^53 - 1 are exact, and larger ones stay larger, which the engine refuses.
 */
const options = { longs: Number, enums: String, defaults: false, includeDirs: [directory] }

/** kuji.proto as protoc compiles it; CONTRIBUTING.md has the command, and a test holds the two together. */
export const descriptorFile = `${directory}kuji.binpb`

const kujiPackage = loadSync('kuji/v1/kuji.proto', options)

const errorPackage = loadSync(['google/rpc/status.proto', 'google/rpc/error_details.proto'], options)

/** The messages of `grpc-status-details-bin`. */
export const errorMessages = {
  Status: messageOf(errorPackage, 'google.rpc.Status'),
  ErrorInfo: messageOf(errorPackage, 'google.rpc.ErrorInfo'),
  RetryInfo: messageOf(errorPackage, 'google.rpc.RetryInfo'),
}

function messageOf(definitions: PackageDefinition, name: string): MessageTypeDefinition<object, object> {
  return definitions[name] as MessageTypeDefinition<object, object>
}

export const serviceName = 'kuji.v1.Kuji'

const shapes = readShapes(readFileSync(descriptorFile))

/** The service, with requests that are not what they should be as values: grpc-js would answer them with INTERNAL. */
export const kujiService: ServiceDefinition = Object.fromEntries(
  Object.entries(kujiPackage[serviceName] as LoadedService).map(([name, method]) => [
    name,
    { ...method, requestDeserialize: readOrRefuse(method) },
  ]),
)

function readOrRefuse({ requestDeserialize, requestType }: LoadedService[string]) {
  const { name } = requestType.type as { readonly name: string }
  const shape = shapes.get(`.kuji.v1.${name}`)!
  return (bytes: Buffer): object => {
    const fault = findWireFault(bytes, shape)
    if (fault !== undefined) return refuse(fault)
    try {
      return requestDeserialize(bytes)
    } catch (error) {
      return refuse((error as Error).message)
    }
  }
}

function refuse(fault: string): KujiError {
  return new KujiError('INVALID', `the request is not the message that it should be: ${fault}`)
}
