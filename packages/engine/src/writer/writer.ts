import { type KujiError, limits } from '../contract/index.ts'
import { Feed } from '../feed/feed.ts'
import type { AppendFailure, AppendOutcome, Log } from '../log/log.ts'
import type { LoggedRequest, State } from '../pool/state.ts'
import { sealBatchBytes } from '../record/batch.ts'
import { BatchBuilder } from '../record/batch-builder.ts'
import type { SealReason } from '../record/records.ts'
import { Decider } from './decide.ts'
import { HeapBudget } from './heap-budget.ts'
import { failureOf, refuse, stopped } from './judge.ts'
import { KeyHealth } from './key-health.ts'
import type { AnswerSink, Command } from './mailbox.ts'
import { answerTo, Mailbox } from './mailbox.ts'
import type { WriterOptions } from './options.ts'
import { Quiet } from './quiet.ts'
import { Room } from './room.ts'

export const drawFlags = { many: 1, partial: 2 } as const

/**
 * Requests and bytes decided in one turn. Then an idle log's batch sets off, so that the rest is decided while it is
 * written, and a busy log gets the chance to say that its write has ended.
 */
const turnRequestsMost = 512
const turnBytesMost = 64 * 1024

/** Of reads and small changes as many may wait as of draws, whatever there is beside them. */
const smallChangeBytes = 256

/**
 * The single writer of a log. Requests wait in the mailbox; they are decided one after the other into the open batch
 * while the batch before it is being written (group commit), and answered, in order, once theirs is durable.
 *
 * A failed write is final: whether those bytes will be there after a restart is unknown, and the state has gone
 * ahead of the log. Nothing is written, decided or read any more.
 */
export class Writer {
  readonly #options: WriterOptions
  readonly #state: State
  readonly #log: Log
  readonly #decider: Decider
  readonly #mailbox = new Mailbox()
  readonly #room: Room
  readonly #quiet: Quiet
  #open = new BatchBuilder()
  #spare = new BatchBuilder()
  readonly #seals = new BatchBuilder()
  // The open batch: what was so when it was begun.
  // Left undefined at first on purpose: see makeReceipt in receipts.ts.
  #openTime: number
  #openHash = 0
  #openFirstDraw = 0
  #lsn: number
  #durableDrawNumber: number
  #writing = false
  #rotating = false
  #scheduled = false
  /** What the changes that wait may add to a batch. */
  #queuedBytes = 0
  #lastSealed: number
  #failure: KujiError | null = null
  #closing = false
  #drained: (() => void) | null = null
  readonly failed: Promise<KujiError>
  readonly feed: Feed
  readonly keys: KeyHealth
  readonly heap: HeapBudget
  #fail!: (error: KujiError) => void
  readonly #pump = (): void => {
    this.#scheduled = false
    this.#run()
  }

  constructor(options: WriterOptions) {
    this.#options = options
    this.#state = options.state
    this.#log = options.log
    this.heap = new HeapBudget(options.state, options.heapBytes)
    this.#decider = new Decider(options.state, options.random, options.keys, this.heap)
    this.#room = new Room(options.log)
    this.#quiet = new Quiet(options.clock, lsn => this.#onQuiet(lsn))
    this.#lsn = options.position.lsn
    this.#lastSealed = this.#lsn
    this.#openTime = options.position.time
    this.#durableDrawNumber = options.state.drawNumber
    this.feed = new Feed(options.state, this.#lsn, () => options.clock.elapsed())
    this.keys = new KeyHealth(options.state.keys, options.clock, options.onEvent)
    this.failed = new Promise(resolve => {
      this.#fail = resolve
    })
  }

  get drawNumber(): number {
    return this.#durableDrawNumber
  }

  get waiting(): number {
    return this.#mailbox.waiting
  }

  get failure(): KujiError | null {
    return this.#failure
  }

  /** Queues draws. The answer is a receipt; with the flag `many`, a bulk one. */
  draw(pool: string, count: number, flags: number, named?: LoggedRequest): Promise<unknown> {
    const refusal = this.#unavailable(named)
    if (refusal !== null) return Promise.reject(refusal)
    this.#schedule()
    return this.#mailbox.add(pool, flags, count, named)
  }

  /** The same, the answer given to a sink; a refusal to take it in at once. */
  drawTo(
    sink: AnswerSink,
    token: number,
    pool: string,
    count: number,
    flags: number,
    named?: LoggedRequest,
  ): void {
    const refusal = this.#unavailable(named)
    if (refusal !== null) {
      answerTo(sink, token, refusal)
      return
    }
    this.#schedule()
    this.#mailbox.addTo(sink, token, pool, flags, count, named)
  }

  /** Queues anything else. `command` runs when its turn comes; `bytes` bounds what it adds to the batch. */
  run(command: (decider: Decider, batch: BatchBuilder) => unknown, bytes: number): Promise<unknown> {
    const refusal = this.#unavailable()
    if (refusal !== null) return Promise.reject(refusal)
    // The first of them always may, or a large one never could.
    const waiting = bytes > smallChangeBytes ? this.#queuedBytes : 0
    if (waiting > 0 && waiting + bytes > this.heap.queueMost) {
      return Promise.reject(refuse('OVERLOADED', 'the changes that wait take too much memory'))
    }
    this.#queuedBytes += bytes
    this.#schedule()
    const decide: Command = () => {
      this.#queuedBytes -= bytes
      return command(this.#decider, this.#open)
    }
    return this.#mailbox.add(decide, 0, bytes)
  }

  #unavailable(named?: LoggedRequest): KujiError | null {
    if (this.#failure !== null) return stopped(this.#failure, named)
    if (this.#closing) return refuse('INVALID', 'this kuji is closed')
    if (!this.#mailbox.full) return null
    return refuse('OVERLOADED', `${limits.queue} requests are waiting`, { queued: limits.queue })
  }

  // After the present callback and all its promises: whatever they ask for comes into one batch.
  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    this.#options.clock.soon(this.#pump)
  }

  #run(): void {
    const mailbox = this.#mailbox
    let turnRequests = mailbox.decided + turnRequestsMost
    let turnBytes = this.#open.length + turnBytesMost
    while (
      this.#failure === null &&
      mailbox.decided < mailbox.tail &&
      this.#open.length < limits.batchTargetBytes
    ) {
      if (!this.#decideNext()) break
      if (mailbox.decided < turnRequests && this.#open.length < turnBytes) continue
      if (this.#writing) {
        // The write may have ended: let it say so before more is decided.
        this.#yield()
        return
      }
      this.#submit()
      turnRequests = mailbox.decided + turnRequestsMost
      turnBytes = this.#open.length + turnBytesMost
    }
    if (!this.#writing && this.#failure === null && mailbox.answered < mailbox.decided) this.#submit()
    if (!this.#writing) this.#rest()
  }

  #yield(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    this.#options.clock.later(this.#pump)
  }

  /** Decides the next request into the open batch. False where it has to wait for room in the log. */
  #decideNext(): boolean {
    // While the log makes a larger file, what was decided on the strength of the one that is ready had no place to go.
    if (this.#rotating || this.#room.isAsking) return false
    const mailbox = this.#mailbox
    const slot = mailbox.slot(mailbox.decided)
    const request = mailbox.requests[slot]!
    const count = mailbox.counts[slot]!
    const isDraw = typeof request === 'string'
    const bytes = isDraw
      ? this.#decider.drawBytes(request, count) + namedBytes(mailbox.requested[slot])
      : count
    if (this.#open.records === 0) this.#begin()
    if (bytes > 0 && !this.#room.holds(this.#open.length + bytes)) {
      const answer = this.#answerWithoutRoom(slot, bytes)
      if (answer === null) return false
      mailbox.decide(answer)
    } else {
      mailbox.decide(isDraw ? this.#decideDraw(request, slot) : request())
    }
    return true
  }

  /** The answer of a request that there is no room for, or null until that is certain. A kept receipt needs none. */
  #answerWithoutRoom(slot: number, bytes: number): unknown {
    const { requests, requested } = this.#mailbox
    const request = requests[slot]!
    const named = requested[slot]
    if (typeof request === 'string' && named !== undefined) {
      const kept = this.#decider.findKept(request, named, this.#openTime)
      if (kept !== null) return kept
    }
    const refusal = this.#room.takeRefusal()
    if (refusal === '') {
      // Nothing more is decided until there is room, or until it is certain that there is none.
      if (!this.#writing && this.#open.records === 0) this.#room.ask(bytes, () => this.#run())
      return null
    }
    if (typeof request !== 'string') this.#queuedBytes -= bytes
    return refuse('READ_ONLY', refusal)
  }

  #decideDraw(pool: string, slot: number): unknown {
    const { requested, counts, kinds } = this.#mailbox
    const count = counts[slot]!
    const named = requested[slot]
    if (named !== undefined) return this.#decider.drawFor(this.#open, pool, count, named, this.#openTime)
    const flags = kinds[slot]!
    const partial = (flags & drawFlags.partial) !== 0
    if ((flags & drawFlags.many) !== 0)
      return this.#decider.drawMany(this.#open, pool, count, partial, this.#openTime)
    return this.#decider.draw(this.#open, pool, count, partial, this.#openTime)
  }

  #begin(): void {
    this.#tick()
    this.#openHash = this.#state.hash
    this.#openFirstDraw = this.#state.drawNumber + 1
  }

  /** The time of the log never runs back, and ends where its format does. */
  #tick(): void {
    this.#openTime = Math.max(this.#openTime, Math.min(this.#options.clock.now(), limits.time))
  }

  #submit(): void {
    const batch = this.#open
    if (batch.records === 0) {
      // Reads and refusals: all that they rest on is durable.
      this.#mailbox.answerUpTo(this.#mailbox.decided)
      return
    }
    const upTo = this.#mailbox.decided
    const drawNumber = this.#state.drawNumber
    this.#open = this.#spare
    this.#spare = batch
    this.#writing = true
    const began = this.#options.clock.elapsed()
    void this.#write(batch).then(outcome => {
      if (outcome === 'durable') this.#tell(batch, began)
      this.#settle(outcome, upTo, drawNumber)
    })
  }

  /** What a durable batch was, to those who measure and those who watch. */
  #tell(batch: BatchBuilder, began: number): void {
    const { onBatch, clock } = this.#options
    const { draws, length: bytes } = batch
    onBatch?.({ lsn: this.#lsn, draws, bytes, writeMs: clock.elapsed() - began })
    this.feed.take(batch.views, batch.names)
    this.keys.look()
  }

  #write(batch: BatchBuilder): Promise<AppendOutcome> {
    if (this.#log.fits(batch.length)) return this.#append(batch, this.#openFirstDraw, this.#openTime)
    return this.#writeToNext(batch, this.#openFirstDraw, this.#openTime)
  }

  /** Ends the present file with a seal, and writes the batch to the next one. */
  async #writeToNext(batch: BatchBuilder, firstDraw: number, time: number): Promise<AppendOutcome> {
    // Room in the next file is promised to this batch: nothing is decided until it has taken its part of it.
    this.#rotating = true
    const outcome = await this.#seal('full', this.#openHash, firstDraw, time)
    this.#rotating = false
    if (outcome !== 'durable') return outcome
    this.#log.rotate()
    const appended = this.#append(batch, firstDraw, time)
    this.#schedule()
    return appended
  }

  async #seal(
    reason: SealReason,
    stateHash: number,
    firstDraw: number,
    time: number,
  ): Promise<AppendOutcome> {
    this.#seals.clear()
    this.#seals.seal(reason, stateHash)
    const outcome = await this.#append(this.#seals, firstDraw, time)
    if (outcome === 'durable') this.feed.pass(this.#lsn)
    return outcome
  }

  #append(batch: BatchBuilder, firstDraw: number, time: number): Promise<AppendOutcome> {
    this.#lsn++
    const { epoch } = this.#options.position
    return this.#log.append(batch.finish({ lsn: this.#lsn, firstDraw, time, epoch }))
  }

  #settle(outcome: AppendOutcome, upTo: number, drawNumber: number): void {
    this.#writing = false
    if (outcome !== 'durable') {
      this.#stop(outcome, upTo)
      return
    }
    this.#spare.clear()
    this.#durableDrawNumber = drawNumber
    this.#mailbox.answerUpTo(upTo)
    this.#run()
  }

  #stop(ended: AppendFailure, upTo: number): void {
    const failure = failureOf(ended, this.#lsn)
    this.#failure = failure
    // Before anybody hears of the failure, and closes.
    this.feed.end(failure)
    // What was in the failed write may be there after a restart; what came later was never written.
    const { requested } = this.#mailbox
    this.#mailbox.failAll((position, slot) => (position < upTo ? failure : stopped(failure, requested[slot])))
    this.#drained?.()
    this.#fail(failure)
    this.#options.onEvent({ type: 'log-failed', level: 'error', message: failure.message, lsn: this.#lsn })
  }

  /** Nothing is being written: what is decided has been answered. */
  #rest(): void {
    if (this.#failure !== null || this.#mailbox.waiting > 0) return
    this.#drained?.()
    if (this.#closing || !this.#log.keeps || this.#lsn === this.#lastSealed) return
    this.#quiet.await(this.#lsn)
  }

  /** A while has gone by since the batch `lsn` was the last one. */
  #onQuiet(lsn: number): void {
    if (this.#closing || this.#failure !== null) return
    const idle = !this.#writing && this.#mailbox.waiting === 0
    if (!idle || this.#lsn !== lsn) {
      if (idle) this.#rest()
      return
    }
    if (!this.#log.fits(sealBatchBytes)) return
    this.#writing = true
    void this.#sealNow('idle').then(outcome => {
      this.#settle(outcome, this.#mailbox.answered, this.#durableDrawNumber)
    })
  }

  async #sealNow(reason: SealReason): Promise<AppendOutcome> {
    this.#tick()
    const outcome = await this.#seal(reason, this.#state.hash, this.#state.drawNumber + 1, this.#openTime)
    if (outcome === 'durable') this.#lastSealed = this.#lsn
    return outcome
  }

  /** Answers what waits, seals the log and closes it. */
  async close(): Promise<void> {
    this.#closing = true
    this.#quiet.cancel()
    if (this.#failure === null && (this.#mailbox.waiting > 0 || this.#writing)) {
      await new Promise<void>(resolve => {
        this.#drained = resolve
      })
    }
    if (this.#failure === null && this.#log.keeps && this.#log.fits(sealBatchBytes)) {
      const outcome = await this.#sealNow('shutdown')
      if (outcome !== 'durable') this.#stop(outcome, this.#mailbox.answered)
    }
    this.feed.end(null)
    await this.#log.close()
  }
}

/** Room for the texts of a request, and for the policy that may come before them. */
function namedBytes(named: LoggedRequest | undefined): number {
  return named === undefined ? 0 : (named.key.length + named.recipient.length) * 3 + 64
}
