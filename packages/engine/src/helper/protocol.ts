import type { EngineEvent } from '../contract/index.ts'

/** What the helper thread is started with. */
export interface HelperStart {
  readonly directory: string
  readonly identity: Uint8Array
  readonly shard: number
  readonly retention: 'archive' | 'remove'
}

export type ToHelper = { readonly kind: 'sealed'; readonly number: number } | { readonly kind: 'close' }

/** The helper tells of events, and says nothing else. */
export type FromHelper = EngineEvent
