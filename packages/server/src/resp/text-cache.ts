import { limits } from '@kuji/engine/contract'

const slots = 1024

/**
 * Short ASCII texts by their bytes. A pool is named in every draw: without this each naming would be a new string to
 * make, to hash and to throw away. A text that meets another in its slot takes the place, so callers cannot fill it up.
 */
export class TextCache {
  readonly #texts: string[] = new Array(slots).fill('')

  get(bytes: Buffer, start: number, end: number): string {
    const length = end - start
    if (length > limits.idLength) return bytes.toString('utf8', start, end)
    let hash = length
    let joined = 0
    for (let at = start; at < end; at++) {
      const byte = bytes[at]!
      hash = (Math.imul(hash, 31) + byte) | 0
      joined |= byte
    }
    if (joined > 0x7f) return bytes.toString('utf8', start, end)
    const slot = (hash ^ (hash >>> 15)) & (slots - 1)
    const known = this.#texts[slot]!
    if (known.length === length && spells(known, bytes, start)) return known
    const text = bytes.toString('latin1', start, end)
    this.#texts[slot] = text
    return text
  }
}

function spells(text: string, bytes: Buffer, start: number): boolean {
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) !== bytes[start + at]) return false
  return true
}
