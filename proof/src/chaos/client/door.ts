import type { Outcome, Request } from '../../history/index.ts'

/** Where a server listens. */
export interface Address {
  readonly life: number
  readonly http: string
  readonly resp: string
}

/** One connection, or a pool of them, to a server in one of its lives. */
export interface Door {
  /** Rejects where the answer is lost, and with it the outcome. */
  send(request: Request): Promise<Outcome>
  /** Whether its connection is gone. */
  readonly isBroken: boolean
  close(): void
}

/** How long a client waits for an answer. */
export const patienceMs = 4000

/** The outcome that an error code stands for. */
export function refusal(code: string): Outcome {
  return code === 'OUTCOME_UNKNOWN' ? { kind: 'unknown' } : { kind: 'refused', code }
}

export type Protocol = 'http' | 'ioredis' | 'node-redis'
