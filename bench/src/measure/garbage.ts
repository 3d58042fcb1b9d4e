import { PerformanceObserver } from 'node:perf_hooks'
import { setImmediate } from 'node:timers/promises'
import { getHeapStatistics } from 'node:v8'

interface Collection {
  readonly start: number
  readonly duration: number
}

const collections: Collection[] = []
const observer = new PerformanceObserver(list => {
  for (const { startTime, duration } of list.getEntries()) collections.push({ start: startTime, duration })
})
observer.observe({ entryTypes: ['gc'] })

/** Bytes ever allocated on this thread's heap, like Go's B/op: what was collected since counts too. */
function allocatedBytes(): number {
  return (getHeapStatistics() as { total_allocated_bytes?: number }).total_allocated_bytes ?? Number.NaN
}

export interface Timed {
  readonly seconds: number
  /** Processor time of this thread: unlike the wall clock, it does not wait for other programs. */
  readonly cpuSeconds: number
  readonly heapBytes: number
  readonly gcCount: number
  readonly gcMs: number
  /** The longest collection. */
  readonly gcLongestMs: number
}

/** Runs `work` on a freshly collected heap and tells its time, its allocations and the collections it caused. */
export async function timed(work: () => Promise<void>): Promise<Timed> {
  globalThis.gc?.()
  await setImmediate()
  const heapBefore = allocatedBytes()
  const cpuBefore = process.threadCpuUsage()
  const start = performance.now()
  await work()
  const end = performance.now()
  const cpu = process.threadCpuUsage(cpuBefore)
  const heapBytes = allocatedBytes() - heapBefore
  // The observer hears of collections on a later turn of the loop.
  await setImmediate()
  await setImmediate()
  const own = collections.filter(one => one.start >= start && one.start < end)
  collections.length = 0
  const gcMs = own.reduce((sum, one) => sum + one.duration, 0)
  const gcLongestMs = own.reduce((most, one) => Math.max(most, one.duration), 0)
  const cpuSeconds = (cpu.user + cpu.system) / 1e6
  return { seconds: (end - start) / 1000, cpuSeconds, heapBytes, gcCount: own.length, gcMs, gcLongestMs }
}
