export type {
  ChangeOptions,
  Code,
  DrawManyOptions,
  DrawManyReceipt,
  DrawOptions,
  Durability,
  EngineEvent,
  ErrorFields,
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
} from './contract/index.ts'
export { codes, KujiError, limits } from './contract/index.ts'
export { inspectLog } from './inspect/inspect.ts'
export type { RepairOptions } from './inspect/repair.ts'
export { repairLog } from './inspect/repair.ts'
export type {
  LogFault,
  LogFaultKind,
  LoggedChange,
  LoggedDraws,
  LogLosses,
  LogObserver,
  LogProgress,
  LogReport,
  LostPool,
  RepairReport,
  SegmentEnd,
  SegmentReport,
  SnapshotReport,
} from './inspect/report.ts'
export type { EngineStatus, Kuji } from './kuji.ts'
export type { OpenOptions } from './open.ts'
export { open } from './open.ts'
export type { AnswerSink } from './writer/mailbox.ts'
export type { BatchReport } from './writer/options.ts'
