import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Contestant, Level, Row, Sample } from './group.ts'
import { groups } from './groups/index.ts'
import type { FromGroup, GroupOrder } from './run-group.ts'

/** The process of one group: runs its contestants, round by round, and tells the parent. */

const scales = { smoke: 0.0005, quick: 0.25, targets: 1, default: 1, full: 1 } as const
const levels: Readonly<Record<GroupOrder['mode'], readonly Level[]>> = {
  smoke: ['target', 'default'],
  quick: ['target'],
  targets: ['target'],
  default: ['target', 'default'],
  full: ['target', 'default', 'full'],
}

const order = JSON.parse(process.argv[2]!) as GroupOrder
const group = groups.find(one => one.name === order.group)!
const tell = (message: FromGroup): void => void process.send!(message)

function isChosen({ rows, level }: Contestant): boolean {
  if (!levels[order.mode].includes(level)) return false
  return group.name.includes(order.only) || rows.some(row => row.includes(order.only))
}

async function runPass(contestant: Contestant, round: number): Promise<readonly Sample[]> {
  const directory = join(order.directory, 'pass')
  mkdirSync(directory, { mode: 0o700 })
  const scale = scales[order.mode]
  const draws = (full: number, least = 1): number => Math.max(least, Math.round(full * scale))
  try {
    return await contestant.run({ round, draws, smoke: order.mode === 'smoke', directory })
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

const samples = new Map<string, Sample[]>()
const chosen = group.contestants.filter(isChosen)
const broken = new Set<Contestant>()
for (let round = 0; round < order.rounds; round++) {
  for (const contestant of chosen) {
    if (broken.has(contestant)) continue
    tell({ kind: 'progress', text: `round ${round + 1} of ${order.rounds}: ${contestant.rows.join(', ')}` })
    try {
      for (const [index, sample] of (await runPass(contestant, round)).entries()) {
        const name = contestant.rows[index]!
        const before = samples.get(name) ?? []
        samples.set(name, [...before, sample])
        if (before[0] !== undefined && before[0].hash !== sample.hash)
          throw new Error(`result ${sample.hash}, in an earlier round ${before[0].hash}`)
      }
    } catch (error) {
      broken.add(contestant)
      tell({ kind: 'broken', text: `${contestant.rows.join(', ')}: ${(error as Error).stack}` })
    }
  }
}
const rows: Row[] = chosen.flatMap(({ rows: names }) =>
  names.map(name => ({ name, group: group.name, samples: samples.get(name) ?? [] })),
)
tell({ kind: 'rows', rows: rows.filter(row => row.samples.length > 0) })
process.disconnect?.()
