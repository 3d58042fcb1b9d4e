import { getHeapStatistics, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Defect } from './target.ts'

/** What one input may take, all garbage of its run included. */
const mostBytesOfRun = 192 * 1024 * 1024
/** What may stay when there is no garbage, over what stayed after the first look. */
const mostBytesLeft = 64 * 1024 * 1024
const runsBetweenLooks = 5000
/** Looks until caches are full. */
const firstLooks = 2

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

function usedBytes(): number {
  const { used_heap_size, external_memory } = getHeapStatistics()
  return used_heap_size + external_memory
}

/** Sees inputs that take too much memory, and memory that is never given back. */
export class MemoryWatch {
  #before = 0
  #runs = 0
  #base = Number.POSITIVE_INFINITY

  begin(): void {
    this.#before = usedBytes()
  }

  /** Throws a Defect. `held`: bytes that the fuzzer itself keeps. */
  end(held: number): void {
    const taken = usedBytes() - this.#before
    if (taken > mostBytesOfRun) throw new Defect(`took ${Math.round(taken / 2 ** 20)} MiB`)
    if (++this.#runs % runsBetweenLooks !== 0) return
    collect()
    const left = usedBytes() - held
    if (this.#runs <= firstLooks * runsBetweenLooks) this.#base = left
    else if (left > this.#base + mostBytesLeft) {
      const grown = Math.round((left - this.#base) / 2 ** 20)
      this.#base = left
      throw new Defect(
        `memory that is never given back: ${grown} MiB in ${this.#runs} runs, this one the last`,
      )
    }
  }
}
