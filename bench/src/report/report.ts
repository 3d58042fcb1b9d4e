import { availableParallelism } from 'node:os'
import type { Group } from '../group.ts'
import type { RowReport } from './row.ts'
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

export function formatTargets(targets: readonly TargetReport[]): string {
  const rows = targets.map(({ name, wanted, measured, met, figures }) => [
    name,
    wanted,
    measured,
    met === null ? '-' : met ? 'met' : 'NOT MET',
    figures,
  ])
  return ['## targets', formatTable(['target', 'wanted', 'measured', 'verdict', 'figures'], rows)].join(
    '\n\n',
  )
}
