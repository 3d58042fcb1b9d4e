/** Longest input that is passed on. */
const mostBytes = 8 * 1024 * 1024
const words = { turn: 0, length: 1, runs: 2 } as const
const headBytes = 16

/**
 * The input that a thread is at, in memory that another one sees: it is known where the thread hangs, or has died.
 */
export class SharedInput {
  readonly memory: SharedArrayBuffer
  readonly #words: Int32Array
  readonly #bytes: Uint8Array

  constructor(memory = new SharedArrayBuffer(headBytes + mostBytes)) {
    this.memory = memory
    this.#words = new Int32Array(memory, 0, headBytes / 4)
    this.#bytes = new Uint8Array(memory, headBytes)
  }

  begin(input: Uint8Array): void {
    this.#bytes.set(input.subarray(0, mostBytes))
    this.#words[words.length] = Math.min(input.length, mostBytes)
    Atomics.add(this.#words, words.turn, 1)
  }

  /** `isRun`: the input was run, not only changed. */
  end(isRun: boolean): void {
    if (isRun) this.#words[words.runs]!++
    Atomics.add(this.#words, words.turn, 1)
  }

  /** Changes with each begin and end; odd while an input is run. */
  get turn(): number {
    return Atomics.load(this.#words, words.turn)
  }

  get runs(): number {
    return this.#words[words.runs]!
  }

  /** The input at hand, or the last one. */
  get input(): Uint8Array {
    return Uint8Array.from(this.#bytes.subarray(0, this.#words[words.length]!))
  }
}
