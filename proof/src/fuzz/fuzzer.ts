import type { Chance } from '../chance.ts'
import type { Coverage, Places } from './coverage.ts'
import type { FuzzTarget, OpenTarget } from './target.ts'

export interface FuzzHooks {
  /** Before a run. */
  readonly begin: (input: Uint8Array) => void
  readonly end: (isRun: boolean) => void
  readonly finding: (input: Uint8Array, error: unknown) => void
  /** An input that came where none had come before. */
  readonly kept: (input: Uint8Array) => void
}

/** Inputs between two looks at the coverage: a look takes milliseconds, as long as all the code is that was loaded. */
const batchInputs = 200

/** Mutates inputs, runs them, and keeps those that come to new code. */
export class Fuzzer {
  runs = 0
  slowestMs = 0
  readonly corpus: Uint8Array[] = []
  readonly #target: FuzzTarget
  readonly #open: OpenTarget
  readonly #chance: Chance
  readonly #coverage: Coverage | null
  readonly #hooks: FuzzHooks

  constructor(
    target: FuzzTarget,
    open: OpenTarget,
    chance: Chance,
    coverage: Coverage | null,
    hooks: FuzzHooks,
  ) {
    this.#target = target
    this.#open = open
    this.#chance = chance
    this.#coverage = coverage
    this.#hooks = hooks
  }

  /** Runs inputs as they are, to mutate them later. */
  async begin(inputs: readonly Uint8Array[]): Promise<void> {
    for (const input of inputs) await this.#run(input)
    this.corpus.push(...inputs)
    this.#coverage?.add(this.#coverage.takeFresh())
  }

  /** Those that are needed to come to all code that the inputs come to, small ones first. */
  async distil(inputs: readonly Uint8Array[]): Promise<Uint8Array[]> {
    const needed: Uint8Array[] = []
    for (const input of inputs.toSorted((a, b) => a.length - b.length)) {
      await this.#run(input)
      const fresh = this.#coverage!.takeFresh()
      if (fresh.size > 0) needed.push(input)
      this.#coverage!.add(fresh)
    }
    return needed
  }

  /** Runs some mutated inputs. */
  async step(): Promise<void> {
    const inputs = Array.from({ length: batchInputs }, () => this.#mutated())
    for (const input of inputs) await this.#run(input)
    if (this.#coverage === null) return
    const fresh = this.#coverage.takeFresh()
    if (fresh.size === 0) return
    await this.#keepOf(inputs)
    // What came but once, by what was left from an input before, is not looked for again.
    this.#coverage.add(fresh)
  }

  /** An input to begin with, later ones more often, since they lead on. */
  #pick(): Uint8Array {
    const { length } = this.corpus
    const recent = Math.min(length, 16)
    const from = this.#chance.happens(0.4) ? length - recent : 0
    return this.corpus[from + this.#chance.below(length - from)]!
  }

  #mutated(): Uint8Array {
    const base = this.#pick()
    // Where checksums are mended the reader runs here too, and may hang.
    this.#hooks.begin(base)
    const input = this.#target.mutate(base, this.#pick(), this.#chance)
    this.#hooks.end(false)
    return input.length > this.#target.mostBytes ? input.subarray(0, this.#target.mostBytes) : input
  }

  async #run(input: Uint8Array): Promise<void> {
    const { begin, end, finding } = this.#hooks
    begin(input)
    const began = performance.now()
    try {
      await this.#open.run(input)
    } catch (error) {
      finding(input, error)
    }
    this.slowestMs = Math.max(this.slowestMs, performance.now() - began)
    end(true)
    this.runs++
  }

  /** Finds those that came to new code, by halves. */
  async #keepOf(inputs: readonly Uint8Array[]): Promise<void> {
    for (const input of inputs) await this.#run(input)
    const fresh: Places = this.#coverage!.takeFresh()
    if (fresh.size === 0) return
    if (inputs.length === 1) {
      this.#coverage!.add(fresh)
      this.corpus.push(inputs[0]!)
      this.#hooks.kept(inputs[0]!)
      return
    }
    const half = inputs.length >> 1
    await this.#keepOf(inputs.slice(0, half))
    await this.#keepOf(inputs.slice(half))
  }
}
