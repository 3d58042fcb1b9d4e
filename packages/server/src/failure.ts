import { getSystemErrorMap } from 'node:util'
import { KujiError } from '@kuji/engine/contract'

/** What the operating system says of an error (`no such file or directory`), or the error's own message. */
export function systemReason(error: unknown): string {
  const { code, errno, message } = error as NodeJS.ErrnoException
  const known = errno === undefined ? undefined : getSystemErrorMap().get(errno)
  return known ? `${known[1]} (${code})` : (message ?? String(error))
}

/**
 * Any error as one of kuji's own, so that a protocol has one thing to encode. What is not a refusal is a
 * defect: its message may hold anything, so it stays in the log of the server.
 */
export function toKujiError(error: unknown): KujiError {
  if (error instanceof KujiError) return error
  return new KujiError(
    'INTERNAL',
    'a defect in kuji; the log of the server has the details',
    {},
    { cause: error },
  )
}
