import { KujiError } from '@kuji/engine/contract'
import { parseJson } from '../bounded-json.ts'

/** Parses a body. No bytes count as no body, since many clients send the content type whether there is one or not. */
export function parseBody(bytes: Buffer): unknown {
  if (bytes.length === 0) return undefined
  const value = parseJson(bytes, 'the body')
  // Fastify hands no body on as null as well, and of the two only that one may stand for an empty object.
  if (value === null) throw new KujiError('INVALID', 'body: expected an object, got null', { field: 'body' })
  return value
}
