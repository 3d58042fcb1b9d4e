import { RandomWords } from '../../src/random/random-words.ts'

/**
 * Random words that are exactly the given ones, in order. What is left of the last buffer is zeros; a fill
 * after that throws.
 */
export function scriptedRandom(words: Uint16Array | Uint32Array): RandomWords {
  const script = new Uint8Array(words.buffer, words.byteOffset, words.byteLength)
  let at = 0
  return new RandomWords(bytes => {
    if (at >= script.length) throw new Error('the script is at its end')
    const part = script.subarray(at, at + bytes.length)
    bytes.fill(0)
    bytes.set(part)
    at += part.length
  })
}

/** The 32-bit word in the middle of those for which `below(total)` answers `answer`; never a rejected one. */
export function wordFor(answer: number, total: number): number {
  return Math.floor(((answer + 0.5) * 2 ** 32) / total)
}
