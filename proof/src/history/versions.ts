import type { Draw } from './draws.ts'
import type { Finding, Operation } from './history.ts'
import type { Interval } from './intervals.ts'
import { compare, UnitsByTime } from './intervals.ts'

/** A version that somebody saw, at one moment of the interval. */
interface Seen extends Interval {
  readonly version: number
  /** The change that made it. */
  readonly made: boolean
  readonly operations: readonly Operation[]
}

const makers = new Set(['put', 'restock', 'reweigh'])

/** Versions of pools run on with real time and with draw numbers. Draws in the order of their numbers. */
export function checkVersions(operations: readonly Operation[], draws: readonly Draw[]): Finding[] {
  const findings: Finding[] = []
  const asked = Map.groupBy(
    operations.filter(({ request, outcome }) => makers.has(request.kind) && outcome.kind !== 'refused'),
    ({ request }) => request.pool,
  )
  for (const [pool, seen] of gatherVersions(operations, draws)) {
    const changes = new UnitsByTime((asked.get(pool) ?? []).map(({ invoked }) => [invoked, 1]))
    findings.push(...checkMakers(pool, seen, changes), ...checkOrder(pool, seen))
  }
  findings.push(...checkByNumber(draws))
  return findings
}

function gatherVersions(operations: readonly Operation[], draws: readonly Draw[]): Map<string, Seen[]> {
  const byPool = new Map<string, Seen[]>()
  const add = (pool: string, seen: Seen): void => {
    const list = byPool.get(pool)
    if (list === undefined) byPool.set(pool, [seen])
    else list.push(seen)
  }
  for (const operation of operations) {
    const { request, outcome, invoked: from, completed: to } = operation
    if (outcome.kind !== 'changed' && outcome.kind !== 'shown') continue
    if (outcome.version === undefined) continue
    const made = outcome.kind === 'changed' && makers.has(request.kind) && outcome.changed !== false
    add(request.pool, { version: outcome.version, made, from, to, operations: [operation] })
  }
  for (const { version, pool, from, to, operations: attempts } of draws)
    if (version !== undefined) add(pool, { version, made: false, from, to, operations: attempts })
  return byPool
}

function checkMakers(pool: string, seen: readonly Seen[], changes: UnitsByTime): Finding[] {
  const findings: Finding[] = []
  const madeBy = new Map<number, Seen>()
  for (const entry of seen) {
    const { version, operations } = entry
    const most = changes.upTo(entry.to)
    if (version > most || version < 1) {
      const message = `version ${version} of ${pool}, which ${most} changes cannot have made`
      findings.push({ rule: 'version-unmade', message, operations })
    }
    if (!entry.made) continue
    const other = madeBy.get(version)
    if (other !== undefined) {
      const message = `two changes of ${pool} made version ${version}`
      findings.push({
        rule: 'version-reused',
        message,
        operations: [...other.operations, ...operations],
      })
    }
    madeBy.set(version, entry)
  }
  return findings
}

/** Whoever asks after another was answered sees that version or a later one; a change makes a later one. */
function checkOrder(pool: string, seen: readonly Seen[]): Finding[] {
  const findings: Finding[] = []
  const ended = seen.toSorted((a, b) => compare(a.to, b.to))
  let highest: Seen | undefined
  let next = 0
  for (const entry of seen.toSorted((a, b) => compare(a.from, b.from))) {
    for (; ended[next] !== undefined && ended[next]!.to < entry.from; next++)
      if (highest === undefined || ended[next]!.version > highest.version) highest = ended[next]!
    if (highest === undefined || entry.version > highest.version) continue
    // Two changes with one version are told as that.
    if (entry.version === highest.version && (!entry.made || highest.made)) continue
    const what = entry.made ? 'made' : 'seen'
    const message = `version ${entry.version} of ${pool} was ${what} after version ${highest.version}`
    findings.push({
      rule: 'version-order',
      message,
      operations: [...highest.operations, ...entry.operations],
    })
  }
  return findings
}

function checkByNumber(draws: readonly Draw[]): Finding[] {
  const findings: Finding[] = []
  const last = new Map<string, Draw>()
  for (const draw of draws) {
    if (draw.version === undefined) continue
    const before = last.get(draw.pool)
    last.set(draw.pool, draw)
    if (before === undefined || before.version! <= draw.version) continue
    const message = `draw ${before.id} is of version ${before.version}, draw ${draw.id} of ${draw.version}`
    findings.push({
      rule: 'version-order',
      message,
      operations: [...before.operations, ...draw.operations],
    })
  }
  return findings
}
