import { deterministicRandom } from '../../../packages/engine/src/random/deterministic.ts'
import { RandomWords } from '../../../packages/engine/src/random/random-words.ts'

/** A source that remembers all that it has given, and that can be made to differ from another from some word on. */
export interface RecordedRandom {
  readonly random: RandomWords
  /** What the buffer was filled with, each time. */
  readonly fills: readonly Uint8Array[]
  /** Words that the engine has taken so far, of four bytes. */
  used(): number
}

/**
 * @param differsFrom number of the first word that is another than the seed's, so that two sources agree on what was
 *   used and on nothing ahead
 */
export function recordedRandom(seed: number, differsFrom = Number.POSITIVE_INFINITY): RecordedRandom {
  const source = deterministicRandom(seed)
  const other = deterministicRandom(seed + 1)
  const fills: Uint8Array[] = []
  let given = 0
  const random = new RandomWords(bytes => {
    const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4)
    for (let k = 0; k < words.length; k++, given++) {
      const word = source.next32()
      words[k] = given < differsFrom ? word : other.next32()
    }
    fills.push(bytes.slice())
  })
  return {
    random,
    fills,
    used: () => {
      const before = fills.length
      // Looks where the next word begins: behind the end of a buffer that is the start of one more.
      const at = random.reserve(4)
      return before === fills.length ? given - (random.words.length - at / 4) : given - random.words.length
    },
  }
}

/** Numbers of the words of which two neighbours stand in the bytes one behind the other, at any place, either way. */
export function wordsIn(fills: readonly Uint8Array[], files: Iterable<Uint8Array>): number[] {
  const pairs = new Map<number, { readonly second: number; readonly number: number }[]>()
  const know = (first: number, second: number, number: number): void => {
    const others = pairs.get(first)
    if (others === undefined) pairs.set(first, [{ second, number }])
    else others.push({ second, number })
  }
  for (const [fill, bytes] of fills.entries()) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    for (let at = 0; at + 8 <= bytes.length; at += 4) {
      const number = (fill * bytes.length + at) / 4
      // As they are in memory, with the bytes of each word turned around, with the words, and with both.
      for (const isLittle of [true, false]) {
        const [first, second] = [view.getUint32(at, isLittle), view.getUint32(at + 4, isLittle)]
        know(first, second, number)
        know(second, first, number)
      }
    }
  }
  const found = new Set<number>()
  for (const bytes of files) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    for (let at = 0; at + 8 <= bytes.length; at++) {
      for (const { second, number } of pairs.get(view.getUint32(at, true)) ?? [])
        if (view.getUint32(at + 4, true) === second) found.add(number).add(number + 1)
    }
  }
  return [...found].sort((a, b) => a - b)
}
