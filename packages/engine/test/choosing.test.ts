import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Kuji } from '@kuji/engine'
import { open } from '@kuji/engine'
import { openIn } from '../src/open.ts'
import { codeOf } from './support/codes.ts'
import { urn, weighted } from './support/manifests.ts'
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
  const restocked = await memory()
  await restocked.putPool(urn('ticket 40, statue 1', { lastOne: 'statue' }))
  await restocked.draw('p')
  await restocked.updateItem('p', 'statue', { restock: 40 })
  assert.deepEqual(await oddsOf(restocked), { ticket: 1, statue: 0 })
  const { items } = await restocked.draw('p', { count: 38 })
  assert.ok(!items.includes('statue'), 'however many there are, none is a ticket')
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

test('a reweight changes the chances from the next draw on, with any number of decimals', async () => {
  const kuji = await openIn({ durability: 'none' }, testWorld())
  await kuji.putPool(weighted('a 1 of unlimited, b 1 of unlimited'))
  await kuji.drawMany('p', 1000)
  await kuji.updateItem('p', 'a', { weight: 0.000000001 })
  const state = await kuji.pool('p')
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
