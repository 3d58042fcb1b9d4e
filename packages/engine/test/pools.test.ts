import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Kuji, PoolManifest } from '@kuji/engine'
import { open } from '@kuji/engine'
import { openIn } from '../src/open.ts'
import { codeOf } from './support/codes.ts'
import { render } from './support/render.ts'
import { testWorld } from './support/world.ts'

const memory = (): Promise<Kuji> => open({ durability: 'none' })

async function shows(kuji: Kuji, expected: string, pool = 'p'): Promise<void> {
  assert.equal(render(await kuji.pool(pool)), expected)
}

async function oddsOf(kuji: Kuji, pool = 'p'): Promise<Record<string, number>> {
  const { items } = await kuji.pool(pool)
  return Object.fromEntries(items.map(item => [item.id, item.odds]))
}

/** Weighted items from `a 3 of 5` words: weight, then stock. */
function weighted(text: string, more: Partial<PoolManifest> = {}): PoolManifest {
  const items = text.split(', ').map(part => {
    const [id, weight, , stock] = part.split(' ') as [string, string, string, string]
    return { id, weight: Number(weight), stock: stock === 'unlimited' ? stock : Number(stock) } as const
  })
  return { id: 'p', items, ...more }
}

function urn(text: string, more: Partial<PoolManifest> = {}): PoolManifest {
  const items = text.split(', ').map(part => {
    const [id, stock] = part.split(' ') as [string, string]
    return { id, stock: Number(stock) }
  })
  return { id: 'p', mode: 'urn', items, ...more }
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

test('chances are weights of the items in stock', async () => {
  const kuji = await memory()
  await kuji.putPool(weighted('a 1 of 1, b 2 of unlimited, c 5 of 0'))
  assert.deepEqual(await oddsOf(kuji), { a: 1 / 3, b: 2 / 3, c: 0 })
  await kuji.putPool(weighted('a 0.1 of 1, b 0.2 of 1, c 0.7 of 1'))
  assert.deepEqual(await oddsOf(kuji), { a: 0.1, b: 0.2, c: 0.7 })
  await kuji.draw('p', { count: 3 })
  assert.deepEqual(await oddsOf(kuji), { a: 0, b: 0, c: 0 })
  await shows(kuji, 'v2 open: a 1 of 1, b 1 of 1, c 1 of 1')
})

test('an item of weight 1 in 100 is drawn that often, and the order in a bulk draw is by chance', async () => {
  const kuji = await openIn({ durability: 'none' }, testWorld())
  await kuji.putPool(weighted('rare 1 of unlimited, usual 99 of unlimited'))
  const { items, counts, itemIds } = await kuji.drawMany('p', 1_000_000)
  assert.deepEqual(itemIds, ['rare', 'usual'])
  // Six standard deviations of a binomial: sqrt(1e6 × 0.01 × 0.99) is 99.5.
  assert.ok(Math.abs(counts[0]! - 10_000) < 600, `${counts[0]}`)
  const firstHalf = [...items.subarray(0, 500_000)].filter(item => item === 0).length
  assert.ok(Math.abs(firstHalf - 5_000) < 425, `${firstHalf}`)
})

test('without a fallback, the share of an item that has run out goes to the others in proportion', async () => {
  const kuji = await openIn({ durability: 'none' }, testWorld())
  await kuji.putPool(weighted('a 70 of 1000, b 10 of unlimited, c 20 of unlimited'))
  await kuji.drawMany('p', 10_000)
  assert.deepEqual(await oddsOf(kuji), { a: 0, b: 1 / 3, c: 2 / 3 })
  const { counts } = await kuji.drawMany('p', 900_000)
  assert.equal(counts[0], 0)
  assert.ok(Math.abs(counts[1]! - 300_000) < 6 * 448, `${counts}`)
})

test('with a fallback, the share of an item that has run out goes to that alone', async () => {
  const kuji = await openIn({ durability: 'none' }, testWorld())
  const fallback = { fallback: 'consolation' }
  await kuji.putPool(weighted('a 50 of 1000, b 20 of unlimited, consolation 30 of unlimited', fallback))
  await kuji.drawMany('p', 10_000)
  assert.deepEqual(await oddsOf(kuji), { a: 0, b: 0.2, consolation: 0.8 })
  const { counts } = await kuji.drawMany('p', 1_000_000)
  assert.ok(Math.abs(counts[1]! - 200_000) < 6 * 400, `${counts}`)
  assert.equal(counts[0], 0)
})

test('a fallback of weight 0 comes only in place of what has run out', async () => {
  const kuji = await memory()
  await kuji.putPool(weighted('a 1 of 3, none 0 of unlimited', { fallback: 'none' }))
  assert.deepEqual((await kuji.draw('p', { count: 5 })).items, ['a', 'a', 'a', 'none', 'none'])
  await kuji.updateItem('p', 'a', { restock: 1 })
  assert.deepEqual((await kuji.draw('p', { count: 2 })).items, ['a', 'none'])
})

test('a fallback that has run out itself leaves its share to the others in proportion', async () => {
  const kuji = await openIn({ durability: 'none' }, testWorld())
  const text = 'a 5 of 100, b 1 of unlimited, c 3 of unlimited, spare 1 of 100'
  await kuji.putPool(weighted(text, { fallback: 'spare' }))
  await kuji.drawMany('p', 10_000)
  assert.deepEqual(await oddsOf(kuji), { a: 0, b: 0.25, c: 0.75, spare: 0 })
  const { counts } = await kuji.drawMany('p', 1_000_000)
  assert.ok(Math.abs(counts[1]! - 250_000) < 6 * 433, `${counts}`)
  // Restocked, it takes the share of what is out again.
  await kuji.updateItem('p', 'spare', { restock: 1_000_000 })
  assert.deepEqual(await oddsOf(kuji), { a: 0, b: 0.1, c: 0.3, spare: 0.6 })
  const after = await kuji.drawMany('p', 1_000_000)
  assert.ok(Math.abs(after.counts[3]! - 600_000) < 6 * 490, `${after.counts}`)
})

test('an urn gives each ticket once, whatever the size of the requests', async () => {
  const kuji = await memory()
  await kuji.putPool(urn('a 1, b 2, c 77'))
  assert.deepEqual(await oddsOf(kuji), { a: 1 / 80, b: 2 / 80, c: 77 / 80 })
  const drawn: string[] = []
  while (drawn.length < 80) drawn.push(...(await kuji.draw('p', { count: 7, partial: true })).items)
  assert.deepEqual(drawn.sort(), ['a', 'b', 'b', ...new Array(77).fill('c')])
  await shows(kuji, 'v1 open: a 1 of 1, b 2 of 2, c 77 of 77')
  assert.equal(await codeOf(kuji.draw('p')), 'POOL_EMPTY')
})

test('whoever draws the last ticket gets the lastOne item as an extra, with a draw number of its own', async () => {
  const kuji = await memory()
  await kuji.putPool(urn('ticket 3, statue 2', { lastOne: 'statue' }))
  assert.deepEqual(await oddsOf(kuji), { ticket: 1, statue: 0 })
  const steps: [draw: () => Promise<{ id: number; items: readonly string[] }>, id: number, items: string][] =
    [
      [() => kuji.draw('p', { count: 2 }), 1, 'ticket ticket'],
      [() => kuji.draw('p'), 3, 'ticket statue'],
      [
        () => kuji.updateItem('p', 'ticket', { restock: 3 }).then(() => kuji.draw('p', { count: 2 })),
        5,
        'ticket ticket',
      ],
      [() => kuji.draw('p', { count: 9, partial: true }), 7, 'ticket statue'],
      // No statue is left: the last ticket is only a ticket.
      [() => kuji.updateItem('p', 'ticket', { restock: 1 }).then(() => kuji.draw('p')), 9, 'ticket'],
      [
        () =>
          kuji
            .updateItem('p', 'statue', { restock: 1 })
            .then(() => kuji.updateItem('p', 'ticket', { restock: 1 }))
            .then(() => kuji.draw('p')),
        10,
        'ticket statue',
      ],
    ]
  for (const [draw, id, items] of steps) {
    const receipt = await draw()
    assert.deepEqual([receipt.id, receipt.items.join(' ')], [id, items])
  }
  assert.equal(await codeOf(kuji.draw('p')), 'POOL_EMPTY')
  assert.equal(kuji.status().drawNumber, 11)
  const bulk = await memory()
  await bulk.putPool(urn('ticket 3, statue 1', { lastOne: 'statue' }))
  const receipt = await bulk.drawMany('p', 3)
  assert.deepEqual(
    [[...receipt.items], [...receipt.counts]],
    [
      [0, 0, 0, 1],
      [3, 1],
    ],
  )
})

test('restocking adds to stock, and an empty pool draws again', async () => {
  const kuji = await memory()
  await kuji.putPool(weighted('a 1 of 1'))
  await kuji.draw('p')
  assert.equal(await codeOf(kuji.draw('p')), 'POOL_EMPTY')
  assert.equal(render(await kuji.updateItem('p', 'a', { restock: 2 })), 'v2 open: a 1 of 3')
  assert.deepEqual((await kuji.draw('p', { count: 2 })).items, ['a', 'a'])
  assert.equal(await codeOf(kuji.draw('p')), 'POOL_EMPTY')
})

test('a reweight changes the chances from the next draw on, with any number of decimals', async () => {
  const kuji = await openIn({ durability: 'none' }, testWorld())
  await kuji.putPool(weighted('a 1 of unlimited, b 1 of unlimited'))
  await kuji.drawMany('p', 1000)
  const state = await kuji.updateItem('p', 'a', { weight: 0.000000001 })
  assert.deepEqual([state.version, state.items[0]!.weight, state.items[1]!.weight], [2, 1e-9, 1])
  assert.deepEqual((await kuji.drawMany('p', 1000)).counts, Float64Array.of(0, 1000))
  await kuji.updateItem('p', 'a', { weight: 3 })
  assert.deepEqual(await oddsOf(kuji), { a: 0.75, b: 0.25 })
  const { counts } = await kuji.drawMany('p', 1_000_000)
  assert.ok(Math.abs(counts[0]! - 750_000) < 6 * 433, `${counts}`)
  // What the decimals have become shows nowhere: the same rules are the same rules.
  assert.equal((await kuji.putPool(weighted('a 3 of unlimited, b 1 of unlimited'))).changed, false)
})

test('live changes of a pool too large to build anew each time keep its chances', async () => {
  const kuji = await openIn({ durability: 'none' }, testWorld())
  const items = Array.from({ length: 3000 }, (_, i) => ({ id: `i${i}`, weight: 1, stock: 1000 }))
  await kuji.putPool({ id: 'p', items })
  await kuji.drawMany('p', 5000)
  await kuji.updateItem('p', 'i7', { weight: 3000 })
  await kuji.updateItem('p', 'i8', { weight: 9000 })
  await kuji.updateItem('p', 'i8', { weight: 3000 })
  const single: Record<string, number> = {}
  for (let k = 0; k < 1500; k++) {
    const [item] = (await kuji.draw('p')).items
    single[item!] = (single[item!] ?? 0) + 1
  }
  // A third each for i7, i8 and all others: six standard deviations of 1500 draws are 110.
  assert.ok(Math.abs(single.i7! - 500) < 110 && Math.abs(single.i8! - 500) < 110, JSON.stringify(single))
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

test('a pool of 100,000 one-of-a-kind items drains exactly once each', async () => {
  const kuji = await memory()
  const items = Array.from({ length: 100_000 }, (_, i) => ({ id: `i${i}`, weight: 1 + (i % 7), stock: 1 }))
  await kuji.putPool({ id: 'p', items })
  const seen = new Set<string>()
  const waiting = Array.from({ length: 20_000 }, () => kuji.draw('p'))
  for (const receipt of await Promise.all(waiting)) seen.add(receipt.items[0]!)
  while (seen.size < 60_000)
    for (const item of (await kuji.draw('p', { count: 10_000 })).items) seen.add(item)
  const { items: rest, itemIds } = await kuji.drawMany('p', 1_000_000, { partial: true })
  for (const item of rest) seen.add(itemIds[item]!)
  assert.equal(seen.size, 100_000)
  assert.equal(kuji.status().drawNumber, 100_000)
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
