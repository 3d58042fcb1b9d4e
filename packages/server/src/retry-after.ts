import type { Code, ErrorFields } from '@kuji/engine/contract'
import { serverLimits } from './limits.ts'

const secondsByCode: Partial<Record<Code, number>> = {
  OVERLOADED: serverLimits.overloadedRetrySeconds,
  READ_ONLY: serverLimits.readOnlyRetrySeconds,
}

/**
 * Whole seconds after which an attempt makes sense again, where waiting helps. A limit knows by itself when it lets the
 * next request pass, and says so in its error.
 */
export function retryAfterSeconds(code: Code, fields: ErrorFields): number | undefined {
  const own = fields.retryAfterSeconds
  return typeof own === 'number' ? own : secondsByCode[code]
}
