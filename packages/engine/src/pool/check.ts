import type { ErrorFields, Json } from '../contract/index.ts'
import { KujiError, limits } from '../contract/index.ts'

const idPattern = /^[A-Za-z0-9_][A-Za-z0-9._:-]{0,127}$/

/** The documented set of ids: 1–128 letters, digits, `.`, `_`, `-`, `:`, the first a letter, a digit or `_`. */
function isId(value: unknown): value is string {
  return typeof value === 'string' && idPattern.test(value)
}

/** An `INVALID` error that names the field at fault. */
export function invalid(field: string, expected: string, fields: ErrorFields = {}): KujiError {
  return new KujiError('INVALID', `${field}: ${expected}`, { field, ...fields })
}

/** Checks an id and returns it. Throws `INVALID`. */
export function checkId(value: unknown, field: string): string {
  if (isId(value)) return value
  throw invalid(
    field,
    'expected 1–128 letters, digits, ".", "_", "-" or ":", the first a letter, a digit or "_"',
  )
}

/** Checks a whole number in a range and returns it. Throws `INVALID`. */
export function checkWhole(value: unknown, field: string, from: number, to: number): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= from && value <= to) return value
  throw invalid(field, `expected a whole number from ${from} to ${to}`)
}

/** Checks that a value is a plain object with no field beyond the named ones. Throws `INVALID`. */
export function checkFields(
  value: unknown,
  field: string,
  known: ReadonlySet<string>,
): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalid(field, 'expected an object')
  }
  // Not Object.keys, whose array would be garbage for each draw; what the object inherits is not its own.
  for (const name in value) {
    if (!known.has(name) && Object.hasOwn(value, name))
      throw invalid(`${field}.${name.slice(0, 64)}`, 'unknown field')
  }
  return value as Record<string, unknown>
}

function checkJson(value: unknown, field: string, depth: number): void {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw invalid(field, 'expected a finite number')
    return
  }
  if (typeof value !== 'object') throw invalid(field, 'expected JSON data')
  if (depth === 0) throw invalid(field, `nested more than ${limits.metadataDepth} levels deep`)
  const prototype: unknown = Object.getPrototypeOf(value)
  if (!Array.isArray(value) && prototype !== Object.prototype && prototype !== null) {
    throw invalid(field, 'expected JSON data')
  }
  for (const member of Object.values(value)) checkJson(member, field, depth - 1)
}

/**
 * Checks free-form metadata and returns its JSON text, '' for none. Throws `INVALID` for what JSON cannot say and
 * for nesting over its limit, `TOO_LARGE` for a text over its limit.
 */
export function checkMetadata(value: unknown, field: string): string {
  if (value === undefined) return ''
  checkJson(value, field, limits.metadataDepth)
  const text = JSON.stringify(value as Json)
  const bytes = Buffer.byteLength(text)
  if (bytes > limits.metadataBytes) {
    throw new KujiError('TOO_LARGE', `${field}: ${bytes} bytes of JSON, at most ${limits.metadataBytes}`, {
      field,
    })
  }
  return text
}
