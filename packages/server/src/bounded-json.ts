import { KujiError } from '@kuji/engine/contract'
import { serverLimits } from './limits.ts'

/**
 * Parses JSON that came from outside. `JSON.parse` keeps `__proto__` as an own field, which is then unknown like any
 * other, or data inside of metadata. Throws `INVALID`, and names the text as `what`.
 */
export function parseJson(text: string, what: string): unknown {
  if (nesting(text) > serverLimits.bodyDepth) {
    throw new KujiError('INVALID', `${what} is nested more than ${serverLimits.bodyDepth} levels deep`)
  }
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new KujiError('INVALID', `${what} is not JSON: ${(error as Error).message}`)
  }
}

/** How deep brackets stand inside one another, those in texts not counted. */
function nesting(text: string): number {
  let depth = 0
  let deepest = 0
  let inText = false
  for (let index = 0; index < text.length; index++) {
    const character = text[index]
    if (inText) {
      if (character === '\\') index++
      else if (character === '"') inText = false
    } else if (character === '"') inText = true
    else if (character === '{' || character === '[') deepest = Math.max(deepest, ++depth)
    else if (character === '}' || character === ']') depth--
  }
  return deepest
}
