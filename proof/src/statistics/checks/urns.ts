import type { Receipt } from '@kuji/engine'
import type { Check } from '../check.ts'
import { cells, hypergeometric, inWaves } from '../check.ts'
import type { Pools } from '../pools.ts'

/** Urns, drained again and again: drawn empty, restocked, drawn empty. */

/** Puts an urn, and returns what drains it in requests of these sizes, fills it again, and answers with the first. */
async function urn(
  pools: Pools,
  stock: readonly number[],
  requests: readonly number[],
): Promise<() => Promise<Receipt>> {
  const items = stock.map((tickets, item) => ({ id: String(item), stock: tickets }))
  await pools.putPool({ id: 'p', mode: 'urn', items })
  return () => {
    const drawn = requests.map(count => pools.draw('p', { count }))
    const restocked = items.map(({ id, stock: restock }) => pools.updateItem('p', id, { restock }))
    return Promise.all([...drawn, ...restocked]).then(() => drawn[0]!)
  }
}

/** All orders of six, as texts. */
function ordersOf(items: readonly string[]): string[] {
  if (items.length === 0) return ['']
  return items.flatMap(first => ordersOf(items.filter(item => item !== first)).map(rest => first + rest))
}

const six = ['0', '1', '2', '3', '4', '5']
const orderNames = ordersOf(six)

const orders: Check = {
  name: 'all 720 orders of an urn of six tickets',
  counts: 'orders',
  of: 'one ticket, first',
  bias: 0.2,
  design: cells(
    orderNames.map(() => 1),
    orderNames.flatMap((name, order) => (name.startsWith('0') ? [order] : [])),
  ),
  drawsPerTrial: 6,
  async observe(pools, trials) {
    const numbers = new Map(orderNames.map((name, order) => [name, order]))
    const counts = new Float64Array(orderNames.length)
    const drain = await urn(pools, [1, 1, 1, 1, 1, 1], [6])
    await inWaves(trials, drain, ({ items }) => void counts[numbers.get(items.join(''))!]!++)
    return counts
  },
}

const parts = 10
const hundred: Check = {
  name: 'places in an urn of a hundred tickets',
  counts: 'the ten parts of the drain that each of five items falls into',
  of: 'one item, in one part',
  bias: 0.06,
  design: { kind: 'places', items: 5, parts, tickets: 100 },
  drawsPerTrial: 100,
  async observe(pools, trials) {
    const counts = new Float64Array(5 * parts)
    const drain = await urn(pools, [20, 20, 20, 20, 20], [100])
    await inWaves(trials, drain, ({ items }) => {
      for (let k = 0; k < items.length; k++) counts[parts * Number(items[k]) + Math.floor(k / parts)]!++
    })
    return counts
  },
}

const places: Check = {
  name: 'places of six tickets',
  counts: 'where in the drain each ticket falls',
  of: 'one ticket, at one place',
  bias: 0.2,
  design: { kind: 'places', items: 6, parts: 6, tickets: 6 },
  drawsPerTrial: 6,
  async observe(pools, trials) {
    const counts = new Float64Array(36)
    const drain = await urn(pools, [1, 1, 1, 1, 1, 1], [6])
    await inWaves(trials, drain, ({ items }) => {
      for (let place = 0; place < 6; place++) counts[6 * Number(items[place]) + place]!++
    })
    return counts
  },
}

const red: Check = {
  name: 'ten of thirty tickets: hypergeometric',
  counts: 'red ones among the first ten, of twelve red and eighteen white',
  of: 'five or more red ones',
  bias: 0.06,
  design: cells(
    Array.from({ length: 9 }, (_, k) =>
      k < 8
        ? hypergeometric(k, 10, 12, 30)
        : [8, 9, 10].reduce((sum, j) => sum + hypergeometric(j, 10, 12, 30), 0),
    ),
    [5, 6, 7, 8],
  ),
  drawsPerTrial: 30,
  async observe(pools, trials) {
    const counts = new Float64Array(9)
    const drain = await urn(pools, [12, 18], [10, 20])
    await inWaves(trials, drain, ({ items }) => {
      counts[Math.min(8, items.filter(item => item === '0').length)]!++
    })
    return counts
  },
}

export const urnChecks: readonly Check[] = [orders, places, hundred, red]
