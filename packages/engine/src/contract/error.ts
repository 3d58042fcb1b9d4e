import type { Code } from './codes.ts'

/** Facts that help to act on an error: ids, limits, offsets. Values are plain data. */
export type ErrorFields = Readonly<Record<string, string | number | boolean>>

/**
 * The one error class of kuji. `code` is stable and meant for programs, the message for people; `fields` holds what
 * the message names. An error means that nothing was changed, except for `OUTCOME_UNKNOWN`, which says that it is
 * not known. Since 0.1.
 */
export class KujiError extends Error {
  override readonly name = 'KujiError'
  readonly code: Code
  readonly fields: ErrorFields

  constructor(code: Code, message: string, fields: ErrorFields = {}, options?: ErrorOptions) {
    super(message, options)
    this.code = code
    this.fields = fields
  }
}
