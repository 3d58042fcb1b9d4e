import type { Receipt } from '@kuji/engine/contract'

/** A receipt as JSON carries it, over HTTP and from the command line. */
export interface ReceiptJson extends Omit<Receipt, 'at'> {
  /** RFC 3339, in UTC. */
  readonly at: string
}

export function encodeReceipt(receipt: Receipt): ReceiptJson {
  const { id, pool, items, version, at, replayed } = receipt
  return { id, pool, items, version, at: new Date(at).toISOString(), replayed }
}

export function decodeReceipt(json: ReceiptJson): Receipt {
  return { ...json, at: Date.parse(json.at) }
}
