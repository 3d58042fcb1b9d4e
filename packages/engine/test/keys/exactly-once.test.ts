import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { DrawOptions, Kuji, KujiError, OpenOptions, PoolManifest, Receipt } from '@kuji/engine'
import { limits, open } from '@kuji/engine'
import { codeOf, refusalOf } from '../support/codes.ts'
import { eventually } from '../support/eventually.ts'
import { temporaryDirectory } from '../support/temporary.ts'

const options = { durability: 'os', segmentBytes: 4096 } as const
const letters = (ids: string): PoolManifest => ({
  id: 'p',
  items: ids.split('').map(id => ({ id, weight: 1, stock: 'unlimited' })),
})
const box: PoolManifest = {
  id: 'box',
  mode: 'urn',
  lastOne: 'last',
  items: [
    { id: 'A', stock: 3 },
    { id: 'last', stock: 1 },
  ],
}

const replayed = (receipt: Receipt): Receipt => ({ ...receipt, replayed: true })

async function openMemory(more: Partial<OpenOptions> = {}): Promise<Kuji> {
  const kuji = await open({ durability: 'none', ...more })
  await kuji.putPool(letters('abcdef'))
  await kuji.putPool(box)
  return kuji
}

test('requests with one key that are in flight together draw once', async () => {
  const kuji = await openMemory()
  const calls = Array.from({ length: 300 }, (_, k) => kuji.draw('p', { count: 3, key: `k${k % 3}` }))
  const receipts = await Promise.all(calls)
  assert.equal(kuji.status().drawNumber, 9)
  for (const [k, receipt] of receipts.entries())
    assert.deepEqual(receipt, k < 3 ? receipts[k] : replayed(receipts[k % 3]!))
  assert.ok(receipts.slice(0, 3).every(receipt => !receipt.replayed))
  await kuji.close()
})

test('the same key and another request is a conflict that names the first draw, and draws nothing', async () => {
  const kuji = await openMemory()
  const first = { count: 2, key: 'k', recipient: 'r' }
  const { id } = await kuji.draw('p', first)
  const others: DrawOptions[] = [
    { ...first, count: 3 },
    { ...first, partial: true },
    { ...first, recipient: 's' },
    { count: 2, key: 'k' },
  ]
  for (const other of others) {
    const { fields } = await refusalOf('KEY_CONFLICT', kuji.draw('p', other))
    assert.deepEqual(fields, { pool: 'p', id })
  }
  assert.equal(kuji.status().drawNumber, 2)
  assert.ok((await kuji.draw('p', { ...first, partial: false })).replayed, 'what is so anyway may be said')
  await kuji.close()
})

test('a key belongs to its pool, and to no other key that begins like it', async () => {
  const kuji = await openMemory()
  await kuji.putPool({ ...letters('xyz'), id: 'q' })
  const ids = []
  for (const [pool, key] of [
    ['p', 'k'],
    ['q', 'k'],
    ['p', 'kk'],
    ['p', 'K'],
    ['p', 'k '],
    ['p', 'ｋ'],
  ] as const)
    ids.push((await kuji.draw(pool, { key })).id)
  assert.deepEqual(ids, [1, 2, 3, 4, 5, 6])
  await kuji.close()
})

test('a refusal is not kept: the same key draws when there is something to draw', async () => {
  const kuji = await openMemory()
  const late = { key: 'late' }
  await kuji.draw('box', { count: 3, key: 'all' })
  assert.equal(await codeOf(kuji.draw('box', late)), 'POOL_EMPTY')
  assert.equal(await codeOf(kuji.draw('elsewhere', late)), 'POOL_NOT_FOUND')
  await kuji.updateItem('box', 'A', { restock: 1 })
  await kuji.pausePool('box')
  assert.equal(await codeOf(kuji.draw('box', late)), 'POOL_PAUSED')
  await kuji.resumePool('box')
  assert.equal(await codeOf(kuji.draw('box', { ...late, count: 9 })), 'INSUFFICIENT_STOCK')
  assert.deepEqual((await kuji.draw('box', late)).items, ['A'])
  assert.equal((await kuji.draw('box', late)).replayed, true)
  await kuji.close()
})

test('a kept receipt comes back whatever has become of its pool', async () => {
  const kuji = await openMemory()
  const all: [string, DrawOptions, Receipt][] = []
  const draw = async (pool: string, request: DrawOptions): Promise<void> => {
    all.push([pool, request, await kuji.draw(pool, request)])
  }
  const replay = async (): Promise<void> => {
    for (const [pool, request, receipt] of all)
      assert.deepEqual(await kuji.draw(pool, request), replayed(receipt))
  }
  await draw('p', { count: 20, key: 'k1', recipient: '人' })
  await draw('box', { count: 99, partial: true, key: 'rest' })
  assert.deepEqual(all[1]![2].items, ['A', 'A', 'A', 'last'])
  await replay()
  await kuji.putPool(letters('fedcba'))
  await draw('p', { count: 20, key: 'k2' })
  await kuji.putPool(letters('uvw'))
  await draw('p', { count: 20, key: 'k3' })
  await replay()
  await kuji.pausePool('p')
  await replay()
  await kuji.closePool('p')
  await kuji.closePool('box')
  await replay()
  await kuji.deletePool('p')
  await kuji.deletePool('box')
  await replay()
  await kuji.putPool(letters('xyz'))
  await replay()
  await draw('p', { count: 20, key: 'k4' })
  await replay()
  await kuji.close()
})

/** Draws with keys in the way of a long campaign: old versions, rotations, snapshots. */
async function campaign(kuji: Kuji, from: number, to: number, told: Map<string, Receipt>): Promise<void> {
  for (let k = from; k < to; k++) {
    const key = `order-${k}`
    told.set(
      key,
      await kuji.draw('p', { count: 1 + (k % 5), key, ...(k % 3 === 0 ? { recipient: `r${k}` } : {}) }),
    )
    if (k % 40 === 0) await kuji.putPool(letters(k % 80 === 0 ? 'abcdef' : 'fghij'))
  }
}

async function replayAll(kuji: Kuji, told: Map<string, Receipt>): Promise<void> {
  const { drawNumber } = kuji.status()
  for (const [key, receipt] of told) {
    const k = Number(key.slice(6))
    const request = { count: 1 + (k % 5), key, ...(k % 3 === 0 ? { recipient: `r${k}` } : {}) }
    assert.deepEqual(await kuji.draw('p', request), replayed(receipt))
    assert.equal(await codeOf(kuji.draw('p', { ...request, count: 6 })), 'KEY_CONFLICT')
  }
  assert.equal(kuji.status().drawNumber, drawNumber)
}

test('keys outlive restarts, rotations and the log before a snapshot', async (t: TestContext) => {
  const dir = temporaryDirectory(t)
  const told = new Map<string, Receipt>()
  let snapshots = 0
  for (let run = 0; run < 3; run++) {
    const onEvent = ({ type }: { type: string }): void => {
      if (type === 'snapshot-written') snapshots++
    }
    const kuji = await open({ dir, ...options, retention: 'remove', onEvent })
    await kuji.putPool(letters('abcdef'))
    await replayAll(kuji, told)
    await campaign(kuji, run * 150, run * 150 + 150, told)
    await eventually(() => snapshots > run)
    await replayAll(kuji, told)
    await kuji.close()
  }
  const kuji = await open({ dir, ...options })
  await replayAll(kuji, told)
  assert.equal(kuji.status().keys, 450)
  await kuji.close()
})

test('keys of every length and script come back from the log as they were, with and without a recipient', async t => {
  const dir = temporaryDirectory(t)
  const opened = { dir, ...options }
  let kuji = await open(opened)
  await kuji.putPool(letters('abc'))
  const texts = ['k', 'é', 'kéy', '鍵', '🗝', 'x\0y'].concat(
    [7, 8, 42, 43, 63, 64, 127, 128, 255].flatMap(length =>
      ['k', 'ÿ', '鍵'].map(unit => unit.repeat(length)),
    ),
  )
  const requests = texts.flatMap(key => [{ key: `1${key}`.slice(0, 255), recipient: key }, { key }])
  const receipts = await Promise.all(requests.map(request => kuji.draw('p', request)))
  await kuji.close()
  kuji = await open(opened)
  assert.equal(kuji.status().keys, requests.length)
  const again = await Promise.all(requests.map(request => kuji.draw('p', request)))
  assert.deepEqual(again, receipts.map(replayed))
  await kuji.close()
})

test('keys and recipients as long as they get find room in a batch of many, wherever they fall in it', async t => {
  const opened = { dir: temporaryDirectory(t), durability: 'os' } as const
  let kuji = await open(opened)
  await kuji.putPool(letters('abc'))
  const requests = Array.from({ length: 1000 }, (_, index) => ({
    key: `${index}`.padEnd(limits.keyLength, '鍵'),
    recipient: `${index}`.padStart(limits.recipientLength - (index % 7), '誰'),
  }))
  const receipts = await Promise.all(requests.map(request => kuji.draw('p', request)))
  await kuji.close()
  kuji = await open(opened)
  const again = await Promise.all(requests.map(request => kuji.draw('p', request)))
  assert.deepEqual(again, receipts.map(replayed))
  await kuji.close()
})

test('a receipt is found by each of its draw numbers', async () => {
  const kuji = await openMemory()
  await kuji.draw('p', { count: 4 })
  const many = await kuji.draw('p', { count: 5, key: 'k', recipient: 'r' })
  await kuji.draw('p', { recipient: 'r' })
  const one = await kuji.draw('p', { key: 'l' })
  for (const id of [5, 7, 9]) assert.deepEqual(await kuji.receipt(id), replayed(many))
  assert.deepEqual(await kuji.receipt(11), replayed(one))
  for (const id of [1, 4, 10, 12, Number.MAX_SAFE_INTEGER])
    assert.deepEqual((await refusalOf('DRAW_NOT_FOUND', kuji.receipt(id))).fields, { id })
  for (const id of [0, -1, 1.5, '5' as never, Number.NaN])
    assert.equal(await codeOf(kuji.receipt(id)), 'INVALID')
  await kuji.close()
})

test('a sink is given receipts and refusals in the order of the calls, among promises', async () => {
  const kuji = await openMemory()
  const order: string[] = []
  const sink = {
    answer(token: number, answer: Receipt | KujiError): void {
      order.push(answer instanceof Error ? `${token} ${answer.code}` : `${token} draw ${answer.id}`)
    },
  }
  kuji.drawTo(sink, 1, 'p')
  const second = kuji.draw('p').then(({ id }) => order.push(`promise draw ${id}`))
  kuji.drawTo(sink, 2, 'p', { count: 2, key: 'k' })
  kuji.drawTo(sink, 3, 'nowhere')
  kuji.drawTo(sink, 4, 'p', { count: 2, key: 'k' })
  kuji.drawTo(sink, 5, 'p', { count: 3, key: 'k' })
  assert.equal(order.length, 0, 'nothing is durable yet')
  kuji.drawTo(sink, 6, 'p', { count: 0 })
  kuji.drawTo(sink, 7, 'p', { key: '' })
  assert.deepEqual(order.splice(0), ['6 INVALID', '7 INVALID'], 'what is not queued is refused at once')
  await second
  await kuji.pools()
  const promised = order.filter(line => line.startsWith('promise'))
  assert.deepEqual(promised, ['promise draw 2'])
  assert.deepEqual(
    order.filter(line => !line.startsWith('promise')),
    ['1 draw 1', '2 draw 3', '3 POOL_NOT_FOUND', '4 draw 3', '5 KEY_CONFLICT'],
  )
  await kuji.close()
  kuji.drawTo(sink, 8, 'p')
  assert.equal(order.at(-1), '8 INVALID')
})

test('a change for another version is a conflict, and changes nothing', async () => {
  const kuji = await open({ durability: 'none' })
  const conflict = async (call: Promise<unknown>, version: number): Promise<void> => {
    const { fields } = await refusalOf('VERSION_CONFLICT', call)
    assert.deepEqual(fields, { pool: 'p', version })
  }
  await conflict(kuji.putPool(letters('a'), { ifVersion: 1 }), 0)
  assert.equal((await kuji.putPool(letters('a'), { ifVersion: 0 })).created, true)
  await conflict(kuji.putPool(letters('b'), { ifVersion: 0 }), 1)
  await conflict(kuji.putPool(letters('a'), { ifVersion: 2 }), 1)
  assert.equal((await kuji.putPool(letters('ab'), { ifVersion: 1 })).version, 2)
  await conflict(kuji.updateItem('p', 'a', { weight: 2 }, { ifVersion: 1 }), 2)
  assert.equal((await kuji.updateItem('p', 'a', { weight: 2 }, { ifVersion: 2 })).version, 3)
  // Of two who change what both have read, one is told.
  const both = await Promise.allSettled([
    kuji.putPool(letters('x'), { ifVersion: 3 }),
    kuji.putPool(letters('y'), { ifVersion: 3 }),
  ])
  assert.deepEqual(
    both.map(({ status }) => status),
    ['fulfilled', 'rejected'],
  )
  assert.equal(await codeOf(kuji.updateItem('q', 'a', { weight: 2 }, { ifVersion: 1 })), 'POOL_NOT_FOUND')
  assert.equal(await codeOf(kuji.putPool(letters('a'), { ifVersion: -1 })), 'INVALID')
  await kuji.close()
})
