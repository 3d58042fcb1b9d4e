import type { Clock } from '../clock/clock.ts'
import type { Disk } from '../disk/disk.ts'
import type { LogReading } from './reading.ts'
import type { LogFaultKind, LogObserver } from './report.ts'

export interface ReadingOptions {
  readonly disk: Disk
  readonly directory: string
  readonly observer: LogObserver
  /** Looks again at what seems wrong before saying so: a server may have been writing it. Not needed under the lock. */
  readonly secondLook: boolean
  /** Default: the system's. */
  readonly clock?: Clock
  /** Sees the state behind every segment that was ended in order. */
  readonly onSegmentEnd?: (number: number, reading: LogReading) => Promise<void>
}

/** Where the log can be read no further. */
export interface Stop {
  readonly number: number
  readonly offset: number
  readonly kind: LogFaultKind
}
