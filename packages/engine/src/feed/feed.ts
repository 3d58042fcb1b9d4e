import type { LogChange, LogEvent, WatchOptions } from '../contract/index.ts'
import { limits } from '../contract/index.ts'
import { invalid } from '../pool/check.ts'
import type { State } from '../pool/state.ts'
import { headerBytes, readHeader } from '../record/batch.ts'
import type { OutcomeViews } from '../record/records.ts'
import { visitRecords } from '../record/records.ts'
import { ChangeReader } from './change-reader.ts'
import { PoolNames } from './pool-names.ts'

/**
 * Durable batches for those who watch. While nobody does, a batch costs a look at whether it names items anew. From
 * the first watcher on, the last batches are kept as events, so that a watcher may be slow, or come back, without a
 * gap.
 */
export class Feed {
  readonly #names: PoolNames
  /** The last events, oldest first; before `#start` there is nothing, and the array is cut now and then. */
  #events: (LogEvent | undefined)[] = []
  #start = 0
  /** Draws and changes in them. */
  #weight = 0
  /** Every event behind this LSN is kept, and the last durable LSN. */
  #since: number
  #lsn: number
  #watchers = 0
  #keeping = false
  /** Until when events are kept without a watcher, on the clock that `elapsed` tells. */
  #keepUntil = 0
  #wake: PromiseWithResolvers<void> | null = null
  #ended = false
  #failure: Error | null = null
  readonly #elapsed: () => number

  /** `elapsed`: milliseconds from any point in time. */
  constructor(state: State, lsn: number, elapsed: () => number) {
    this.#names = new PoolNames(state)
    this.#since = lsn
    this.#lsn = lsn
    this.#elapsed = elapsed
  }

  /** The last LSN that is durable. */
  get lsn(): number {
    return this.#lsn
  }

  /** Takes note of a durable batch that has nothing to tell: a seal. */
  pass(lsn: number): void {
    this.#lsn = lsn
    if (!this.#keeping) this.#since = lsn
  }

  /** Takes in a batch that is durable. `names` where it has puts or deletions in it. */
  take(views: OutcomeViews, names: boolean): void {
    const header = readHeader(views.view, 0)
    if (this.#keeping && this.#watchers === 0 && this.#elapsed() > this.#keepUntil) this.#stopKeeping()
    this.pass(header.lsn)
    if (!this.#keeping && !names) return
    const reader = new ChangeReader(this.#names, header.firstDraw, this.#keeping)
    visitRecords(views, headerBytes, header.length, header.records, reader)
    if (!this.#keeping || reader.changes.length === 0) return
    this.#events.push({ lsn: header.lsn, at: header.time, changes: reader.changes })
    this.#weight += weigh(reader.changes)
    this.#forget()
    this.#rouse()
  }

  #stopKeeping(): void {
    this.#keeping = false
    this.#events = []
    this.#start = 0
    this.#weight = 0
  }

  /**
   * Lets go of the oldest events. The newest stay however large they are: a batch may hold as many draws as are kept,
   * and who watches at the pace of the log is still one or two behind.
   */
  #forget(): void {
    while (this.#weight > limits.feedChanges && this.#start < this.#events.length - limits.feedBatches) {
      const { lsn, changes } = this.#events[this.#start]!
      // Not left to the cut below: few large events would wait for it with all their memory.
      this.#events[this.#start++] = undefined
      this.#weight -= weigh(changes)
      this.#since = lsn
    }
    if (this.#start < 1024 || this.#start * 2 < this.#events.length) return
    this.#events = this.#events.slice(this.#start)
    this.#start = 0
  }

  /** Nothing more will come. The first call counts: closing does not make a failure an orderly end. */
  end(failure: Error | null): void {
    if (this.#ended) return
    this.#ended = true
    this.#failure = failure
    this.#rouse()
  }

  /** Events from now on, or from behind an LSN; see `Kuji.watch`. Throws `INVALID` where that is too long ago. */
  watch({ after, signal }: WatchOptions): AsyncGenerator<LogEvent, void, undefined> {
    if (!this.#keeping) {
      this.#keeping = true
      this.#since = this.#lsn
    }
    // Also for one that is refused: it reads the pools, and comes back for what happened meanwhile.
    this.#keepUntil = this.#elapsed() + limits.feedLingerMs
    const from = after ?? this.#lsn
    if (from > this.#lsn) throw invalid('after', `the log ends at LSN ${this.#lsn}`, { lsn: this.#lsn })
    this.#checkReach(from)
    return this.#follow(from, signal)
  }

  /** Lets every watcher look again. */
  #rouse(): void {
    this.#wake?.resolve()
    this.#wake = null
  }

  #checkReach(from: number): void {
    if (from >= this.#since) return
    const way = 'read the pools and watch from there'
    throw invalid('after', `events are kept from behind LSN ${this.#since} on; ${way}`, {
      since: this.#since,
    })
  }

  async *#follow(from: number, signal: AbortSignal | undefined): AsyncGenerator<LogEvent, void, undefined> {
    this.#watchers++
    const onAbort = (): void => this.#rouse()
    signal?.addEventListener('abort', onAbort)
    try {
      let last = from
      while (signal?.aborted !== true) {
        this.#checkReach(last)
        const event = this.#next(last)
        if (event !== undefined) {
          last = event.lsn
          yield event
        } else if (this.#ended) {
          if (this.#failure !== null) throw this.#failure
          return
        } else {
          this.#wake ??= Promise.withResolvers()
          await this.#wake.promise
        }
      }
    } finally {
      signal?.removeEventListener('abort', onAbort)
      this.#watchers--
      this.#keepUntil = this.#elapsed() + limits.feedLingerMs
    }
  }

  /** The first event behind an LSN. */
  #next(lsn: number): LogEvent | undefined {
    let [low, high] = [this.#start, this.#events.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#events[middle]!.lsn <= lsn) low = middle + 1
      else high = middle
    }
    return this.#events[low]
  }
}

function weigh(changes: readonly LogChange[]): number {
  let weight = 0
  for (const change of changes) weight += change.type === 'draws' ? change.items.length + 8 : 8
  return weight
}
