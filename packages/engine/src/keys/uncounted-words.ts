/**
 * Memory for what only grows. V8 takes the memory of an ordinary array as a reason to collect the whole heap, again and
 * again while a table grows, though there is nothing to be found: each time the thread stops for 2 to 5 ms. Shared
 * memory, which nobody shares here, is not counted. It is freed like any other when the heap is collected, so little
 * of it may become garbage.
 */
export function uncountedWords(length: number): Uint32Array {
  return new Uint32Array(new SharedArrayBuffer(length * 4))
}
