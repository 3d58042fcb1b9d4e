import { availableParallelism } from 'node:os'
import type { Group } from '../group.ts'
import type { RowReport } from './row.ts'
import { median } from './row.ts'
import { figure, formatTable } from './table.ts'
import type { TargetReport } from './targets.ts'

const head = [
  'row',
  'M draws/s',
  'ns/draw',
  'cpu ns/draw',
  'heap B/draw',
  'GCs',
  'log B/draw',
  'log MiB',
  'draws/batch',
  'p50 µs',
  'p99 µs',
  'p99.9 µs',
  'result',
]

export function formatHeading(mode: string, rounds: number): string {
  const date = new Date().toISOString().slice(0, 10)
  const cores = availableParallelism()
  return `${date} · Node ${process.version} · ${cores} cores · ${mode}, medians of ${rounds} rounds`
}

export function formatGroup(group: Group, rows: readonly RowReport[]): string {
  const cells = rows.map(row => [
    row.name,
    figure(row.draws_per_sec / 1e6),
    figure(row.ns_per_draw),
    figure(row.cpu_ns_per_draw),
    figure(row.heap_bytes_per_draw),
    figure(row.gc_count),
    figure(row.wal_bytes_per_draw),
    figure(row.wal_file_size === null ? null : row.wal_file_size / 1024 / 1024),
    figure(row.draws_per_batch),
    figure(row.p50_us),
    figure(row.p99_us),
    figure(row.p99_9_us),
    row.result_hash,
  ])
  const noted = rows.filter(row => Object.keys(row.notes).length > 0)
  const notes = noted.map(({ name, notes: own }) => {
    const texts = Object.entries(own).map(([note, value]) => `${note.replaceAll('_', ' ')} ${figure(value)}`)
    return `- ${name}: ${texts.join(', ')}`
  })
  const text = [`## ${group.name}: ${group.about}`, formatTable(head, cells)]
  if (notes.length > 0) text.push(notes.join('\n'))
  return text.join('\n\n')
}

/**
 * How much of a core the drawing thread had in rows that never wait. Well under 100 %, other programs have had the
 * rest, and bare figures, as well as what needs two cores, come out too low.
 */
function formatShare(rows: readonly RowReport[]): string {
  const busy = rows.filter(
    row => row.cpu_ns_per_draw !== null && row.wal_bytes_per_draw === null && row.draws > 1,
  )
  if (busy.length === 0) return ''
  const share = median(busy.map(row => row.cpu_ns_per_draw! / row.ns_per_draw))
  return `Rows without a log had ${figure(100 * share)} % of a core; the rest went to other programs.`
}

export function formatTargets(targets: readonly TargetReport[], rows: readonly RowReport[]): string {
  const lines = targets.map(({ name, wanted, measured, met, figures }) => [
    name,
    wanted,
    measured,
    met === null ? '-' : met ? 'met' : 'NOT MET',
    figures,
  ])
  const table = formatTable(['target', 'wanted', 'measured', 'verdict', 'figures'], lines)
  return ['## targets', table, formatShare(rows)].join('\n\n').trimEnd()
}
