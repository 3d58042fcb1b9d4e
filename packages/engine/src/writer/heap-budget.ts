import { getHeapStatistics } from 'node:v8'
import { type KujiError, limits } from '../contract/index.ts'
import { listBytes, retiredBytes, rulesBytes } from '../pool/heap-size.ts'
import type { Rules } from '../pool/manifest.ts'
import { drawnOfRetired, type Pool } from '../pool/pool.ts'
import { type State, sameItems } from '../pool/state.ts'
import { refuse } from './judge.ts'

/** Of what V8 calls the limit, at most this is for young objects: three times 32 MiB, and less on small machines. */
const youngBytes = 96 * 2 ** 20
/** The rest is for what is under way, for the program around the engine, and for garbage between two collections. */
const share = 0.4
const megabyte = 10 ** 6

/** How much of this process's heap the state may take: V8 ends a process whose heap is full, whatever it is doing. */
export function heapShare(): number {
  const { heap_size_limit: limit } = getHeapStatistics()
  return Math.floor(share * Math.max(limit - youngBytes, limit / 4))
}

/** What the pools and the item lists of kept receipts take of the heap, and what they may. */
export class HeapBudget {
  readonly #state: State
  readonly most: number

  constructor(state: State, most: number) {
    this.#state = state
    this.most = most
  }

  /** What manifests that wait may take in the log, beside the first: on the heap it is about twice as much. */
  get queueMost(): number {
    return Math.min(limits.queueBytes, this.most / 4)
  }

  get bytes(): number {
    return this.#state.poolHeapBytes + this.#state.keys.editionHeapBytes
  }

  /** TOO_LARGE where these rules would make more of the state than may be. What makes it smaller always may. */
  findExcess(existing: Pool | undefined, rules: Rules): KujiError | null {
    const own = rulesBytes(rules)
    const before = existing?.heapBytes ?? 0
    // A bound: what is left out takes at most as much again. To be exact takes a look at every item.
    if (this.bytes + own + before <= this.most) return null
    const retired = existing === undefined ? 0 : retiredBytes(drawnOfRetired(existing, rules))
    // The list before may stay with kept receipts, and this one will be another: so it counts beside it.
    const isOtherList = existing !== undefined && !sameItems(existing.itemIds, rules.itemIds)
    const after = own + retired + (isOtherList ? listBytes(existing.itemIds) : 0)
    const bytes = this.bytes + after - before
    if (after <= before || bytes <= this.most) return null
    const sum = `pools and kept receipts would take ${megabytes(bytes)} of the heap`
    const bound = `and may take ${megabytes(this.most)}`
    const help = 'delete pools, or start with more, by NODE_OPTIONS=--max-old-space-size for instance'
    return refuse('TOO_LARGE', `${sum}, ${bound}: ${help}`, {
      pool: rules.id,
      heapBytes: bytes,
      most: this.most,
    })
  }
}

function megabytes(bytes: number): string {
  return `${(bytes / megabyte).toFixed(1)} MB`
}
