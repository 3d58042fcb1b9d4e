import { existsSync, readFileSync } from 'node:fs'
import type { Served } from './stage.ts'

/** What one side came to in one round. */
export interface Figure {
  /** In the unit of the bout. */
  readonly value: number
  /**
   * Processor time of the server for a draw, all its threads together. Unlike the rate it does not suffer from what
   * else the machine does. Undefined where it is not known.
   */
  readonly cpuMicroseconds?: number
}

/** A load generator's account. */
export interface LoadResult {
  /** Requests a second. */
  readonly rate: number
  readonly requests: number
}

/** How the draws that a server has made are counted, and how many one request asks for. */
interface Counting {
  readonly drawn: () => Promise<number>
  readonly drawsPerRequest?: number
}

/**
 * Runs a load and holds the number of draws that it reports against what the server counts: a refusal is not a draw.
 * There may be more, since generators ask for some that they do not wait for. Without `counting`, a request is one.
 */
export async function measureDraws(
  { pid }: Served,
  load: () => Promise<LoadResult>,
  counting?: Counting,
): Promise<Figure> {
  const drawsBefore = (await counting?.drawn()) ?? 0
  const cpuBefore = cpuSeconds(pid)
  const { rate, requests } = await load()
  const cpu = cpuSeconds(pid) - cpuBefore
  const drawsPerRequest = counting?.drawsPerRequest ?? 1
  const reported = requests * drawsPerRequest
  const counted = counting === undefined ? reported : (await counting.drawn()) - drawsBefore
  if (counted < reported) throw new Error(`${reported} draws were reported, and ${counted} were made`)
  const value = rate * drawsPerRequest
  return Number.isFinite(cpu) ? { value, cpuMicroseconds: (cpu * 1e6) / counted } : { value }
}

/** The unit of times in /proc on every Linux that Node runs on. */
const ticksPerSecond = 100

/** User and system time of a process; NaN where there is no /proc. */
function cpuSeconds(pid: number): number {
  const path = `/proc/${pid}/stat`
  if (!existsSync(path)) return Number.NaN
  // The name in parentheses may hold anything; behind it stand the state and then numbers.
  const fields = readFileSync(path, 'utf8').split(') ').at(-1)!.split(' ')
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
}
