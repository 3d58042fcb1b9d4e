import type { LoadResult } from './figure.ts'
import { pathOf } from './programs.ts'
import type { Stage } from './stage.ts'

/** What redis-benchmark is asked for. */
export interface RedisLoad {
  readonly port: number
  readonly clients: number
  readonly pipeline: number
  readonly command: readonly string[]
}

/** Requests of the first run of a load, from which those that fill the seconds are computed. */
const firstRequests = 5000

/** Rates of earlier runs, in requests a second, by load. */
const knownRates = new Map<string, number>()

/** redis-benchmark takes a number of requests: as many as fill the seconds at the rate of the run before. */
export async function loadRedis(stage: Stage, load: RedisLoad, seconds: number): Promise<LoadResult> {
  const name = `${load.port} ${load.clients} ${load.pipeline} ${load.command.join(' ')}`
  const first = firstRequests * Math.min(8, load.pipeline)
  const known = knownRates.get(name) ?? (await runRedisBenchmark(stage, load, first))
  const requests = Math.max(first, Math.round(known * seconds))
  const rate = await runRedisBenchmark(stage, load, requests)
  knownRates.set(name, rate)
  return { rate, requests }
}

async function runRedisBenchmark(stage: Stage, load: RedisLoad, requests: number): Promise<number> {
  const { port, clients, pipeline, command } = load
  const numbers = { p: port, c: clients, P: pipeline, n: requests }
  const args = Object.entries(numbers).flatMap(([letter, value]) => [`-${letter}`, String(value)])
  const printed = await stage.run(pathOf('redis-benchmark'), [...args, '--csv', ...command])
  // "test","rps",… and below it the values; the command itself may hold anything but a quote.
  const rate = Number(printed.trim().split('\n').at(-1)!.split('","')[1])
  if (!(rate > 0)) throw new Error(`redis-benchmark printed no rate: ${printed}`)
  return rate
}
