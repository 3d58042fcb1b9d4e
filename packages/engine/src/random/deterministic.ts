import { RandomWords } from './random-words.ts'

/**
 * The same random words for the same seed: for tests and simulations, NEVER for outcomes, because a few words
 * tell the state and with it all words to come.
 *
 * The generator is xoshiro128** 1.1 (Blackman and Vigna, "Scrambled linear pseudorandom number generators",
 * 2018), its state taken from the seed by splitmix64 (Steele, Lea and Flood, 2014), as its authors advise.
 * @param seed a whole number of at most 2^53 - 1 either way
 */
export function deterministicRandom(seed: number): RandomWords {
  const state = stateFrom(seed)
  return new RandomWords(bytes => fillWith(state, bytes))
}

function stateFrom(seed: number): Uint32Array {
  const halves = new BigUint64Array(2)
  let counter = BigInt(seed)
  for (let i = 0; i < 2; i++) {
    counter = BigInt.asUintN(64, counter + 0x9e3779b97f4a7c15n)
    let z = counter
    z = BigInt.asUintN(64, (z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n)
    z = BigInt.asUintN(64, (z ^ (z >> 27n)) * 0x94d049bb133111ebn)
    halves[i] = z ^ (z >> 31n)
  }
  return new Uint32Array(halves.buffer)
}

function fillWith(state: Uint32Array, bytes: Uint8Array): void {
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength >>> 2)
  let [a, b, c, d] = state as unknown as [number, number, number, number]
  for (let i = 0; i < words.length; i++) {
    const scrambled = Math.imul(b, 5)
    words[i] = Math.imul((scrambled << 7) | (scrambled >>> 25), 9)
    const shifted = b << 9
    c ^= a
    d ^= b
    b ^= c
    a ^= d
    c ^= shifted
    d = (d << 11) | (d >>> 21)
  }
  state.set([a, b, c, d])
}
