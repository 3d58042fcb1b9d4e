/**
 * Redeems orders: each one is worth some draws for its buyer. The number of the order is the key of its draw, so the
 * list may be run as often as it takes, by several workers at once, over crashes of this program and of the server:
 * an order draws once. Where the pool has run out, the order is told and left for a person.
 *
 *   npx kuji serve examples/gacha-banner.yaml
 *   printf 'order-1,anna,10\norder-2,ben,1\n' |
 *     npx node --conditions=source examples/redeem-orders.ts starfall-banner
 */
import { createInterface } from 'node:readline'
import { KujiClient, KujiError } from '@kuji/client'

const [pool = 'summer', url = 'http://127.0.0.1:7070'] = process.argv.slice(2)
const apiKey = process.env.KUJI_API_KEY
const kuji = new KujiClient({ url, ...(apiKey === undefined ? {} : { apiKey }) })

/** The refusals that one order may get and the next may not. */
const ofThisOrder = new Set(['POOL_EMPTY', 'INSUFFICIENT_STOCK', 'KEY_CONFLICT', 'INVALID'])

for await (const line of createInterface({ input: process.stdin })) {
  const [order = '', buyer = '', draws = ''] = line.split(',')
  try {
    const receipt = await kuji.draw(pool, { key: order, recipient: buyer, count: Number(draws) })
    const note = receipt.replayed ? ' (redeemed before)' : ''
    console.log(`${order}: ${buyer} gets ${receipt.items.join(', ')}${note}`)
  } catch (error) {
    if (!(error instanceof KujiError) || !ofThisOrder.has(error.code)) throw error
    console.log(`${order}: not redeemed: ${error.message}`)
    process.exitCode = 1
  }
}
