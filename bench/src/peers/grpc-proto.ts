import { fileURLToPath } from 'node:url'
import { loadPackageDefinition, type ServiceClientConstructor } from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'

const root = fileURLToPath(new URL('../../../packages/server/proto', import.meta.url))

/** kuji's service, as its clients load it. */
export function loadKujiService(): ServiceClientConstructor {
  const definition = loadSync('kuji/v1/kuji.proto', { includeDirs: [root], longs: Number })
  const { kuji } = loadPackageDefinition(definition) as unknown as {
    readonly kuji: { readonly v1: { readonly Kuji: ServiceClientConstructor } }
  }
  return kuji.v1.Kuji
}
