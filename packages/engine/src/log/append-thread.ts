import type { MessagePort } from 'node:worker_threads'
import { receiveMessageOnPort, workerData } from 'node:worker_threads'
import type { DiskFile } from '../disk/disk.ts'
import { writeFully } from '../disk/disk.ts'
import { blockingCalls } from '../disk/system-calls.ts'
import { hashBytes, terminatorBytes } from '../record/batch.ts'
import type { RegisterMemory } from './append-control.ts'
import { controlBytes, controlWords, errorOffset, hashOffset } from './append-control.ts'
import { frameBatch, hashBatch } from './frame.ts'

/** The log's own thread: frames a batch, writes it, and says so. It has nothing else to wait for. */

const { control, port } = workerData as { control: SharedArrayBuffer; port: MessagePort }
const words = new Int32Array(control)
const lastHash = new Uint8Array(control, hashOffset, hashBytes)
const memories: SharedArrayBuffer[] = []

async function append(descriptor: number): Promise<void> {
  // Memories are registered before the request that needs them.
  for (
    let message = receiveMessageOnPort(port);
    message !== undefined;
    message = receiveMessageOnPort(port)
  ) {
    const { slot, memory } = message.message as RegisterMemory
    memories[slot] = memory
  }
  const memory = memories[words[controlWords.memory]!]!
  const batch = new Uint8Array(memory, words[controlWords.offset], words[controlWords.length])
  const content = batch.subarray(0, batch.length - terminatorBytes)
  const position = words[controlWords.positionHigh]! * 0x100000000 + (words[controlWords.positionLow]! >>> 0)
  frameBatch(content, lastHash, words[controlWords.seed]! >>> 0)
  const file: Pick<DiskFile, 'write'> = {
    write: async (bytes, at) => blockingCalls.write(descriptor, bytes, at),
  }
  await writeFully(file, batch, position)
  // Before the answer: after it the writer uses the memory again.
  lastHash.set(hashBatch(content))
}

function tellError(error: unknown): void {
  const { code = '', message } = error as NodeJS.ErrnoException
  const text = Buffer.from(JSON.stringify({ code, message })).subarray(0, controlBytes - errorOffset - 4)
  words[errorOffset / 4] = text.length
  new Uint8Array(control, errorOffset + 4).set(text)
  words[controlWords.failed] = 1
}

let request = 0
for (;;) {
  Atomics.wait(words, controlWords.requested, request)
  if (Atomics.load(words, controlWords.requested) === request) continue
  request = Atomics.load(words, controlWords.requested)
  const descriptor = words[controlWords.descriptor]!
  if (descriptor < 0) break
  try {
    await append(descriptor)
  } catch (error) {
    tellError(error)
  }
  Atomics.store(words, controlWords.done, request)
  Atomics.notify(words, controlWords.done)
  if (words[controlWords.failed] === 1) break
}
port.close()
