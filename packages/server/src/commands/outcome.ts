import { KujiError } from '@kuji/engine/contract'
import { systemReason } from '../failure.ts'

/** What the process ends with. */
export const exitCodes = { done: 0, refused: 1, usage: 2 } as const

/**
 * Makes a command of a function: a refusal becomes `kuji: CODE: text` on stderr and exit code 1. Anything
 * else that is thrown is a defect and is left to the process, which then stops with its stack.
 */
export function command<Parameters extends unknown[]>(run: (...parameters: Parameters) => Promise<void>) {
  return async (...parameters: Parameters): Promise<void> => {
    try {
      await run(...parameters)
    } catch (error) {
      const refusal = asRefusal(error)
      if (!refusal) throw error
      process.stderr.write(`kuji: ${refusal.code}: ${refusal.message}\n`)
      process.exitCode = exitCodes.refused
    }
  }
}

/** A fault of the machine (no room, no permission) is told like a refusal: nobody needs a stack for it. */
function asRefusal(error: unknown): KujiError | undefined {
  if (error instanceof KujiError) return error
  if ((error as NodeJS.ErrnoException).syscall === undefined) return undefined
  const { syscall, path } = error as NodeJS.ErrnoException
  const where = path === undefined ? syscall : `${syscall} ${path}`
  return new KujiError('INTERNAL', `${where}: ${systemReason(error)}`, {}, { cause: error })
}

export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`)
}
