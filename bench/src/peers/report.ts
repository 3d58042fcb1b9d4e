import { availableParallelism, cpus } from 'node:os'
import { median } from '../report/row.ts'
import { figure, formatTable } from '../report/table.ts'
import type { Contest, Unit } from './contest.ts'
import type { Cores } from './cores.ts'
import type { Figure } from './figure.ts'
import type { BoutResult } from './run-contest.ts'

/** A bout as the JSON has it. */
export interface BoutReport {
  readonly name: string
  readonly contest: string
  readonly peer: string
  readonly unit: Unit
  /** Medians over the rounds. */
  readonly kuji: number
  readonly beside: number | null
  /** Median of the quotients of each round; null without a peer. */
  readonly ratio: number | null
  readonly ratio_range: readonly [number, number] | null
  /** Medians of the servers' processor time for a draw; null where it is not known. */
  readonly kuji_cpu_us: number | null
  readonly beside_cpu_us: number | null
  readonly rounds: number
  readonly wanted: string
  /** Null: not judged. */
  readonly met: boolean | null
}

export interface Surroundings {
  readonly date: string
  readonly machine: string
  readonly versions: Readonly<Record<string, string>>
  readonly rounds: number
  readonly seconds: number
  readonly cores: Cores | null
}

export function machineName(): string {
  return `${availableParallelism()} × ${cpus()[0]?.model.trim() ?? 'unknown processor'}`
}

/** `judged`: an instant says nothing about speed, so that a smoke run has no verdicts. */
export function reportBout(result: BoutResult, judged: boolean): BoutReport {
  const { name, contest, peer, unit, target } = result
  const kuji = result.kuji.map(({ value }) => value)
  const beside = result.beside.map(({ value }) => value)
  const ratios = kuji.flatMap((value, round) => {
    const other = beside[round]
    return other === undefined ? [] : [value / other]
  })
  const ratio = ratios.length === 0 ? null : median(ratios)
  const value = ratio ?? median(kuji)
  const isMet = target !== null && (target.atLeast ? value >= target.bound : value <= target.bound)
  return {
    name,
    contest,
    peer,
    unit,
    kuji: median(kuji),
    beside: beside.length === 0 ? null : median(beside),
    ratio,
    ratio_range: ratio === null ? null : [Math.min(...ratios), Math.max(...ratios)],
    kuji_cpu_us: medianCpu(result.kuji),
    beside_cpu_us: medianCpu(result.beside),
    rounds: kuji.length,
    wanted: wanted(result, ratio !== null),
    met: target === null || !judged ? null : isMet,
  }
}

function medianCpu(figures: readonly Figure[]): number | null {
  const known = figures.flatMap(({ cpuMicroseconds }) => cpuMicroseconds ?? [])
  return known.length === 0 ? null : median(known)
}

function wanted({ target, unit }: BoutResult, asRatio: boolean): string {
  if (target === null) return '-'
  const bound = asRatio ? `${target.bound.toFixed(1)} ×` : format(target.bound, unit)
  return `${target.atLeast ? '≥' : '≤'} ${bound}`
}

function format(value: number | null, unit: Unit): string {
  if (value === null) return '-'
  if (unit !== 'draws/s') return `${figure(value)} ${unit}`
  return value >= 1e6 ? `${figure(value / 1e6)} M/s` : `${figure(value / 1e3)} k/s`
}

function formatCpu({ kuji_cpu_us: kuji, beside_cpu_us: beside }: BoutReport): string {
  if (kuji === null) return '-'
  return beside === null ? figure(kuji) : `${figure(kuji)} : ${figure(beside)}`
}

export function formatHeading({ date, machine, versions, rounds, seconds, cores }: Surroundings): string {
  const named = Object.entries(versions).map(([name, version]) => `${name} ${version}`)
  const pinned =
    cores === null
      ? 'servers and load on any core'
      : `servers on core ${cores.server}, load on core ${cores.load}`
  return [
    `${date} · ${machine} · ${pinned}`,
    named.join(' · '),
    `medians of ${rounds} rounds, ${seconds} s a side`,
  ].join('\n')
}

export function formatContest({ name, about }: Contest, bouts: readonly BoutReport[]): string {
  const times = (value: number): string => `${value.toFixed(2)} ×`
  const rows = bouts.map(bout => [
    bout.name,
    bout.peer === '' ? '-' : bout.peer,
    format(bout.kuji, bout.unit),
    format(bout.beside, bout.unit),
    bout.ratio === null ? '-' : times(bout.ratio),
    bout.ratio_range === null ? '-' : `${times(bout.ratio_range[0])} – ${times(bout.ratio_range[1])}`,
    formatCpu(bout),
    bout.wanted,
    bout.met === null ? '-' : bout.met ? 'met' : 'NOT MET',
  ])
  const head = ['bout', 'beside', 'kuji', 'peer', 'ratio', 'rounds', 'cpu µs/draw', 'wanted', 'verdict']
  return `## ${name}: ${about}\n\n${formatTable(head, rows)}`
}
