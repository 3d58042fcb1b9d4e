import { closeSync } from 'node:fs'
import { checkTotal, hashOf, Tally } from '../fixtures/check.ts'
import { openEngine } from '../fixtures/engine.ts'
import { readLog } from '../fixtures/log-files.ts'
import { benchPool, poolId } from '../fixtures/pools.ts'
import type { Group, Pass, Sample } from '../group.ts'
import { latencyOf } from '../measure/latency.ts'
import { bareWrites, openDeviceFile } from './bare-device.ts'

/** What one draw's batch writes, its terminator included, and how far the next write is from it. */
const batchBytes = 96
const batchStep = 88
/** Draws, then as many bare writes, taking turns: each turn is far shorter than the device's moods. */
const turn = 50

async function runDevice(pass: Pass): Promise<Sample[]> {
  const turns = Math.ceil(pass.draws(6000, turn) / turn)
  const draws = turns * turn
  const pool = benchPool('weighted', 6)
  const kuji = await openEngine({ directory: pass.directory, durability: 'sync', pool })
  const { file } = openDeviceFile(pass.directory, pass)
  const drawTimes = new Float64Array(draws)
  const writeTimes = new Float64Array(draws)
  const content = new Uint8Array(batchBytes).fill(0xa5)
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
      const position = (round + warmUp) * turn * batchStep
      await bareWrites({ file, position, content, step: batchStep, times: turn }, writeTimes, from)
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
