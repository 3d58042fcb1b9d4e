import { once } from 'node:events'
import type { Writable } from 'node:stream'
import type { Pools } from './pools.ts'

const drawsAtOnce = 250_000

/** Widths of an outcome in the stream: a pool with as many equal items as a byte, or two, have values. */
export const streamBits = [8, 16] as const
export type StreamBits = (typeof streamBits)[number]

/**
 * Writes outcomes of a pool of 2^bits equal items, in one byte or two (little-endian) a draw, as the engine gives
 * them, until nobody reads any more.
 */
export async function writeStream(pools: Pools, bits: StreamBits, out: Writable): Promise<void> {
  const items = Array.from({ length: 2 ** bits }, (_, item) => ({
    id: String(item),
    weight: 1,
    stock: 'unlimited' as const,
  }))
  await pools.putPool({ id: 'stream', items })
  let ended = false
  const end = new Promise<void>(resolve => {
    out.on('error', error => {
      ended = true
      // Whoever reads has what it wanted.
      if ((error as NodeJS.ErrnoException).code !== 'EPIPE') throw error
      resolve()
    })
  })
  while (!ended) {
    const { items: drawn } = await pools.drawMany('stream', drawsAtOnce)
    const bytes = new Uint8Array(drawn.buffer, drawn.byteOffset, drawn.byteLength)
    if (!out.write(bytes)) await Promise.race([once(out, 'drain').catch(() => undefined), end])
  }
}
