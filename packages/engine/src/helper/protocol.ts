import type { EngineEvent } from '../contract/index.ts'

/** What the helper thread is started with. */
export interface HelperStart {
  readonly directory: string
  readonly identity: Uint8Array
  readonly shard: number
  readonly retention: 'archive' | 'remove'
}

export type ToHelper =
  | { readonly kind: 'prepare'; readonly number: number; readonly bytes: number }
  | { readonly kind: 'sealed'; readonly number: number }
  | { readonly kind: 'close' }

export type FromHelper =
  | { readonly kind: 'prepared'; readonly number: number; readonly error?: { code: string; message: string } }
  | { readonly kind: 'event'; readonly event: EngineEvent }
  | { readonly kind: 'closed' }
