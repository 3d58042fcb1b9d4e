import assert from 'node:assert/strict'
import type { DrawOptions, Kuji } from '@kuji/engine'
import type { Way } from './way.ts'

/**
 * The one script that every way into kuji has to act out alike: the library, HTTP, RESP and gRPC. `kuji` is the engine
 * behind the way, for what a way may not have. Draw numbers, versions and codes are written down, so that a reader can
 * follow the state by eye.
 */
export async function playScript(way: Way, kuji: Kuji): Promise<void> {
  for (const part of [putAndRead, drawAndRefuse, drawOnce, lookUp, change, refuseByStatus, refuseNonsense])
    await part(way, kuji)
}

async function refuses(code: string, call: Promise<unknown>, what: string): Promise<void> {
  const outcome = await call.then(
    value => value,
    (error: { code?: string }) => error,
  )
  assert.equal((outcome as { code?: string }).code, code, `${what}: ${JSON.stringify(outcome)}`)
}

async function putAndRead(way: Way): Promise<void> {
  const box = {
    id: 'box',
    items: [
      { id: 'gold', weight: 1, stock: 3 },
      { id: 'mud', weight: 9, stock: 4 },
    ],
  }
  assert.deepEqual(await way.put(box), { id: 'box', version: 1, created: true, changed: true })
  assert.deepEqual(await way.put(box), { id: 'box', version: 1, created: false, changed: false })
  const endless = { id: 'endless', items: [{ id: 'only', weight: 0.5, stock: 'unlimited' as const }] }
  assert.equal((await way.put(endless)).created, true)
  assert.deepEqual(await way.pools(), ['box', 'endless'])
  assert.deepEqual(await way.pool('box'), {
    version: 1,
    status: 'open',
    drawn: 0,
    remaining: { gold: 3, mud: 4 },
  })
  assert.deepEqual((await way.pool('endless')).remaining, { only: 'unlimited' })
}

/** Seven units stand in the box: draws 1 to 7. */
async function drawAndRefuse(way: Way): Promise<void> {
  const first = await way.draw('box')
  assert.equal(first.id, 1)
  assert.equal(first.items.length, 1)
  const two = await way.draw('box', { count: 2, recipient: 'user-7' })
  assert.deepEqual([two.id, two.items.length], [2, 2])
  await refuses('INSUFFICIENT_STOCK', way.draw('box', { count: 5 }), 'more than there is')
  const rest = await way.draw('box', { count: 5, partial: true })
  assert.deepEqual([rest.id, rest.items.length], [4, 4])
  const all = [...first.items, ...two.items, ...rest.items].sort()
  assert.deepEqual(all, ['gold', 'gold', 'gold', 'mud', 'mud', 'mud', 'mud'])
  await refuses('POOL_EMPTY', way.draw('box'), 'nothing is left')
  await refuses('POOL_EMPTY', way.draw('box', { count: 3, partial: true }), 'nothing is left of anything')
  assert.equal((await way.pool('box')).drawn, 7)
}

/** Draws 8 to 12. */
async function drawOnce(way: Way): Promise<void> {
  const request: DrawOptions = { count: 3, key: 'order-42', recipient: 'user-7' }
  const [once, again] = await Promise.all([way.draw('endless', request), way.draw('endless', request)])
  const ids = [once.id, again.id]
  assert.deepEqual(ids, [8, 8], 'the same key, while the first is under way')
  assert.deepEqual(once.items, again.items)
  const later = await way.draw('endless', request)
  assert.deepEqual([later.id, later.items], [8, once.items])
  if (later.replayed !== undefined) assert.equal(later.replayed, true)
  for (const [what, other] of [
    ['another count', { ...request, count: 2 }],
    ['another recipient', { ...request, recipient: 'user-8' }],
    ['no recipient', { count: 3, key: 'order-42' }],
    ['partial', { ...request, partial: true }],
  ] as const) {
    await refuses('KEY_CONFLICT', way.draw('endless', other), what)
  }
  await refuses('POOL_EMPTY', way.draw('box', { key: 'late' }), 'a refusal')
  assert.equal(await way.update('box', 'gold', { restock: 1 }), 2)
  assert.deepEqual(await way.draw('box', { key: 'late' }).then(({ id, items }) => [id, items]), [
    11,
    ['gold'],
  ])
  // The key of an empty pool's draw gives its receipt, not POOL_EMPTY.
  assert.equal((await way.draw('box', { key: 'late' })).id, 11)
  const scoped = await way.draw('endless', { key: 'late' })
  assert.equal(scoped.id, 12, 'a key is scoped to its pool')
}

async function lookUp(way: Way): Promise<void> {
  const { id, pool, items, version, replayed, at } = await way.receipt(9)
  assert.deepEqual([id, pool, version, replayed], [8, 'endless', 1, true])
  assert.deepEqual(items, ['only', 'only', 'only'])
  assert.ok(Math.abs(at - Date.now()) < 600_000, `a time in the log: ${at}`)
  await refuses('DRAW_NOT_FOUND', way.receipt(2), 'a draw without a key')
  await refuses('DRAW_NOT_FOUND', way.receipt(1_000_000), 'a draw that was not made')
}

async function change(way: Way): Promise<void> {
  assert.equal(await way.update('box', 'mud', { restock: 10 }), 3)
  assert.deepEqual((await way.pool('box')).remaining, { gold: 0, mud: 10 })
  await refuses('ITEM_NOT_FOUND', way.update('box', 'silver', { restock: 1 }), 'no such item')
  await refuses('POOL_NOT_FOUND', way.update('chest', 'gold', { restock: 1 }), 'no such pool')
  await refuses('INVALID', way.update('endless', 'only', { restock: 1 }), 'stock of the unlimited')
  const less = { id: 'box', items: [{ id: 'mud', weight: 1, stock: 3 }] }
  await refuses('INVALID', way.put(less), 'less stock than was drawn')
  if (way.putFor === undefined) return
  const next = { id: 'box', items: [{ id: 'mud', weight: 1, stock: 14 }] }
  await refuses('VERSION_CONFLICT', way.putFor(next, 2), 'a version that has passed')
  await refuses('VERSION_CONFLICT', way.putFor(next, 0), 'create only')
  assert.deepEqual(await way.putFor(next, 3), { id: 'box', version: 4, created: false, changed: true })
}

async function refuseByStatus(way: Way, kuji: Kuji): Promise<void> {
  await kuji.pausePool('endless')
  assert.equal((await way.pool('endless')).status, 'paused')
  await refuses('POOL_PAUSED', way.draw('endless'), 'a paused pool')
  assert.equal(
    (await way.draw('endless', { key: 'late' })).id,
    12,
    'a receipt that is kept, of a paused pool',
  )
  await kuji.closePool('endless')
  await refuses('POOL_CLOSED', way.draw('endless'), 'a closed pool')
  await refuses('POOL_CLOSED', way.put({ id: 'endless', items: [{ id: 'a', weight: 1, stock: 1 }] }), 'a put')
  await kuji.deletePool('endless')
  await refuses('POOL_NOT_FOUND', way.draw('endless'), 'a pool that was deleted')
  await refuses('POOL_NOT_FOUND', way.pool('endless'), 'a pool that was deleted')
  assert.equal(
    (await way.draw('endless', { key: 'late' })).id,
    12,
    'a receipt that is kept, of a deleted pool',
  )
}

async function refuseNonsense(way: Way, kuji: Kuji): Promise<void> {
  const before = kuji.status().drawNumber
  const draws: readonly [string, DrawOptions][] = [
    ['no draws', { count: 0 }],
    ['too many draws', { count: 10_001 }],
    ['a key too long', { key: 'k'.repeat(256) }],
    ['an empty recipient', { recipient: '' }],
    ['a recipient too long', { recipient: 'r'.repeat(256) }],
  ]
  for (const [what, options] of draws) await refuses('INVALID', way.draw('box', options), what)
  for (const pool of ['chest', '__proto__', 'constructor'])
    await refuses('POOL_NOT_FOUND', way.draw(pool), pool)
  await refuses('INVALID', way.receipt(0), 'draw 0')
  const manifests = [
    { id: 'p', items: [] },
    { id: 'p', items: [{ id: 'a', weight: -1, stock: 1 }] },
    { id: 'p', items: [{ id: 'a', weight: 1, stock: 2 ** 51 }] },
    { id: 'p', items: [{ id: 'a b', weight: 1, stock: 1 }] },
    { id: 'p', items: [{ id: 'a', weight: 1, stock: 1 }], fallback: 'b' },
  ]
  for (const manifest of manifests) await refuses('INVALID', way.put(manifest), JSON.stringify(manifest))
  assert.equal(kuji.status().drawNumber, before, 'a refusal uses no draw number')
}
