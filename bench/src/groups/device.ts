import { closeSync, constants, openSync, write, writeSync } from 'node:fs'
import { join } from 'node:path'
import { checkTotal, hashOf, Tally } from '../fixtures/check.ts'
import { openEngine } from '../fixtures/engine.ts'
import { readLog } from '../fixtures/log-files.ts'
import { benchPool, poolId } from '../fixtures/pools.ts'
import type { Group, Pass, Sample } from '../group.ts'
import { latencyOf } from '../measure/latency.ts'

/** What one draw's batch writes, its terminator included, and how far the next write is from it. */
const batchBytes = 96
const batchStep = 88
const fileBytes = 64 * 1024 * 1024
/** Draws, then as many bare writes, taking turns: each turn is far shorter than the device's moods. */
const turn = 50

/** A zero-filled file on which every write is on the device when it returns, like the log's. */
function openDeviceFile(path: string, bytes: number): number {
  const file = openSync(path, 'w', 0o600)
  const zeros = new Uint8Array(1024 * 1024)
  for (let at = 0; at < bytes; at += zeros.length) writeSync(file, zeros, 0, zeros.length, at)
  closeSync(file)
  return openSync(path, constants.O_WRONLY | constants.O_DSYNC)
}

/** `times` writes, one after the other, by callback alone. Their times go to `out` from `from` on. */
function bareWrites(
  file: number,
  position: number,
  times: number,
  out: Float64Array,
  from: number,
): Promise<void> {
  const bytes = new Uint8Array(batchBytes).fill(0xa5)
  return new Promise((resolve, reject) => {
    let done = 0
    let start = performance.now()
    const next = (): void => {
      start = performance.now()
      write(file, bytes, 0, bytes.length, position + done * batchStep, written)
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

async function runDevice(pass: Pass): Promise<Sample[]> {
  const turns = Math.ceil(pass.draws(6000, turn) / turn)
  const draws = turns * turn
  const kuji = await openEngine({
    directory: pass.directory,
    durability: 'sync',
    pool: benchPool('weighted', 6),
  })
  const file = openDeviceFile(join(pass.directory, 'bare-file'), pass.smoke ? 1024 * 1024 : fileBytes)
  const drawTimes = new Float64Array(draws)
  const writeTimes = new Float64Array(draws)
  const tally = new Tally()
  try {
    // The first turns warm the code up and are overwritten by the turns that count.
    const warmUp = pass.smoke ? 1 : 10
    for (let round = -warmUp; round < turns; round++) {
      const from = Math.max(0, round) * turn
      for (let k = 0; k < turn; k++) {
        const start = performance.now()
        const { id } = await kuji.draw(poolId)
        drawTimes[from + k] = performance.now() - start
        tally.note(id)
      }
      const at = (round + warmUp) * turn * batchStep
      await bareWrites(file, at, turn, writeTimes, from)
    }
    const total = draws + warmUp * turn
    tally.check(1, total, 1)
    await checkTotal(kuji, total, true)
    await kuji.close()
    const log = readLog(pass.directory, total - draws, total)
    const sample = (times: Float64Array): Sample => {
      const seconds = times.reduce((sum, time) => sum + time, 0) / 1000
      const none = { heapBytes: Number.NaN, gcCount: Number.NaN, gcMs: Number.NaN }
      return { draws, seconds, ...none, latency: latencyOf(times), hash: hashOf({ draws, gapFree: 1 }) }
    }
    return [
      { ...sample(drawTimes), batches: log.batches, logBytes: log.bytes, fileBytes: log.fileBytes },
      { ...sample(writeTimes), logBytes: draws * batchStep },
    ]
  } finally {
    closeSync(file)
    await kuji.close()
  }
}

export const device: Group = {
  name: 'device',
  about: 'one draw at a time beside a bare fs.write callback of the same size, turn by turn',
  contestants: [
    {
      rows: ['draw/6-items/sync/one-at-a-time', `bare/fs.write-${batchBytes}-bytes`],
      level: 'target',
      run: runDevice,
    },
  ],
}
