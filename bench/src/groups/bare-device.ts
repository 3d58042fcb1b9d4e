import { closeSync, constants, openSync, write, writeSync } from 'node:fs'
import { join } from 'node:path'
import { hashOf } from '../fixtures/check.ts'
import type { Contestant, Pass, Sample } from '../group.ts'
import { timed } from '../measure/garbage.ts'
import { latencyOf } from '../measure/latency.ts'

const mebibyte = 1024 * 1024
const zeros = new Uint8Array(mebibyte)

/** A zero-filled file on which every write is on the device when it returns, like the log's. */
export function openDeviceFile(directory: string, pass: Pass): { file: number; bytes: number } {
  const path = join(directory, 'bare-file')
  const bytes = pass.smoke ? mebibyte : 64 * mebibyte
  const filled = openSync(path, 'w', 0o600)
  for (let at = 0; at < bytes; at += zeros.length) writeSync(filled, zeros, 0, zeros.length, at)
  closeSync(filled)
  return { file: openSync(path, constants.O_WRONLY | constants.O_DSYNC), bytes }
}

export interface Writes {
  readonly file: number
  readonly position: number
  readonly content: Uint8Array
  /** From the start of one write to the start of the next. */
  readonly step: number
  readonly times: number
}

/** Writes one after the other, by callback alone. Their times, in milliseconds, go to `out` from `from` on. */
export function bareWrites(writes: Writes, out: Float64Array, from: number): Promise<void> {
  const { file, position, content, step, times } = writes
  return new Promise((resolve, reject) => {
    let done = 0
    let start = 0
    const next = (): void => {
      start = performance.now()
      write(file, content, 0, content.length, position + done * step, written)
    }
    const written = (error: Error | null): void => {
      out[from + done] = performance.now() - start
      if (error !== null) reject(error)
      else if (++done === times) resolve()
      else next()
    }
    next()
  })
}

/**
 * Batches as large as those of bulk draws at 32 in flight, and nothing else to be done: what the device takes. One
 * byte counts as one draw.
 */
export function bareBulkWrites(bytes: number): Contestant {
  return {
    rows: [`bare/fs.write-${bytes}-bytes`],
    level: 'target',
    run: async pass => [await runBulkWrites(bytes, pass)],
  }
}

async function runBulkWrites(bytes: number, pass: Pass): Promise<Sample> {
  const { file, bytes: size } = openDeviceFile(pass.directory, pass)
  try {
    const count = Math.floor(size / bytes)
    const times = new Float64Array(count)
    const content = new Uint8Array(bytes).fill(0xa5)
    const writes = { file, position: 0, content, step: bytes, times: count }
    const measured = await timed(() => bareWrites(writes, times, 0))
    const draws = count * bytes
    return { draws, ...measured, latency: latencyOf(times), logBytes: draws, hash: hashOf({ draws }) }
  } finally {
    closeSync(file)
  }
}
