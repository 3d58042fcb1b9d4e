import { existsSync, readFileSync } from 'node:fs'
import { findProgram } from './programs.ts'

/** Which cores servers run on, and which the load generators, as taskset takes them. */
export interface Cores {
  readonly server: string
  readonly load: string
}

/**
 * Halves the cores of this process between servers and load, so that neither side's server shares a core with what
 * loads it. Null where there is only one core, or no taskset.
 */
export function splitCores(): Cores | null {
  const cores = allowedCores()
  if (cores.length < 2 || findProgram('taskset') === undefined) return null
  const half = cores.length >> 1
  return { server: cores.slice(0, half).join(','), load: cores.slice(half).join(',') }
}

function allowedCores(): number[] {
  const status = '/proc/self/status'
  if (!existsSync(status)) return []
  const list = /^Cpus_allowed_list:\s*(\S+)$/m.exec(readFileSync(status, 'utf8'))?.[1] ?? ''
  return list.split(',').flatMap(range => {
    const [first = 0, last = first] = range.split('-').map(Number)
    return Array.from({ length: last - first + 1 }, (_, k) => first + k)
  })
}
