import type { ItemState, Json, PoolState, PoolSummary, Receipt, Stock } from '@kuji/engine/contract'
import type { Reply, ReplyWriter } from './reply-writer.ts'

/**
 * Pools, items and receipts as maps, which RESP2 has as names and values in one array. A field that HTTP leaves out is
 * left out here too.
 */
export function poolReply(pool: PoolState): Reply {
  const { id, version, mode, status, drawn, fallback, lastOne, metadata, items } = pool
  return out => {
    const texts = Object.entries({ fallback, lastOne }).filter(entry => entry[1] !== undefined)
    out.map(6 + texts.length + (metadata === undefined ? 0 : 1))
    writeHead(out, { id, version, mode, status, drawn })
    for (const [name, value] of texts) writeText(out, name, value!)
    writeMetadata(out, metadata)
    out.text('items')
    out.array(items.length)
    for (const item of items) writeItem(out, item)
  }
}

export function summaryReply(pool: PoolSummary): Reply {
  return out => writeSummary(out, pool)
}

export function summariesReply(pools: readonly PoolSummary[]): Reply {
  return out => {
    out.array(pools.length)
    for (const pool of pools) writeSummary(out, pool)
  }
}

export function receiptReply({ id, pool, items, version, at, replayed }: Receipt): Reply {
  return out => {
    out.map(6)
    writeInteger(out, 'id', id)
    writeText(out, 'pool', pool)
    out.text('items')
    out.array(items.length)
    for (const item of items) out.text(item)
    writeInteger(out, 'version', version)
    writeInteger(out, 'at', at)
    out.text('replayed')
    out.boolean(replayed)
  }
}

type Head = Pick<PoolState, 'id' | 'version' | 'mode' | 'status' | 'drawn'>

function writeHead(out: ReplyWriter, { id, version, mode, status, drawn }: Head): void {
  writeText(out, 'id', id)
  writeInteger(out, 'version', version)
  writeText(out, 'mode', mode)
  writeText(out, 'status', status)
  writeInteger(out, 'drawn', drawn)
}

function writeSummary(out: ReplyWriter, pool: PoolSummary): void {
  out.map(7)
  writeHead(out, pool)
  writeInteger(out, 'items', pool.items)
  writeStock(out, 'remaining', pool.remaining)
}

function writeItem(out: ReplyWriter, item: ItemState): void {
  out.map(6 + (item.weight === undefined ? 0 : 1) + (item.metadata === undefined ? 0 : 1))
  writeText(out, 'id', item.id)
  if (item.weight !== undefined) {
    out.text('weight')
    out.double(item.weight)
  }
  writeStock(out, 'stock', item.stock)
  writeStock(out, 'remaining', item.remaining)
  writeInteger(out, 'held', item.held)
  writeInteger(out, 'drawn', item.drawn)
  out.text('odds')
  out.double(item.odds)
  writeMetadata(out, item.metadata)
}

function writeText(out: ReplyWriter, name: string, value: string): void {
  out.text(name)
  out.text(value)
}

function writeInteger(out: ReplyWriter, name: string, value: number): void {
  out.text(name)
  out.integer(value)
}

function writeStock(out: ReplyWriter, name: string, value: Stock): void {
  if (value === 'unlimited') writeText(out, name, value)
  else writeInteger(out, name, value)
}

/** Free-form data goes as JSON text: RESP2 could not tell a map from an array. */
function writeMetadata(out: ReplyWriter, metadata: Json | undefined): void {
  if (metadata !== undefined) writeText(out, 'metadata', JSON.stringify(metadata))
}
