import type { KujiError } from '@kuji/engine/contract'

/** What a caller may do: draw; read pools, receipts and events; change pools. None includes another. */
export const scopes = ['draw', 'read', 'admin'] as const

export type Scope = (typeof scopes)[number]

/** Whoever makes a request, as its API key tells; without keys configured, `anonymous`. */
export interface Caller {
  /** The name of the key, for the log. */
  readonly name: string
  readonly scopes: ReadonlySet<Scope>
  /** Counts requests against the limit of the key. Returns the refusal, or null. */
  admit(requests: number): KujiError | null
}

/** Finds the caller behind an API key. Throws `UNAUTHENTICATED`. */
export interface Access {
  /** Whether keys are configured: without any, everybody on this machine is `anonymous` and may do all. */
  readonly required: boolean
  authenticate(key: string | undefined): Caller
}
