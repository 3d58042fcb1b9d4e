import { fileURLToPath } from 'node:url'
import type { ServiceDefinition } from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'
import { campaign } from './campaign.ts'

const proto = fileURLToPath(new URL('../../../packages/server/proto/kuji/v1/kuji.proto', import.meta.url))

/** The calls of kuji.proto. */
export const service = loadSync(proto)['kuji.v1.Kuji'] as ServiceDefinition

/** A receipt of so many draws, as long as those that kuji gives. */
export function receiptOf(count: number): object {
  return {
    id: 1_000_000,
    pool: campaign.pool,
    items: Array.from({ length: count }, () => campaign.items[0].id),
    version: 1,
    at: { seconds: 1_790_000_000, nanos: 123_000_000 },
    replayed: false,
  }
}
