import type { Arguments } from './arguments.ts'

const space = 32
const tab = 9
const quotes = [34, 39]

/**
 * Splits a line into words. A word that begins with a quote of either kind goes to the next one of its kind, and
 * nothing inside it is special. Returns how many words there are, one more than `most` where they are too many, and
 * -1 where a quote is not closed or has text right behind it.
 */
export function splitWords(bytes: Buffer, start: number, end: number, most: number, args: Arguments): number {
  let count = 0
  let at = start
  for (;;) {
    while (at < end && (bytes[at] === space || bytes[at] === tab)) at++
    if (at === end) return count
    if (count === most) return most + 1
    const quote = quotes.includes(bytes[at]!) ? bytes[at] : undefined
    if (quote !== undefined) at++
    args.starts[count] = at
    while (at < end && (quote === undefined ? bytes[at] !== space && bytes[at] !== tab : bytes[at] !== quote))
      at++
    args.ends[count++] = at
    if (quote === undefined) continue
    if (at === end) return -1
    at++
    if (at < end && bytes[at] !== space && bytes[at] !== tab) return -1
  }
}
