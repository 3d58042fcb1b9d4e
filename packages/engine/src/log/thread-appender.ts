import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads'
import type { DiskFile } from '../disk/disk.ts'
import { NodeFile } from '../disk/node-disk.ts'
import { threadFlags } from '../thread-flags.ts'
import type { RegisterMemory } from './append-control.ts'
import { controlBytes, controlWords, errorOffset, hashOffset, memorySlots } from './append-control.ts'
import type { Appender } from './appender.ts'

/**
 * An appender on a thread of its own. The log's writes then wait behind nothing in libuv's pool of four threads,
 * which file reads, DNS, zlib and crypto of the whole program share, and the checksums are computed beside the
 * writer. The batch is not copied: it stands in shared memory.
 */
export class ThreadAppender implements Appender {
  readonly #words: Int32Array
  readonly #port: MessagePort
  readonly #worker: Worker
  /** What the thread knows, by slot; a new memory takes the place of the one registered longest ago. */
  readonly #memories: SharedArrayBuffer[] = []
  #registered = 0
  #ended = false
  readonly #exit: Promise<void>

  constructor(lastHash: Uint8Array) {
    const control = new SharedArrayBuffer(controlBytes)
    this.#words = new Int32Array(control)
    new Uint8Array(control).set(lastHash, hashOffset)
    const { port1, port2 } = new MessageChannel()
    this.#port = port1
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
    this.#worker = new Worker(new URL(`./append-thread.${extension}`, import.meta.url), {
      workerData: { control, port: port2 },
      ...threadFlags(),
      transferList: [port2],
    })
    this.#worker.unref()
    port1.unref()
    this.#exit = new Promise(resolve => {
      const ended = (): void => {
        this.#ended = true
        // Whoever waits for an answer learns that there will be none.
        Atomics.notify(this.#words, controlWords.done)
        resolve()
      }
      this.#worker.once('error', ended)
      this.#worker.once('exit', ended)
    })
  }

  #slotOf(memory: SharedArrayBuffer): number {
    const known = this.#memories.indexOf(memory)
    if (known >= 0) return known
    const slot = this.#registered++ % memorySlots
    this.#memories[slot] = memory
    const message: RegisterMemory = { slot, memory }
    this.#port.postMessage(message)
    return slot
  }

  async append(file: DiskFile, seed: number, batch: Uint8Array, position: number): Promise<void> {
    if (!(file instanceof NodeFile) || !(batch.buffer instanceof SharedArrayBuffer)) {
      throw new TypeError('the log thread takes batches in shared memory, for files of this process')
    }
    const words = this.#words
    words[controlWords.memory] = this.#slotOf(batch.buffer)
    words[controlWords.offset] = batch.byteOffset
    words[controlWords.length] = batch.length
    words[controlWords.seed] = seed | 0
    words[controlWords.positionLow] = position | 0
    words[controlWords.positionHigh] = Math.floor(position / 0x100000000)
    await this.#ask(file.descriptor)
    if (words[controlWords.failed] === 1) throw this.#readError()
  }

  async #ask(descriptor: number): Promise<void> {
    const words = this.#words
    words[controlWords.descriptor] = descriptor
    const request = (words[controlWords.requested]! + 1) | 0
    Atomics.store(words, controlWords.requested, request)
    Atomics.notify(words, controlWords.requested)
    // The program stays alive for a write under way, and for nothing else.
    this.#worker.ref()
    for (;;) {
      const done = Atomics.load(words, controlWords.done)
      if (done === request) break
      if (this.#ended) throw new Error('the log thread has ended')
      const waiting = Atomics.waitAsync(words, controlWords.done, done)
      if (waiting.async) await waiting.value
    }
    this.#worker.unref()
  }

  #readError(): Error {
    const length = this.#words[errorOffset / 4]!
    const text = Buffer.from(this.#words.buffer, errorOffset + 4, length).toString('utf8')
    const { code, message } = JSON.parse(text) as { code: string; message: string }
    return Object.assign(new Error(message), { code })
  }

  async close(): Promise<void> {
    const words = this.#words
    words[controlWords.descriptor] = -1
    Atomics.add(words, controlWords.requested, 1)
    Atomics.notify(words, controlWords.requested)
    this.#worker.ref()
    await this.#exit
    this.#port.close()
  }
}
