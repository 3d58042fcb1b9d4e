export type {
  Code,
  ErrorFields,
  ItemManifest,
  ItemState,
  ItemUpdate,
  Json,
  LogChange,
  LogEvent,
  Mode,
  PoolManifest,
  PoolState,
  PoolSummary,
  PutResult,
  Receipt,
  Status,
  Stock,
  WatchOptions,
} from '@kuji/engine/contract'
export { codes, KujiError, limits } from '@kuji/engine/contract'
export type { Health } from './answers.ts'
export { KujiClient } from './client.ts'
export type { CallOptions, ClientChangeOptions, ClientDrawOptions, ClientOptions } from './options.ts'
