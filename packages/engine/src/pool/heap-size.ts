import type { Pool } from './pool.ts'

/**
 * How much of the JavaScript heap the state takes: estimates that rather are too high, since what they keep away is the
 * end of the process. Columns of numbers are not on that heap. Measured with Node 26: a pool of two items takes 2,405
 * bytes with its chooser, an item 57 with the place in an index that large pools have, and 60 more once it has been
 * drawn by itself. A test fills a heap with pools of several shapes.
 */
const poolHeapBytes = 3072
const itemHeapBytes = 112
/** An entry of the map of retired items, with its count. */
const retiredHeapBytes = 72
/** A string beside its characters, and the reference to it. */
const textHeapBytes = 32

/** Two bytes a character: one beyond Latin-1 makes all of a text so wide. */
function textBytes(text: string): number {
  return textHeapBytes + 2 * text.length
}

function textsBytes(texts: Iterable<string>): number {
  let bytes = 0
  for (const text of texts) bytes += textBytes(text)
  return bytes
}

/** Of a list of item ids, which outlives its pool where kept receipts refer to it. */
export const listBytes = textsBytes

/** Of what a manifest says. */
export function rulesBytes(rules: Pick<Pool, 'id' | 'itemIds' | 'metadata' | 'itemMetadata'>): number {
  const texts = textBytes(rules.id) + textBytes(rules.metadata) + textsBytes(rules.itemMetadata ?? [])
  return poolHeapBytes + texts + listBytes(rules.itemIds) + rules.itemIds.length * itemHeapBytes
}

/** Of items that a later version left out. */
export function retiredBytes(ids: { readonly size: number; keys(): Iterable<string> }): number {
  return textsBytes(ids.keys()) + ids.size * retiredHeapBytes
}
