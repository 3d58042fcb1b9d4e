import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Receipt } from '@kuji/engine'
import { openIn } from '../../src/open.ts'
import { allPools } from '../support/render.ts'
import { testWorld } from '../support/world.ts'

/**
 * ONLY FOR A NEW FORMAT. Writes the golden directory of a format version, and the state that it must always open
 * with. A directory that is there is what somebody's data looks like, and is never written again:
 *
 *   node --conditions=source packages/engine/test/golden/regenerate.ts format-2
 *
 * What is added within a version has a name behind it. `-keys`: the same with idempotency keys.
 */
const name = process.argv[2]
if (name === undefined || !/^format-\d+(?:-keys)?$/.test(name))
  throw new Error('usage: regenerate.ts format-<version>[-keys]')
const withKeys = name.endsWith('-keys')
const dir = join(import.meta.dirname, name)
if (existsSync(dir)) throw new Error(`${name} is there; a released format does not change`)

const keys = { most: 60, retentionMs: 7_776_000_000 }
const kuji = await openIn({ dir, durability: 'sync', segmentBytes: 4096, keys }, testWorld())
/** Receipts of draws with a key, as they were given. */
const receipts: Receipt[] = []
async function drawWithKeys(round: number): Promise<void> {
  for (let k = 0; k < 6; k++) {
    const options = { count: 1 + k * 3, key: `注文-${round}-${k}`, ...(k % 2 === 0 ? { recipient: `r${k}` } : {}) }
    receipts.push(await kuji.draw(k % 3 === 0 ? '__proto__' : 'banner', options))
  }
  receipts.push(await kuji.draw('box', { key: `box-${round}` }))
  await kuji.draw('banner', { recipient: 'nobody keeps this one' })
}
await kuji.putPool({
  id: 'banner',
  items: [
    { id: 'five-star', weight: 0.6, stock: 3, metadata: { name: '五つ星', stars: 5 } },
    { id: 'four-star', weight: 5.1, stock: 'unlimited' },
    { id: 'rest', weight: 94.3, stock: 'unlimited' },
  ],
  fallback: 'rest',
  metadata: { season: 'summer' },
})
await kuji.putPool({
  id: 'box',
  mode: 'urn',
  items: [
    { id: 'A', stock: 2 },
    { id: 'B', stock: 78 },
    { id: 'last', stock: 1 },
  ],
  lastOne: 'last',
})
const wide = Array.from({ length: 300 }, (_, i) => ({ id: `i${i}`, weight: i + 1, stock: 5 }))
await kuji.putPool({ id: '__proto__', items: wide.slice(0, 70) })
await kuji.putPool({ id: 'deleted', items: [{ id: 'a', weight: 1, stock: 9 }] })
await kuji.drawMany('deleted', 4)
await kuji.deletePool('deleted')
for (let round = 0; round < 12; round++) {
  await kuji.drawMany('banner', 1500)
  await kuji.draw('box', { count: 5 })
  await kuji.draw('__proto__', { count: 9 })
  if (withKeys) await drawWithKeys(round)
  if (round === 3) await kuji.putPool({ id: '__proto__', items: wide.slice(30, 130) })
  if (round === 6) await kuji.putPool({ id: '__proto__', items: wide.slice(20, 120) })
}
const rest = await kuji.draw('box', { count: 100, partial: true, ...(withKeys ? { key: 'the rest' } : {}) })
if (withKeys) receipts.push(rest)
await kuji.updateItem('banner', 'five-star', { restock: 7, weight: 0.625 })
await kuji.putPool({ id: 'wide', items: wide })
await kuji.drawMany('wide', 200)
if (withKeys) receipts.push(await kuji.draw('wide', { count: 5, key: 'wide' }))
await kuji.pausePool('wide')
await kuji.closePool('box')
await kuji.drawMany('banner', 100)
const pools = await allPools(kuji)
const { drawNumber } = kuji.status()
await kuji.close()
for (const lock of ['lock', 'lock.holder']) rmSync(join(dir, lock), { force: true })
const kept = withKeys ? { receipts: receipts.slice(-keys.most) } : {}
writeFileSync(join(import.meta.dirname, `${name}.json`), `${JSON.stringify({ drawNumber, pools, ...kept })}\n`)
