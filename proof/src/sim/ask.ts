import type { Kuji, PoolState } from '@kuji/engine'
import type { Operation } from './model/operation.ts'

/** Asks the engine what a client asks for. */
export function ask(kuji: Kuji, operation: Operation): Promise<unknown> {
  switch (operation.kind) {
    case 'draw': {
      const { pool, count, partial, bulk, key, recipient } = operation
      if (bulk) return kuji.drawMany(pool, count, { partial })
      const named = { ...(key === '' ? {} : { key }), ...(recipient === '' ? {} : { recipient }) }
      return kuji.draw(pool, { count, partial, ...named })
    }
    case 'put':
      return kuji.putPool(operation.manifest, conditionOf(operation))
    case 'update':
      return kuji.updateItem(operation.pool, operation.item, operation.update, conditionOf(operation))
    case 'status':
      if (operation.status === 'closed') return kuji.closePool(operation.pool)
      return operation.status === 'paused' ? kuji.pausePool(operation.pool) : kuji.resumePool(operation.pool)
    case 'delete':
      return kuji.deletePool(operation.pool)
    case 'read':
      return kuji.pool(operation.pool)
    case 'receipt':
      return kuji.receipt(operation.draw)
  }
}

function conditionOf({ ifVersion }: { readonly ifVersion?: number }): { readonly ifVersion?: number } {
  return ifVersion === undefined ? {} : { ifVersion }
}

/** All pools, each in full. */
export async function allPools(kuji: Kuji): Promise<PoolState[]> {
  const summaries = await kuji.pools()
  return Promise.all(summaries.map(({ id }) => kuji.pool(id)))
}
