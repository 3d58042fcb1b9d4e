import type { PoolState, PoolSummary, Stock } from '@kuji/engine/contract'
import { formatTable } from './table.ts'

export function formatPools(pools: readonly PoolSummary[]): string {
  return formatTable(
    [
      { heading: 'POOL' },
      { heading: 'MODE' },
      { heading: 'STATUS' },
      { heading: 'VERSION', right: true },
      { heading: 'ITEMS', right: true },
      { heading: 'REMAINING', right: true },
      { heading: 'DRAWN', right: true },
    ],
    pools.map(pool => [
      pool.id,
      pool.mode,
      pool.status,
      String(pool.version),
      figure(pool.items),
      figure(pool.remaining),
      figure(pool.drawn),
    ]),
  )
}

export function formatPool(pool: PoolState): string {
  const { id, mode, status, version, drawn } = pool
  const notes = [
    pool.fallback === undefined ? '' : `, fallback ${pool.fallback}`,
    pool.lastOne === undefined ? '' : `, last one ${pool.lastOne}`,
  ].join('')
  const table = formatTable(
    [
      { heading: 'ITEM' },
      { heading: 'WEIGHT', right: true },
      { heading: 'STOCK', right: true },
      { heading: 'REMAINING', right: true },
      { heading: 'DRAWN', right: true },
      { heading: 'ODDS NOW', right: true },
    ],
    pool.items.map(item => [
      item.id,
      item.weight === undefined ? '' : String(item.weight),
      figure(item.stock),
      figure(item.remaining),
      figure(item.drawn),
      `${(item.odds * 100).toFixed(4)} %`,
    ]),
  )
  return `${id}: ${mode}, ${status}, version ${version}, ${figure(drawn)} drawn${notes}\n\n${table}`
}

const figure = (value: Stock) => (typeof value === 'number' ? value.toLocaleString('en') : value)
