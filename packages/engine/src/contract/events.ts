/** What the engine tells while it works: recovery, snapshots, alarms. `message` is for people, `type` for programs. */
export interface EngineEvent {
  readonly type:
    | 'recovery-progress'
    | 'recovered'
    | 'leftover-removed'
    | 'snapshot-refused'
    | 'torn-batch-cut'
    | 'open-to-others'
    | 'snapshot-written'
    | 'segment-archived'
    | 'helper-failed'
    | 'keys-full'
    | 'disk-full'
    | 'disk-room'
    | 'log-failed'
  readonly level: 'info' | 'warn' | 'error'
  readonly message: string
  readonly [field: string]: string | number | boolean
}
