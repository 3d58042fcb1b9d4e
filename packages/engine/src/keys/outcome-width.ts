/** Bytes of an outcome where there are so many items: the narrowest that holds an item's index. */
export function widthOf(items: number): 1 | 2 | 4 {
  return items <= 0x100 ? 1 : items <= 0x10000 ? 2 : 4
}
