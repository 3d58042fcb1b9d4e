import { isUtf8 } from 'node:buffer'
import { KujiError } from '@kuji/engine/contract'
import { serverLimits } from './limits.ts'

/**
 * Parses JSON that came from outside. `JSON.parse` keeps `__proto__` as an own field, which is then unknown like any
 * other, or data inside of metadata. Bytes that are no UTF-8, and a field that stands twice in an object, are refused:
 * others may read something else there. Throws `INVALID`, and names the text as `what`.
 */
export function parseJson(bytes: Buffer, what: string): unknown {
  if (!isUtf8(bytes)) throw refuse(`${what} is not UTF-8`)
  const { depth, members } = survey(bytes)
  if (depth > serverLimits.bodyDepth)
    throw refuse(`${what} is nested more than ${serverLimits.bodyDepth} levels deep`)
  let value: unknown
  try {
    value = JSON.parse(bytes.toString())
  } catch (error) {
    throw refuse(`${what} is not JSON: ${(error as Error).message}`)
  }
  if (countMembers(value) !== members) throw refuse(`an object of ${what} has the same field twice`)
  return value
}

const [quote, backslash, colon, openBrace, closeBrace, openBracket, closeBracket] = Buffer.from('"\\:{}[]')

/** How deep brackets stand inside one another, and how many members objects have: those in texts are not counted. */
function survey(bytes: Buffer): { depth: number; members: number } {
  let depth = 0
  let deepest = 0
  let members = 0
  let inText = false
  for (let index = 0; index < bytes.length; index++) {
    const byte = bytes[index]
    if (inText) {
      if (byte === backslash) index++
      else if (byte === quote) inText = false
    } else if (byte === quote) inText = true
    else if (byte === colon) members++
    else if (byte === openBrace || byte === openBracket) deepest = Math.max(deepest, ++depth)
    else if (byte === closeBrace || byte === closeBracket) depth--
  }
  return { depth: deepest, members }
}

/** Members that were kept: of a field that stood twice, one. */
function countMembers(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  const inner = Object.values(value)
  let count = Array.isArray(value) ? 0 : inner.length
  for (const one of inner) count += countMembers(one)
  return count
}

function refuse(message: string): KujiError {
  return new KujiError('INVALID', message)
}
