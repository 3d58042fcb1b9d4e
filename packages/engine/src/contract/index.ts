export type { Code } from './codes.ts'
export { codes } from './codes.ts'
export type { ErrorFields } from './error.ts'
export { KujiError } from './error.ts'
export type { EngineEvent } from './events.ts'
export { limits } from './limits.ts'
export type {
  ChangeOptions,
  DrawManyOptions,
  DrawManyReceipt,
  DrawOptions,
  Durability,
  ItemIndexes,
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
} from './types.ts'
