import { codes } from '@kuji/engine/contract'
import type { Outcome, Request } from '../../history/index.ts'

/** Where a server listens. */
export interface Address {
  readonly life: number
  readonly http: string
  readonly resp: string
}

/** One connection, or a pool of them, to a server in one of its lives. */
export interface Door {
  /** Rejects with `LostAnswer` where the outcome is not known; with anything else where the answer is none. */
  send(request: Request, patienceMs: number): Promise<Outcome>
  /** Whether its connection is gone. */
  readonly isBroken: boolean
  close(): void
}

/** No answer came: the connection was lost, or the client did not wait any longer. */
export class LostAnswer extends Error {
  readonly how: 'connection' | 'timeout'

  constructor(how: 'connection' | 'timeout', cause?: unknown) {
    super(`no answer: ${how}`, { cause })
    this.how = how
  }
}

/** What the machine says of a connection that is not there, or no longer. */
const connectionCodes = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE'])

export function isOfConnection(error: unknown): boolean {
  const { code = '' } = Object(error) as NodeJS.ErrnoException
  return connectionCodes.has(code)
}

/** The outcome that an error code stands for; throws for one that kuji does not have. */
export function refusal(code: string): Outcome {
  if (!Object.hasOwn(codes, code)) throw new Error(`there is no code ${code}`)
  return code === 'OUTCOME_UNKNOWN' ? { kind: 'unknown' } : { kind: 'refused', code }
}

export type Protocol = 'http' | 'ioredis' | 'node-redis'
