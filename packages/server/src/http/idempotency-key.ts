import type { IncomingMessage } from 'node:http'
import { KujiError, limits } from '@kuji/engine/contract'

const header = 'idempotency-key'

/**
 * The key of a request, if it has one. The header is a string of RFC 9651 (`"order-42"`), as
 * draft-ietf-httpapi-idempotency-key-header has it; the same without quotes is what most clients send, and names the
 * same key. Throws `INVALID`: a key that is not understood must never pass for none.
 */
export function readIdempotencyKey(message: IncomingMessage): string | undefined {
  const value = message.headers[header] as string | undefined
  if (value === undefined) return undefined
  if (countHeader(message.rawHeaders) > 1) throw refuse('expected once, got it several times')
  const key = value.startsWith('"') ? unquote(value) : value
  if (key === undefined)
    throw refuse('expected a text in quotes, with \\" and \\\\ as the only escapes, and no more')
  if (key.length === 0 || key.length > limits.keyLength || !/^[ -~]+$/.test(key)) {
    throw refuse(`expected 1 to ${limits.keyLength} printable ASCII characters`)
  }
  return key
}

function unquote(value: string): string | undefined {
  const [, inner] = /^"((?:[^"\\]|\\["\\])*)"$/.exec(value) ?? []
  return inner?.replaceAll(/\\(["\\])/g, '$1')
}

// Node joins what came several times into one value, which could then be taken for another key.
function countHeader(rawHeaders: readonly string[]): number {
  let count = 0
  for (let index = 0; index < rawHeaders.length; index += 2)
    if (rawHeaders[index]!.toLowerCase() === header) count++
  return count
}

function refuse(message: string): KujiError {
  return new KujiError('INVALID', `Idempotency-Key: ${message}`, { field: 'Idempotency-Key' })
}
