import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Kuji, PoolManifest } from '@kuji/engine'
import { limits, open } from '@kuji/engine'
import { parseManifest } from '../src/pool/manifest.ts'
import { applyPut, State } from '../src/pool/state.ts'
import { findShortage } from '../src/writer/judge.ts'
import { codeOf } from './support/codes.ts'
import { urn, weighted } from './support/manifests.ts'
import { render } from './support/render.ts'

const memory = (): Promise<Kuji> => open({ durability: 'none' })

type Item = { readonly id: string; readonly stock: number }

async function shows(kuji: Kuji, expected: string, pool = 'p'): Promise<void> {
  assert.equal(render(await kuji.pool(pool)), expected)
}

test('a new pool has version 1, and every change of its rules makes one more', async () => {
  const kuji = await memory()
  const put = (text: string, more?: Partial<PoolManifest>) => kuji.putPool(weighted(text, more))
  const changes: [Promise<{ version: number }>, number][] = [
    [put('a 1 of 5'), 1],
    [put('a 1 of 5'), 1],
    [put('a 2 of 5'), 2],
    [put('a 2 of 6'), 3],
    [put('a 2 of 6, b 1 of unlimited'), 4],
    [put('b 1 of unlimited, a 2 of 6'), 5],
    [put('b 1 of unlimited, a 2 of 6', { fallback: 'b' }), 6],
    [put('b 1 of unlimited, a 2 of 6', { fallback: 'b', metadata: { season: 'summer' } }), 7],
    [put('b 1 of unlimited, a 2 of 6', { fallback: 'b', metadata: { season: 'summer' } }), 7],
    [put('b 1 of unlimited, a 2 of 6', { metadata: null }), 8],
    [kuji.updateItem('p', 'a', { restock: 1 }), 9],
    [kuji.updateItem('p', 'a', { weight: 0.5, restock: 1 }), 10],
    [put('b 1 of unlimited, a 0.5 of 8', { metadata: null }), 10],
    [kuji.pausePool('p'), 10],
    [kuji.resumePool('p'), 10],
    [put('a 1 of 1', { mode: 'weighted' }), 11],
    [kuji.putPool(urn('a 1')), 12],
  ]
  for (const [index, [change, version]] of changes.entries())
    assert.equal((await change).version, version, `change ${index}`)
})

test('a put says whether it created the pool, and whether it changed anything', async () => {
  const kuji = await memory()
  const put = async (text: string) => kuji.putPool(weighted(text))
  assert.deepEqual(await put('a 1 of 5'), { id: 'p', version: 1, created: true, changed: true })
  const { lsn } = kuji.status()
  assert.deepEqual(await put('a 1 of 5'), { id: 'p', version: 1, created: false, changed: false })
  assert.equal(kuji.status().lsn, lsn, 'nothing was logged')
  assert.deepEqual(await put('a 1 of 6'), { id: 'p', version: 2, created: false, changed: true })
  // Each differs from the one before in one thing.
  const [A, B, last] = ['A', 'B', 'last'].map(id => ({ id, stock: 2 })) as [Item, Item, Item]
  const versions: PoolManifest[] = [
    { ...urn('A 2, B 2, last 2'), id: 'box', lastOne: 'last' },
    { ...urn('A 2, B 2, last 2'), id: 'box', lastOne: 'B' },
    { ...urn('A 2, B 2, last 2'), id: 'box' },
    { id: 'box', mode: 'urn', items: [A, { ...B, metadata: 1 }, last] },
    { id: 'box', mode: 'urn', items: [A, { ...B, metadata: 2 }, last] },
    { id: 'box', mode: 'urn', items: [A, B, { ...last, metadata: 2 }] },
  ]
  for (const [index, manifest] of versions.entries())
    for (const changed of [true, false]) {
      const told = await kuji.putPool(manifest)
      assert.deepEqual([told.version, told.changed], [index + 1, changed], JSON.stringify(manifest))
    }
})

test('stock counts the units drawn already, and an item that comes back is not fresh', async () => {
  const kuji = await memory()
  await kuji.putPool(weighted('a 1 of 3'))
  await kuji.draw('p', { count: 2 })
  await shows(kuji, 'v1 open: a 2 of 3')
  assert.equal(await codeOf(kuji.putPool(weighted('a 1 of 1'))), 'INVALID')
  await shows(kuji, 'v1 open: a 2 of 3')
  await kuji.putPool(weighted('a 1 of 2'))
  assert.equal(await codeOf(kuji.draw('p')), 'POOL_EMPTY')
  await kuji.putPool(weighted('b 1 of 1'))
  assert.deepEqual((await kuji.draw('p')).items, ['b'])
  await shows(kuji, 'v3 open: b 1 of 1')
  assert.equal(await codeOf(kuji.putPool(weighted('b 1 of 1, a 1 of 1'))), 'INVALID')
  await kuji.putPool(weighted('c 1 of 1, a 1 of 3'))
  await shows(kuji, 'v4 open: c 0 of 1, a 2 of 3')
  const { items } = await kuji.draw('p', { count: 2 })
  assert.deepEqual([...items].sort(), ['a', 'c'])
  assert.equal((await kuji.pool('p')).drawn, 5, 'all draws, those of retired items included')
})

test('with a new version, draws, receipts and changes are of its items alone', async () => {
  const kuji = await memory()
  // So many that an index of them is made at the first change; all but one are empty.
  const ids = Array.from({ length: 100 }, (_, index) => `i${index}`)
  const put = (ordered: readonly string[], stock: Readonly<Record<string, number>>) =>
    kuji.putPool({
      id: 'p',
      items: ordered.map(id => ({ id, weight: id === 'i50' ? 1e9 : 1, stock: stock[id] ?? 0 })),
    })
  await put(ids, { i7: 9 })
  assert.deepEqual((await kuji.draw('p')).items, ['i7'])
  assert.deepEqual((await kuji.draw('p', { key: 'k' })).items, ['i7'])
  await kuji.updateItem('p', 'i92', { weight: 2 })
  // In the place of the one that was drawn there is another now.
  await put(ids.toReversed(), { i7: 2, i92: 9 })
  assert.deepEqual((await kuji.draw('p')).items, ['i92'])
  assert.deepEqual((await kuji.draw('p', { key: 'l' })).items, ['i92'])
  assert.deepEqual((await kuji.draw('p', { key: 'k' })).items, ['i7'], 'what was drawn before stays')
  await kuji.updateItem('p', 'i3', { restock: 5 })
  const { items } = await kuji.pool('p')
  assert.deepEqual(
    items.filter(({ remaining }) => remaining !== 0).map(({ id, remaining }) => [id, remaining]),
    [
      ['i92', 7],
      ['i3', 5],
    ],
  )
  await kuji.draw('p')
  // Others have units left, and three chances in a billion.
  await put(ids, { i3: 9, i7: 9, i92: 9, i50: 9 })
  assert.deepEqual((await kuji.draw('p')).items, ['i50'])
})

test('items that earlier versions had count to the bound of a pool, for what was drawn of them is kept', () => {
  const pool = applyPut(new State(), 0, parseManifest(weighted('a 1 of 5')))
  // As many versions would take minutes to put.
  for (let k = 0; k < limits.items - 2; k++) pool.retired.set(`${k}`, 1)
  const judged = (text: string) => findShortage(pool, parseManifest(weighted(text)))?.code
  assert.equal(judged('b 1 of 1, c 1 of 1'), undefined)
  assert.equal(judged('b 1 of 1, c 1 of 1, d 1 of 1'), 'TOO_LARGE')
})

test('the stock of all items has its bound, restocks of before included', async () => {
  const kuji = await memory()
  await kuji.putPool(weighted(`a 1 of ${limits.stock - 10}, b 1 of 0`))
  assert.equal(await codeOf(kuji.updateItem('p', 'b', { restock: 11 })), 'INVALID')
  await kuji.updateItem('p', 'b', { restock: 4 })
  assert.equal(await codeOf(kuji.updateItem('p', 'a', { restock: 7 })), 'INVALID')
  await kuji.updateItem('p', 'a', { restock: 6 })
  assert.equal(await codeOf(kuji.updateItem('p', 'b', { restock: 1 })), 'INVALID')
  await shows(kuji, `v3 open: a 0 of ${limits.stock - 4}, b 0 of 4`)
})

test('the weights of all items have their bound, in the units that reweights have made smaller', async () => {
  const kuji = await memory()
  await kuji.putPool(weighted(`a ${2 ** 46} of unlimited, b 1 of 5`))
  await kuji.updateItem('p', 'b', { weight: 0.5 })
  // A hundred times the first sum is more than 2^50, in which tables are exact; ten times is less.
  assert.equal(await codeOf(kuji.updateItem('p', 'b', { weight: 0.25 })), 'INVALID')
  await kuji.updateItem('p', 'a', { weight: 2 ** 43 })
  assert.equal((await kuji.updateItem('p', 'b', { weight: 0.25 })).version, 4)
  await kuji.putPool(weighted(`a ${limits.weightSum - 1} of 5, b 1 of 5`, { id: 'q' }))
  assert.equal(await codeOf(kuji.updateItem('q', 'a', { weight: limits.weightSum })), 'INVALID')
  assert.equal((await kuji.updateItem('q', 'a', { weight: limits.weightSum - 2 })).version, 2)
})

test('restocking adds to stock, and an empty pool draws again', async () => {
  const kuji = await memory()
  await kuji.putPool(weighted('a 1 of 1'))
  await kuji.draw('p')
  assert.equal(await codeOf(kuji.draw('p')), 'POOL_EMPTY')
  const { version, remaining } = await kuji.updateItem('p', 'a', { restock: 2 })
  assert.deepEqual([version, remaining], [2, 2])
  assert.equal(render(await kuji.pool('p')), 'v2 open: a 1 of 3')
  assert.deepEqual((await kuji.draw('p', { count: 2 })).items, ['a', 'a'])
  assert.equal(await codeOf(kuji.draw('p')), 'POOL_EMPTY')
})

/** Each row: what is done first, and what a draw of two then says. */
const refusals: [situation: string, prepare: (kuji: Kuji) => Promise<unknown>, code: string][] = [
  ['no such pool', async () => undefined, 'POOL_NOT_FOUND'],
  ['open', kuji => kuji.putPool(weighted('a 1 of 2')), 'done'],
  ['too little', kuji => kuji.putPool(weighted('a 1 of 1')), 'INSUFFICIENT_STOCK'],
  ['empty', kuji => kuji.putPool(weighted('a 1 of 0')), 'POOL_EMPTY'],
  ['paused', kuji => kuji.putPool(weighted('a 1 of 2')).then(() => kuji.pausePool('p')), 'POOL_PAUSED'],
  [
    'paused and empty',
    kuji => kuji.putPool(weighted('a 1 of 0')).then(() => kuji.pausePool('p')),
    'POOL_PAUSED',
  ],
  [
    'closed and empty',
    kuji => kuji.putPool(weighted('a 1 of 0')).then(() => kuji.closePool('p')),
    'POOL_CLOSED',
  ],
  [
    'closed after a pause',
    kuji =>
      kuji
        .putPool(weighted('a 1 of 2'))
        .then(() => kuji.pausePool('p'))
        .then(() => kuji.closePool('p')),
    'POOL_CLOSED',
  ],
  ['deleted', kuji => kuji.putPool(weighted('a 1 of 2')).then(() => kuji.deletePool('p')), 'POOL_NOT_FOUND'],
]

test('refusals come in the order POOL_NOT_FOUND, CLOSED, PAUSED, EMPTY, INSUFFICIENT_STOCK', async () => {
  for (const [situation, prepare, code] of refusals) {
    const kuji = await memory()
    await prepare(kuji)
    const before = kuji.status()
    assert.equal(await codeOf(kuji.draw('p', { count: 2 })), code, situation)
    if (code === 'done') continue
    assert.equal(await codeOf(kuji.drawMany('p', 2)), code, `drawMany, ${situation}`)
    assert.deepEqual(kuji.status(), before, situation)
  }
})

test('a paused pool can be changed and resumed, a closed one neither, a deleted one starts afresh', async () => {
  const kuji = await memory()
  await kuji.putPool(weighted('a 1 of 2'))
  await kuji.draw('p')
  assert.equal((await kuji.pausePool('p')).status, 'paused')
  assert.equal((await kuji.pausePool('p')).status, 'paused')
  await kuji.putPool(weighted('a 1 of 3'))
  await kuji.updateItem('p', 'a', { restock: 1 })
  await shows(kuji, 'v3 paused: a 1 of 4')
  assert.equal((await kuji.resumePool('p')).status, 'open')
  await kuji.closePool('p')
  for (const refused of [
    kuji.putPool(weighted('a 1 of 9')),
    kuji.updateItem('p', 'a', { restock: 1 }),
    kuji.pausePool('p'),
    kuji.resumePool('p'),
  ])
    assert.equal(await codeOf(refused), 'POOL_CLOSED')
  assert.equal((await kuji.closePool('p')).status, 'closed')
  await shows(kuji, 'v3 closed: a 1 of 4')
  assert.equal((await kuji.deletePool('p')).status, 'closed')
  assert.equal(await codeOf(kuji.pool('p')), 'POOL_NOT_FOUND')
  await kuji.putPool(weighted('a 1 of 2'))
  await shows(kuji, 'v1 open: a 0 of 2')
  assert.equal((await kuji.draw('p')).id, 2, 'draw numbers go on')
})

test('a request is all or nothing, unless it takes what is left', async () => {
  const kuji = await memory()
  await kuji.putPool(weighted('a 1 of 3'))
  assert.equal(await codeOf(kuji.draw('p', { count: 4 })), 'INSUFFICIENT_STOCK')
  await shows(kuji, 'v1 open: a 0 of 3')
  assert.deepEqual((await kuji.draw('p', { count: 4, partial: true })).items, ['a', 'a', 'a'])
  assert.equal(await codeOf(kuji.draw('p', { count: 4, partial: true })), 'POOL_EMPTY')
  await kuji.updateItem('p', 'a', { restock: 2 })
  assert.deepEqual([...(await kuji.drawMany('p', 1_000_000, { partial: true })).items], [0, 0])
  assert.equal(kuji.status().drawNumber, 5)
})

test('receipts number their draws without a gap, refusals take none', async () => {
  const kuji = await memory()
  await kuji.putPool(weighted('a 1 of unlimited'))
  await kuji.putPool({ ...weighted('b 1 of 2'), id: 'q' })
  const calls = [
    kuji.draw('p', { count: 3 }),
    kuji.draw('q', { count: 3 }),
    kuji.draw('q', { count: 2 }),
    kuji.drawMany('p', 1000),
    kuji.draw('q'),
    kuji.draw('p'),
  ]
  const ids = (await Promise.allSettled(calls)).map(end => (end.status === 'fulfilled' ? end.value.id : 0))
  assert.deepEqual(ids, [1, 0, 4, 6, 0, 1006])
  const receipt = await kuji.draw('p')
  const { at, ...rest } = receipt
  assert.deepEqual(rest, { id: 1007, pool: 'p', items: ['a'], version: 1, replayed: false })
  assert.ok(Math.abs(at - Date.now()) < 60_000)
})

test('a bulk draw gives indexes as narrow as the number of items allows, and counts that agree', async () => {
  const kuji = await memory()
  for (const [items, type] of [
    [256, Uint8Array],
    [257, Uint16Array],
    [65_536, Uint16Array],
    [65_537, Uint32Array],
  ] as const) {
    const columns = Array.from({ length: items }, (_, i) => ({ id: `i${i}`, weight: 1, stock: 1 }))
    await kuji.putPool({ id: `p${items}`, items: columns })
    const receipt = await kuji.drawMany(`p${items}`, items)
    assert.equal(receipt.items.constructor, type)
    assert.equal(receipt.itemIds[items - 1], `i${items - 1}`)
    assert.ok(receipt.counts.length === items && receipt.counts.every(count => count === 1))
    assert.equal(await codeOf(kuji.draw(`p${items}`)), 'POOL_EMPTY')
  }
})

test('a bulk receipt stays as it was, whatever is drawn behind it', async () => {
  const kuji = await memory()
  for (const items of [200, 300]) {
    const id = `p${items}`
    const columns = Array.from({ length: items }, (_, i) => ({ id: `i${i}`, weight: 1, stock: 1 }))
    await kuji.putPool({ id, items: columns })
    const receipts = []
    for (let k = 0; k < 10; k++) receipts.push(await kuji.drawMany(id, items / 10))
    const drawn = receipts.flatMap(receipt => [...receipt.items])
    assert.equal(new Set(drawn).size, items, 'each item once')
  }
})

test('100,000 pools stand side by side in one log, and are listed page by page in the order of their ids', async () => {
  const kuji = await memory()
  const idOf = (i: number): string => `pool-${String(i).padStart(6, '0')}`
  for (let i = 0; i < 100_000; i += 50_000) {
    const puts = Array.from({ length: 50_000 }, (_, k) =>
      kuji.putPool({ id: idOf(99_999 - i - k), items: [{ id: 'a', weight: 1, stock: 2 }] }),
    )
    await Promise.all(puts)
  }
  assert.equal((await kuji.draw(idOf(54_321), { count: 2 })).id, 1)
  const summaries = await kuji.pools()
  assert.equal(summaries.length, 100_000)
  assert.ok(summaries.every(({ id, drawn }, i) => id === idOf(i) && drawn === (i === 54_321 ? 2 : 0)))
  const listed = async (options: object) => (await kuji.pools(options)).map(({ id }) => id)
  assert.deepEqual(await listed({ limit: 2 }), [idOf(0), idOf(1)])
  assert.deepEqual(await listed({ after: idOf(1), limit: 1 }), [idOf(2)])
  assert.deepEqual(await listed({ after: 'pool-000001x', limit: 1 }), [idOf(2)])
  assert.deepEqual(await listed({ after: idOf(99_998) }), [idOf(99_999)])
  assert.deepEqual(await listed({ after: idOf(99_999) }), [])
  assert.deepEqual((await kuji.pools({ after: idOf(54_320), limit: 1 }))[0], {
    id: idOf(54_321),
    version: 1,
    mode: 'weighted',
    status: 'open',
    drawn: 2,
    items: 1,
    remaining: 0,
  })
})

test('what was put comes back: metadata, fallback, weights as written', async () => {
  const kuji = await memory()
  const manifest: PoolManifest = {
    id: 'p',
    items: [
      { id: 'five-star', weight: 0.6, stock: 10, metadata: { name: '五つ星', tags: ['rare', 1.5, null] } },
      { id: 'four-star', weight: 5.1, stock: 'unlimited' },
      { id: 'rest', weight: 94.3, stock: 'unlimited' },
    ],
    fallback: 'rest',
    metadata: { banner: true },
  }
  await kuji.putPool(manifest)
  const { items, fallback, metadata } = await kuji.pool('p')
  assert.deepEqual([fallback, metadata], ['rest', { banner: true }])
  const declared = items.map(({ id, weight, stock, metadata: extra }) => ({
    id,
    weight,
    stock,
    ...(extra === undefined ? {} : { metadata: extra }),
  }))
  assert.deepEqual(declared, manifest.items)
  assert.deepEqual(
    items.map(({ odds, held, remaining }) => [odds, held, remaining]),
    [
      [0.006, 0, 10],
      [0.051, 0, 'unlimited'],
      [0.943, 0, 'unlimited'],
    ],
  )
})
