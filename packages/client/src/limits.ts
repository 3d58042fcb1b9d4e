import { limits } from '@kuji/engine/contract'

/** What is read of a server at most, so that one that does not end, or is none of kuji's, cannot fill the memory. */
export const clientLimits = {
  /** An answer: the receipt of 10,000 draws has 1.4 MB, a page of 1,000 pools with metadata 5 MB. */
  answerBytes: 16 * 1024 * 1024,
  /** A pool with all of its items: 150 bytes of numbers, an id and a share of the metadata each. */
  poolBytes: 384 * 1024 * 1024,
  /** An event: outcomes of two `drawMany`, with ids of the greatest length, and what else a batch may hold. */
  eventCharacters: 2 * limits.drawManyCount * (limits.idLength + 3) + 16 * 1024 * 1024,
} as const
