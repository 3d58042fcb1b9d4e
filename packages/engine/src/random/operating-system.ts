import { randomFillSync } from 'node:crypto'
import { RandomWords } from './random-words.ts'

/**
 * The randomness of outcomes: OpenSSL's generator behind `crypto.randomFillSync`, seeded by the operating
 * system and cryptographically secure, so that no number of outcomes tells anything about the next.
 */
export function operatingSystemRandom(): RandomWords {
  return new RandomWords(randomFillSync)
}
