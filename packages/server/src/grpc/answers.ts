import type {
  ItemState,
  KujiError,
  LogChange,
  LogEvent,
  Mode,
  PoolState,
  PoolSummary,
  Receipt,
  Status,
  Stock,
} from '@kuji/engine/contract'
import { serverLimits } from '../limits.ts'
import { retryAfterSeconds } from '../retry-after.ts'
import { encodeStruct, encodeValue } from './json-value.ts'

/* What the service returns, as proto-loader writes it. */

const modes: Record<Mode, string> = { weighted: 'MODE_WEIGHTED', urn: 'MODE_URN' }

const statuses: Record<Status, string> = {
  open: 'POOL_STATUS_OPEN',
  paused: 'POOL_STATUS_PAUSED',
  closed: 'POOL_STATUS_CLOSED',
}

type PoolChange = Extract<LogChange, { type: 'pool' }>['change']

const changeKinds: Record<PoolChange, string> = {
  put: 'KIND_PUT',
  updated: 'KIND_UPDATED',
  paused: 'KIND_PAUSED',
  resumed: 'KIND_RESUMED',
  closed: 'KIND_CLOSED',
  deleted: 'KIND_DELETED',
}

export function encodeReceipt({ id, pool, items, version, at, replayed }: Receipt): object {
  return { id, pool, items, version, at: encodeTime(at), replayed }
}

/** A refusal as a value, for a stream that goes on behind it. */
export function encodeError({ code, message, fields }: KujiError): object {
  const seconds = retryAfterSeconds(code, fields)
  return {
    code,
    message: message.toWellFormed(),
    fields: encodeStruct(fields),
    ...(seconds === undefined ? {} : { retryAfterSeconds: seconds }),
  }
}

export function encodePool(pool: PoolState): object {
  const { mode, status, items, metadata, ...rest } = pool
  return {
    ...rest,
    mode: modes[mode],
    status: statuses[status],
    items: items.map(encodeItem),
    ...(metadata === undefined ? {} : { metadata: encodeValue(metadata) }),
  }
}

function encodeItem({ stock, remaining, metadata, ...rest }: ItemState): object {
  return {
    ...rest,
    stock: encodeStock(stock),
    remaining: encodeStock(remaining),
    ...(metadata === undefined ? {} : { metadata: encodeValue(metadata) }),
  }
}

export function encodeSummary({ mode, status, items, remaining, ...rest }: PoolSummary): object {
  return {
    ...rest,
    mode: modes[mode],
    status: statuses[status],
    itemCount: items,
    remaining: encodeStock(remaining),
  }
}

function encodeStock(stock: Stock): object {
  return stock === 'unlimited' ? { unlimited: true } : { units: stock }
}

function encodeTime(at: number): object {
  return { seconds: Math.floor(at / 1000), nanos: (at % 1000) * 1_000_000 }
}

/**
 * A batch as messages of bounded size: a batch may hold a million draws, and clients take 4 MiB by default. All but
 * the last say that the next goes on.
 */
export function* encodeEvent({ lsn, at, changes }: LogEvent): Generator<object> {
  const time = encodeTime(at)
  let part: object[] = []
  let items = 0
  for (const change of changes) {
    for (const piece of piecesOf(change)) {
      const more = piece.type === 'draws' ? piece.items.length : 0
      const full = items + more > serverLimits.grpcWatchedItems
      if (full || part.length === serverLimits.grpcWatchedChanges) {
        yield { lsn, at: time, changes: part, continues: true }
        part = []
        items = 0
      }
      part.push(encodeChange(piece))
      items += more
    }
  }
  yield { lsn, at: time, changes: part, continues: false }
}

/** Draws in pieces that fit a message, each with the number of its own first draw. */
function* piecesOf(change: LogChange): Generator<LogChange> {
  const most = serverLimits.grpcWatchedItems
  if (change.type === 'pool' || change.items.length <= most) {
    yield change
    return
  }
  for (let start = 0; start < change.items.length; start += most)
    yield { ...change, id: change.id + start, items: change.items.slice(start, start + most) }
}

function encodeChange(change: LogChange): object {
  if (change.type === 'pool') return { pool: { pool: change.pool, kind: changeKinds[change.change] } }
  const { type: _, ...draws } = change
  return { draws }
}
