import type {
  LogFault,
  LogLosses,
  LogReport,
  RepairReport,
  SegmentReport,
  SnapshotReport,
} from '@kuji/engine'
import { formatTable } from './table.ts'

const figure = (value: number): string => value.toLocaleString('en')

function range(first: number | null, last: number | null): string {
  return first === null ? '' : `${first}–${last ?? '?'}`
}

/** Segments and snapshots, and where the log ends. */
export function formatFiles({ segments, snapshots, lsn, drawNumber, pools }: LogReport): string {
  const files = formatTable(
    [
      { heading: 'SEGMENT' },
      { heading: 'BYTES', right: true },
      { heading: 'BATCHES', right: true },
      { heading: 'LSN', right: true },
      { heading: 'DRAWS', right: true },
      { heading: 'END' },
    ],
    segments.map((segment: SegmentReport) => [
      segment.file,
      figure(segment.bytes),
      figure(segment.batches),
      range(segment.firstLsn, segment.lastLsn),
      range(segment.firstDraw, segment.lastDraw),
      segment.end,
    ]),
  )
  const kept = formatTable(
    [
      { heading: 'SNAPSHOT' },
      { heading: 'BYTES', right: true },
      { heading: 'LSN', right: true },
      { heading: 'DRAW', right: true },
      { heading: 'STATE' },
    ],
    snapshots.map(snapshot => [
      snapshot.file,
      figure(snapshot.bytes),
      String(snapshot.lsn ?? ''),
      String(snapshot.drawNumber ?? ''),
      judgeSnapshot(snapshot),
    ]),
  )
  const end = `Ends at LSN ${lsn}, draw ${drawNumber}; ${figure(pools)} ${pools === 1 ? 'pool' : 'pools'}.\n`
  return [files, snapshots.length > 0 ? kept : '', end].filter(text => text !== '').join('\n')
}

function judgeSnapshot({ fault, matches, stateHash }: SnapshotReport): string {
  if (fault !== '') return `bad: ${fault}`
  if (matches === null) return `${stateHash}, good; the replay begins after it`
  return matches ? `${stateHash}, as the replay has it` : `${stateHash}, not what the replay has`
}

/** A fault in one line. */
export function formatFault({ kind, file, offset, firstLsn, lastLsn, message }: LogFault): string {
  const lsns =
    firstLsn === null
      ? ''
      : lastLsn === null
        ? `, from LSN ${firstLsn} on`
        : `, LSN ${firstLsn} to ${lastLsn}`
  return `${kind} in ${file} at offset ${offset}${lsns}: ${message}`
}

/** What a verification has checked. */
export function formatChecks(report: LogReport): string {
  const { directory, identity, segments, snapshots, startLsn, startDrawNumber, lsn, drawNumber } = report
  const replayed = segments.filter(segment => segment.replayed)
  const archived = replayed.filter(segment => segment.archived).length
  const batches = replayed.reduce((sum, segment) => sum + segment.batches, 0)
  const compared = snapshots.filter(({ matches }) => matches === true)
  const before = startLsn === 0 ? '' : `; what is before was removed, and the oldest snapshot stands for it`
  const lsns = `LSN ${startLsn + 1} to ${lsn}`
  const draws = `from ${startDrawNumber + 1} to ${drawNumber}`
  const lines = [
    `${directory}: log ${identity}, format ${report.format}`,
    `segments   ${figure(replayed.length)} replayed, ${figure(archived)} of them archived`,
    `batches    ${figure(batches)}, ${lsns}: checksums, hash chain, order, time and epoch${before}`,
    `draws      ${figure(drawNumber - startDrawNumber)}, ${draws}: no gap, none twice`,
    `pools      ${figure(report.pools)}: nothing was drawn beyond its stock`,
    `state      ${report.stateHash}: as every seal has it, and as computed anew from the pools`,
    `snapshots  ${figure(snapshots.length)}, ${figure(compared.length)} of them compared with the replay at their LSN`,
    ...(report.growing
      ? ['The log grew as it was read: a server is running. The end is that of a moment.']
      : []),
  ]
  return lines.map(line => `${line}\n`).join('')
}

/** What a repair does, or would do, and what is lost by it. */
export function formatRepair(report: RepairReport): string {
  const { before, lsn, drawNumber, lost, rewritten, created, moved, copied, broken, done } = report
  const fault = before.fault === null ? '' : formatFault(before.fault)
  const files: readonly [string, readonly string[]][] = [
    ['written anew', rewritten],
    ['made', created],
    [`moved to ${broken}/`, moved],
    [`copied to ${broken}/ first`, copied],
  ]
  return [
    `${before.directory}: ${fault}\n`,
    `${done ? 'Kept' : 'Would be kept'}: LSN ${before.startLsn + 1} to ${lsn}, draws up to ${drawNumber}.`,
    ...formatLosses(lost, done),
    '',
    ...files.flatMap(([what, names]) => (names.length === 0 ? [] : [`${what}: ${names.join(', ')}`])),
  ]
    .map(line => `${line}\n`)
    .join('')
}

function formatLosses(lost: LogLosses, done: boolean): string[] {
  const word = done ? 'Lost' : 'Would be lost'
  const more = lost.complete ? [] : ['More than that may be lost: the end of the log is missing too.']
  if (lost.firstLsn === null) return [`${word}: nothing${lost.complete ? '' : ' that is known'}.`, ...more]
  const { firstDraw, lastDraw } = lost
  const readable = `of which ${figure(lost.readableDraws)} can still be read`
  const draws =
    firstDraw === null ? 'no draw' : `${figure(lost.draws)} draws, ${firstDraw} to ${lastDraw}, ${readable}`
  const rows = lost.pools.flatMap(({ pool, number, assumed, items }) =>
    items.map(({ item, index, draws }) => [
      pool ?? `(pool number ${number})`,
      `${item ?? `(item number ${index})`}${assumed ? ' ?' : ''}`,
      figure(draws),
    ]),
  )
  const table = formatTable(
    [{ heading: 'POOL' }, { heading: 'ITEM' }, { heading: 'DRAWS', right: true }],
    rows,
  )
  const assumed = lost.pools.some(pool => pool.assumed)
  return [
    `${word}: LSN ${lost.firstLsn} to ${lost.lastLsn}; ${draws}.`,
    ...more,
    ...(rows.length === 0 ? [] : ['', ...table.trimEnd().split('\n')]),
    ...(assumed
      ? ['(? named by the rules known before: a change of them may be in what cannot be read)']
      : []),
    ...lost.changes.map(
      ({ lsn, type, pool }) => `LSN ${lsn}: ${type} ${pool ?? '(a pool whose name is lost)'}`,
    ),
  ]
}
