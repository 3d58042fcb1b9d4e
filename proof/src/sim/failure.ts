import { Violation } from './model/violation.ts'

/** In what way a run has failed: the kind of the violation, or which error it was and where it was thrown. */
export function kindOf(error: Error): string {
  if (error instanceof Violation) return error.kind
  const { name, code = '', stack = '' } = error as NodeJS.ErrnoException
  const [, place = ''] = /^ +at .*?((?:packages|proof)\/[^ ()]+:\d+):\d+\)?$/m.exec(stack) ?? []
  return `${name} ${code} at ${place}`
}

/** What is printed of it: of an error that is no violation, its stack too. */
export function describeFailure(error: Error): string {
  return error instanceof Violation ? error.message : (error.stack ?? error.message)
}
