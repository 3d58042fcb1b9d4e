import type { IncomingHttpHeaders } from 'node:http'
import { KujiError } from '@kuji/engine/contract'
import { parseJson } from '../bounded-json.ts'

/** The type that a body has to have; a charset beside it, UTF-8 alone. */
const servedType = /^application\/json *(?:; *charset *= *(?:utf-8|"utf-8") *)?$/i

/** Whether a body is written as it is read: its bytes as they are, and UTF-8. */
export function isServed(headers: IncomingHttpHeaders): boolean {
  const { 'content-encoding': encoding = 'identity', 'content-type': type = '' } = headers
  return encoding.toLowerCase() === 'identity' && (!/charset/i.test(type) || servedType.test(type))
}

/** Parses a body. No bytes count as no body, since many clients send the content type whether there is one or not. */
export function parseBody(bytes: Buffer): unknown {
  if (bytes.length === 0) return undefined
  const value = parseJson(bytes, 'the body')
  // Fastify hands no body on as null as well, and of the two only that one may stand for an empty object.
  if (value === null) throw new KujiError('INVALID', 'body: expected an object, got null', { field: 'body' })
  return value
}
