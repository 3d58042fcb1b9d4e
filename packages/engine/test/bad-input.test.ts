import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Kuji } from '@kuji/engine'
import { limits, open } from '@kuji/engine'
import type { Careless } from './support/bad-calls.ts'
import { deep, item, open3, ownProto, rows } from './support/bad-calls.ts'
import { codeOf } from './support/codes.ts'
import { eventually } from './support/eventually.ts'
import { renderEverything } from './support/render.ts'
import { temporaryDirectory } from './support/temporary.ts'

/** Pools that every row of the table finds; they are what their names say, and `p` is open. */
async function fill(kuji: Kuji): Promise<void> {
  await kuji.putPool({ id: 'p', items: open3 })
  await kuji.putPool({ id: 'full', items: [{ id: 'a', weight: 1, stock: 'unlimited' }] })
  await kuji.putPool({ id: 'empty', items: [{ id: 'a', weight: 1, stock: 0 }] })
  await kuji.putPool({ id: 'urn', mode: 'urn', items: [{ id: 'a', stock: 3 }] })
  for (const id of ['paused', 'closed']) await kuji.putPool({ id, items: open3 })
  await kuji.pausePool('paused')
  await kuji.closePool('closed')
  await kuji.putPool({ id: 'backed', items: [...open3, { id: 'b', weight: 0, stock: 1 }], fallback: 'b' })
  await kuji.draw('p')
}

async function refuseAll(kuji: Kuji): Promise<void> {
  const before = await renderEverything(kuji)
  for (const [what, call, code] of rows) assert.equal(await codeOf(() => call(kuji)), code, what)
  assert.deepEqual(await renderEverything(kuji), before, 'nothing was changed, and nothing logged')
  assert.equal((await kuji.draw('p')).id, 2, 'no draw number was used')
}

test('every wrong call is refused with its code and changes nothing, in memory', async () => {
  const kuji = await open({ durability: 'none' })
  await fill(kuji)
  await refuseAll(kuji)
})

test('every wrong call is refused with its code and changes nothing, with a log', async t => {
  const dir = temporaryDirectory(t)
  const kuji = await open({ dir, durability: 'os', segmentBytes: 65536 })
  await fill(kuji)
  // The log seals itself when it is idle, and adds nothing more by itself.
  const { lsn } = kuji.status()
  await eventually(() => kuji.status().lsn > lsn)
  await refuseAll(kuji)
  const before = await renderEverything(kuji)
  await kuji.close()
  const again = await open({ dir, durability: 'os', segmentBytes: 65536 })
  const { pools } = (await renderEverything(again)) as { pools: unknown }
  assert.deepEqual(pools, (before as { pools: unknown }).pools)
  await again.close()
})

test('a wrong call rejects, and never throws in the face of the caller', async () => {
  const kuji = await open({ durability: 'none' })
  for (const [what, call] of rows) {
    const answer = call(kuji)
    assert.ok(answer instanceof Promise, what)
    await answer.catch(() => undefined)
  }
})

test('a refusal names the field at fault, and the pool', async () => {
  const kuji = await open({ durability: 'none' })
  await fill(kuji)
  const fieldsOf = async (call: Promise<unknown>): Promise<unknown> =>
    call.then(
      () => null,
      error => error.fields,
    )
  assert.deepEqual(
    await fieldsOf(kuji.putPool({ id: 'new', items: [item, { ...item, id: 'b', stock: -1 }] })),
    {
      field: 'items[1].stock',
    },
  )
  assert.deepEqual(await fieldsOf(kuji.draw('p', { count: 3 })), { pool: 'p', requested: 3, remaining: 2 })
  assert.deepEqual(await fieldsOf(kuji.draw('absent')), { pool: 'absent' })
})

test('only the fields that options have themselves are looked at', async () => {
  const kuji = await open({ durability: 'none' })
  await kuji.putPool({ id: 'p', items: [{ id: 'a', weight: 1, stock: 9 }] })
  const inherited = Object.assign(Object.create({ other: 1 }), { count: 2 })
  assert.equal((await kuji.draw('p', inherited)).items.length, 2)
  const own = Object.assign(Object.create({ other: 1 }), { other: 2 })
  assert.equal(await codeOf(kuji.draw('p', own)), 'INVALID')
  await kuji.close()
})

test('names of Object.prototype are ordinary ids', async t => {
  const dir = temporaryDirectory(t)
  const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', '__defineGetter__', 'valueOf']
  let kuji = await open({ dir, durability: 'os', segmentBytes: 65536 })
  for (const id of names) {
    await kuji.putPool({ id, items: names.map(name => ({ id: name, weight: 1, stock: 1 })) })
    assert.deepEqual([...(await kuji.draw(id, { count: names.length })).items].sort(), [...names].sort())
    await kuji.updateItem(id, '__proto__', { restock: 1 })
    assert.deepEqual((await kuji.draw(id)).items, ['__proto__'])
  }
  await kuji.putPool({
    id: 'urn',
    mode: 'urn',
    items: [
      { id: 'a', stock: 1 },
      { id: '__proto__', stock: 1, metadata: JSON.parse('{"__proto__":{"x":1}}') },
    ],
    lastOne: '__proto__',
  })
  const before = await renderEverything(kuji)
  await kuji.close()
  kuji = await open({ dir, durability: 'os', segmentBytes: 65536 })
  assert.deepEqual(
    (await kuji.pools()).map(({ id }) => id),
    [...names, 'urn'].sort(),
  )
  assert.deepEqual(
    JSON.stringify((await renderEverything(kuji)) as object).split('"lsn"')[0],
    JSON.stringify(before).split('"lsn"')[0],
  )
  assert.deepEqual((await kuji.draw('urn')).items, ['a', '__proto__'])
  assert.equal(({} as { x?: number }).x, undefined)
  await kuji.close()
})

test('ids, metadata and weights at their limits are taken', async () => {
  const kuji = await open({ durability: 'none' })
  const id = `${'x'.repeat(124)}._-:`
  const metadata = 'x'.repeat(limits.metadataBytes - 2)
  await kuji.putPool({
    id,
    items: [{ id, weight: 1e-9, stock: 2 ** 50, metadata }],
    metadata: deep(16) as number,
  })
  await kuji.putPool({
    id: 'heavy',
    items: [
      { id: 'a', weight: 2 ** 50 - 1, stock: 1 },
      { id: 'b', weight: 1, stock: 1 },
    ],
  })
  assert.equal((await kuji.draw(id, { count: limits.drawCount })).items.length, limits.drawCount)
  assert.equal((await kuji.drawMany(id, limits.drawManyCount)).items.length, limits.drawManyCount)
  assert.equal((await kuji.draw('heavy', { count: 2 })).items.length, 2)
})

test('after close() every call is refused, and closing again is no fault', async t => {
  const kuji = await open({ dir: temporaryDirectory(t), durability: 'os', segmentBytes: 65536 })
  await fill(kuji)
  await kuji.close()
  await kuji.close()
  const calls: [string, () => Promise<unknown>][] = [
    ['draw', () => kuji.draw('p')],
    ['drawMany', () => kuji.drawMany('p', 1)],
    ['putPool', () => kuji.putPool({ id: 'new', items: open3 })],
    ['updateItem', () => kuji.updateItem('p', 'a', { restock: 1 })],
    ['pausePool', () => kuji.pausePool('p')],
    ['resumePool', () => kuji.resumePool('paused')],
    ['closePool', () => kuji.closePool('p')],
    ['deletePool', () => kuji.deletePool('p')],
    ['pool', () => kuji.pool('p')],
    ['pools', () => kuji.pools()],
  ]
  for (const [what, call] of calls) assert.equal(await codeOf(call), 'INVALID', what)
  assert.equal(kuji.status().state, 'closed')
})

const badOptions: [string, unknown][] = [
  ['nothing', undefined],
  ['null', null],
  ['a text', './data'],
  ['no directory', {}],
  ['an empty directory', { dir: '' }],
  ['a directory that is a number', { dir: 1 }],
  ['a directory with a zero byte', { dir: 'a\0b' }],
  ['an unknown field', { dir: 'd', directory: 'd' }],
  ['an own field __proto__', ownProto('{"dir":"d","__proto__":{}}')],
  ['durability', { dir: 'd', durability: 'fsync' }],
  ['durability null', { dir: 'd', durability: null }],
  ['durability __proto__', { dir: 'd', durability: '__proto__' }],
  ['retention', { dir: 'd', retention: 'keep' }],
  ['onEvent', { dir: 'd', onEvent: true }],
  ['segmentBytes too small', { dir: 'd', segmentBytes: 4095 }],
  ['segmentBytes too large', { dir: 'd', segmentBytes: 2 ** 30 + 1 }],
  ['segmentBytes a fraction', { dir: 'd', segmentBytes: 4096.5 }],
  ['segmentBytes NaN', { dir: 'd', segmentBytes: Number.NaN }],
  ['segmentBytes a text', { dir: 'd', segmentBytes: '4096' }],
]

test('open refuses options that are none, before it makes anything', async t => {
  const parent = temporaryDirectory(t)
  for (const [what, options] of badOptions) {
    const placed = options as { dir?: unknown } | null | undefined
    const inside =
      placed?.dir === 'd'
        ? Object.defineProperties(
            {},
            {
              ...Object.getOwnPropertyDescriptors(placed),
              dir: { value: join(parent, 'd'), enumerable: true },
            },
          )
        : placed
    assert.equal(await codeOf(() => open(inside as Careless)), 'INVALID', what)
  }
  const { readdirSync } = await import('node:fs')
  assert.deepEqual(readdirSync(parent), [])
})
