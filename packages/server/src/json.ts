import type { Receipt } from '@kuji/engine/contract'

/** A receipt as JSON carries it, over HTTP and from the command line. */
export interface ReceiptJson extends Omit<Receipt, 'at'> {
  /** RFC 3339, in UTC. */
  readonly at: string
}

export function encodeReceipt(receipt: Receipt): ReceiptJson {
  const { id, pool, items, version, at, replayed } = receipt
  return { id, pool, items, version, at: formatTime(at), replayed }
}

/**
 * The text of `encodeReceipt`, in half the time that `JSON.stringify` takes: ids of pools and items have no character
 * that JSON would escape.
 */
export function stringifyReceipt({ id, pool, items, version, at, replayed }: Receipt): string {
  const list = items.length === 1 ? `["${items[0]}"]` : JSON.stringify(items)
  return (
    `{"id":${id},"pool":"${pool}","items":${list},"version":${version},` +
    `"at":"${formatTime(at)}","replayed":${replayed}}`
  )
}

let lastTime = Number.NaN
let lastText = ''

/** All draws of a batch have one time. */
function formatTime(at: number): string {
  if (at !== lastTime) {
    lastText = new Date(at).toISOString()
    lastTime = at
  }
  return lastText
}
