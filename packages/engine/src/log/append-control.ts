/**
 * The piece of shared memory over which the writer's thread and the log's thread speak. A request is a number one
 * higher than the one before; the answer is the same number. Whoever waits sleeps on the other's word.
 */
export const controlWords = {
  requested: 0,
  done: 1,
  /** 1 when the request failed; the error's text stands behind the words. */
  failed: 2,
  /** Which of the registered memories the batch is in, where, and how long it is with its terminator. */
  memory: 3,
  offset: 4,
  length: 5,
  /** The file: -1 ends the thread. */
  descriptor: 6,
  seed: 7,
  positionLow: 8,
  positionHigh: 9,
} as const

export const controlBytes = 1024
/** Where the chain hash of the last batch stands, then the length and the text of an error. */
export const hashOffset = 64
export const errorOffset = 128

/** Memories that the log's thread knows at once: those of the writer's batch builders, and their larger successors. */
export const memorySlots = 8

export interface RegisterMemory {
  readonly slot: number
  readonly memory: SharedArrayBuffer
}
