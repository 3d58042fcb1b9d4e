import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type DrawManyReceipt, type KujiError, limits, open, type Receipt } from '@kuji/engine'
import { codeOf } from './support/codes.ts'

test('the more requests wait, the more is kept for them, and each gets its own answer, in order', async () => {
  const kuji = await open({ durability: 'none' })
  await kuji.putPool({ id: 'p', items: [{ id: 'a', weight: 1, stock: 'unlimited' }] })
  const order: number[] = []
  let expected = 1
  // Each wave begins somewhere else, and some are larger than any before: what waits is kept while room is made.
  for (const wave of [1, 7, 33, 70, 500, 3, 1025, 2500]) {
    const toldOf = new Map<number, Receipt | KujiError>()
    const sink = { answer: (token: number, answer: Receipt | KujiError) => void toldOf.set(token, answer) }
    const promised: Promise<Receipt>[] = []
    const refused: Promise<string>[] = []
    const many: Promise<DrawManyReceipt>[] = []
    const requestOf = (who: string, index: number) => ({
      count: 1 + (index % 3),
      key: `${who} ${wave}-${index}`,
      recipient: `for ${who} ${wave}-${index}`,
    })
    for (let index = 0; index < wave; index++) {
      kuji.drawTo(sink, index, 'p', requestOf('sink', index))
      refused.push(codeOf(kuji.draw(`none ${wave}-${index}`)))
      many.push(kuji.drawMany('p', 1))
      const call = kuji.draw('p', requestOf('promise', index))
      void call.then(({ id }) => order.push(id))
      promised.push(call)
    }
    for (const [index, call] of promised.entries()) {
      assert.equal(await refused[index], 'POOL_NOT_FOUND')
      const ofSink = toldOf.get(index) as Receipt
      const { id, itemIds } = await many[index]!
      assert.deepEqual([id, itemIds], [ofSink.id + ofSink.items.length, ['a']])
      for (const [who, receipt] of [
        ['sink', ofSink],
        ['promise', await call],
      ] as const) {
        if (who === 'promise') expected++
        const request = requestOf(who, index)
        assert.deepEqual([receipt.id, receipt.items.length], [expected, request.count])
        expected += request.count
        // The key stands for this request, count and recipient, and for no other.
        assert.deepEqual(await kuji.draw('p', request), { ...receipt, replayed: true })
      }
    }
    assert.equal(toldOf.size, wave)
  }
  assert.deepEqual(
    order,
    order.toSorted((a, b) => a - b),
  )
  await kuji.close()
})

test('a sink may ask for more while it is given answers, so that more room is made amid them', async () => {
  const kuji = await open({ durability: 'none' })
  await kuji.putPool({ id: 'p', items: [{ id: 'a', weight: 1, stock: 'unlimited' }] })
  // Some have gone before, so that in the larger ring those that wait have other places.
  await Promise.all(Array.from({ length: 150 }, () => kuji.draw('p')))
  const [first, all] = [250, 2000]
  const told: (readonly [token: number, draw: number])[] = []
  let asked = 0
  const sink = {
    answer(token: number, answer: Receipt | KujiError) {
      told.push([token, (answer as Receipt).id])
      for (let more = 0; more < 3 && asked < all; more++) kuji.drawTo(sink, asked++, 'p')
    },
  }
  while (asked < first) kuji.drawTo(sink, asked++, 'p')
  while (told.length < all) await kuji.pool('p')
  assert.deepEqual(
    told,
    Array.from({ length: all }, (_, token) => [token, token + 151]),
  )
  await kuji.close()
})

test('changes that wait take up to so much memory together, and the next is OVERLOADED', async () => {
  const kuji = await open({ durability: 'none' })
  const metadata = 'x'.repeat(limits.metadataBytes - 2)
  const items = Array.from({ length: 5000 }, (_, k) => ({ id: `i${k}`, weight: 1, stock: 1, metadata }))
  const put = () => codeOf(kuji.putPool({ id: 'q', items }, { ifVersion: 9 }))
  const most = Math.floor(limits.queueBytes / (items.length * limits.metadataBytes * 3))
  const codes = await Promise.all(Array.from({ length: most + 2 }, put))
  // Where the heap is small, fewer.
  const taken = codes.indexOf('OVERLOADED')
  assert.ok(taken >= 1 && taken <= most, `${taken} of at most ${most}`)
  assert.deepEqual(
    codes,
    codes.map((_, place) => (place < taken ? 'VERSION_CONFLICT' : 'OVERLOADED')),
  )
  assert.equal(await put(), 'VERSION_CONFLICT', 'those that were decided wait no more')
  await kuji.close()
})
