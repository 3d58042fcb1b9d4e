import { type Kuji, KujiError } from '@kuji/engine'
import { Violation } from './model/violation.ts'

interface WatcherOptions {
  /** The last LSN that is durable. */
  readonly durable: () => number
  readonly fail: (error: Error) => void
}

/**
 * Watches an engine for as long as it lives. What it is told has to be durable by then, for no crash takes back what
 * somebody has been told, and comes once, in the order of the log.
 */
export async function watchLog(kuji: Kuji, { durable, fail }: WatcherOptions): Promise<void> {
  let last = kuji.status().lsn
  try {
    for await (const { lsn } of kuji.watch()) {
      const isAhead = lsn > durable()
      if (isAhead || lsn <= last) {
        const what = isAhead ? `of batch ${lsn} before it is durable` : `of batch ${lsn} behind ${last}`
        fail(new Violation(isAhead ? 'watch: not durable' : 'watch: order', `a watcher is told ${what}`))
        return
      }
      last = lsn
    }
  } catch (error) {
    // The failure of the log ends every watcher, and is told elsewhere.
    if (!(error instanceof KujiError)) fail(error as Error)
  }
}
