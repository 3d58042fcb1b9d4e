import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Kuji, KujiError, type PoolManifest } from '@kuji/engine'
import { openIn } from '../src/open.ts'
import { nextLine, runChild } from './support/child.ts'
import { codeOf } from './support/codes.ts'
import { temporaryDirectory } from './support/temporary.ts'
import { testWorld } from './support/world.ts'

const heapBytes = 100_000

function manifest(id: string, items: number, prefix = 'item'): PoolManifest {
  return {
    id,
    items: Array.from({ length: items }, (_, item) => ({ id: `${prefix}-${item}`, weight: 1, stock: 9 })),
  }
}

/** Puts pools until one is refused. Returns the refusal, and how many there are. */
async function fill(kuji: Kuji, items: number): Promise<{ error: KujiError; pools: number }> {
  for (let pools = 0; ; pools++) {
    try {
      await kuji.putPool(manifest(`pool-${pools}`, items))
    } catch (error) {
      assert.ok(error instanceof KujiError)
      return { error, pools }
    }
  }
}

test('a put for which the heap has no room is TOO_LARGE, and everything else goes on', async t => {
  const dir = temporaryDirectory(t)
  const world = { ...testWorld(), heapBytes }
  const kuji = await openIn({ dir, durability: 'os', segmentBytes: 65536 }, world)
  const { error, pools } = await fill(kuji, 20)
  assert.equal(error.code, 'TOO_LARGE')
  assert.match(
    error.message,
    /^pools and kept receipts would take 0\.1 MB of the heap, and may take 0\.1 MB: delete pools, or/,
  )
  assert.equal(error.fields.pool, `pool-${pools}`)
  assert.ok(pools > 5)
  const { heapBytes: full, heapBytesMost, lsn } = kuji.status()
  assert.equal(heapBytesMost, heapBytes)
  assert.ok(full <= heapBytes && full + 20_000 > heapBytes)
  assert.equal(await codeOf(kuji.pool(`pool-${pools}`)), 'POOL_NOT_FOUND')
  // What takes no more than before goes on, a manifest as it is and a smaller one among it.
  assert.equal((await kuji.putPool(manifest('pool-0', 20))).changed, false)
  assert.equal((await kuji.draw('pool-0', { count: 50, key: 'k' })).items.length, 50)
  await kuji.updateItem('pool-1', 'item-3', { restock: 5 })
  assert.equal((await kuji.putPool(manifest('pool-1', 10))).changed, true)
  await kuji.deletePool('pool-2')
  assert.ok(kuji.status().lsn > lsn)
  await kuji.putPool(manifest('other', 20))
  await kuji.close()
})

test('what pools take of the heap is known over restarts, and none of it stays behind them', async t => {
  const dir = temporaryDirectory(t)
  const options = { dir, durability: 'os', segmentBytes: 4096 } as const
  let kuji = await openIn(options, testWorld())
  const empty = kuji.status().heapBytes
  const sizes: number[] = []
  for (let round = 0; round < 30; round++) {
    // The earlier items were drawn, and stay with the pool; one in two versions stays with a kept receipt too.
    await kuji.putPool({ ...manifest('p', 12, `item-${round}`), metadata: { text: 'x'.repeat(100) } })
    await kuji.draw('p', { count: 60, ...(round % 2 === 0 ? { key: `k-${round}` } : {}) })
    const { heapBytes: before } = kuji.status()
    sizes.push(before)
    await kuji.close()
    kuji = await openIn(options, testWorld())
    assert.equal(kuji.status().heapBytes, before)
  }
  assert.deepEqual(
    sizes,
    sizes.toSorted((a, b) => a - b),
  )
  await kuji.putPool(manifest('q', 1))
  const { heapBytes: both } = kuji.status()
  await kuji.deletePool('q')
  assert.equal(kuji.status().heapBytes, sizes.at(-1))
  assert.ok(both > sizes.at(-1)!)
  await kuji.deletePool('p')
  // The receipts are still kept.
  const { heapBytes: receipts } = kuji.status()
  assert.ok(receipts > empty && receipts < sizes.at(-1)! / 2)
  assert.equal((await kuji.draw('p', { count: 60, key: 'k-28' })).replayed, true)
  await kuji.close()
})

test('items that versions have left out count, however small each version is', async t => {
  const kuji = await openIn(
    { dir: temporaryDirectory(t), durability: 'os', segmentBytes: 65536 },
    { ...testWorld(), heapBytes },
  )
  let [versions, code] = [0, '']
  for (; code === '' && versions < 1000; versions++) {
    code = await kuji.putPool(manifest('p', 5, `version-${versions}`)).then(
      () => '',
      (error: KujiError) => error.code,
    )
    if (code === '') await kuji.drawMany('p', 45)
  }
  assert.equal(code, 'TOO_LARGE')
  assert.ok(versions > 20)
  await kuji.close()
})

test('lists of items that stay with kept receipts count, however often a pool goes back and forth', async t => {
  const options = { dir: temporaryDirectory(t), durability: 'os', segmentBytes: 65536 } as const
  const kuji = await openIn(options, { ...testWorld(), heapBytes })
  const { items } = manifest('p', 50)
  let [puts, code] = [0, '']
  for (; code === '' && puts < 1000; puts++) {
    const list = puts % 2 === 0 ? items : items.toReversed()
    code = await kuji.putPool({ id: 'p', items: list }).then(
      () => '',
      (error: KujiError) => error.code,
    )
    await kuji.draw('p', { key: `key-${puts}` })
  }
  assert.equal(code, 'TOO_LARGE')
  assert.ok(puts > 10)
  assert.ok(kuji.status().heapBytes <= heapBytes)
  await kuji.close()
})

test('beside a manifest that waits and takes much of the heap, reads and small changes go on', async t => {
  const options = { dir: temporaryDirectory(t), durability: 'os', segmentBytes: 65536 } as const
  const kuji = await openIn(options, { ...testWorld(), heapBytes: 1_000_000 })
  await kuji.putPool(manifest('p', 1))
  await kuji.putPool(manifest('q', 1))
  const large = kuji.putPool({ ...manifest('large', 60), metadata: { text: 'x'.repeat(3000) } })
  const waiting = Array.from({ length: 30 }, (_, n) =>
    codeOf(kuji.putPool({ ...manifest(`other-${n}`, 1), metadata: { text: 'x'.repeat(4000) } })),
  )
  const others = [
    kuji.pool('p'),
    kuji.pausePool('p'),
    kuji.updateItem('p', 'item-0', { restock: 1 }),
    kuji.deletePool('q'),
  ]
  await Promise.all([large, ...others])
  assert.ok((await Promise.all(waiting)).includes('OVERLOADED'))
  await kuji.close()
})

/** Fills a heap of 40 MB with pools of one shape. Prints how many there are and what an observer wants to know. */
const fillHeap = (dir: string, shape: string) => `
  import { open } from '@kuji/engine'
  const failures = []
  const onEvent = ({ type, level }) => level === 'info' || failures.push(type)
  const options = { dir: ${JSON.stringify(dir)}, durability: 'os', segmentBytes: 2 ** 20, onEvent }
  let kuji = await open(options)
  const shape = ${shape}
  let pools = 0
  try {
    for (;; pools++) {
      const put = kuji.putPool(shape(pools))
      const id = 'pool-' + pools
      const draws = Array.from({ length: 10 }, (_, draw) => kuji.draw(id, { key: pools + '-' + draw }))
      const drawn = Promise.allSettled([kuji.drawMany(id, 5000, { partial: true }), ...draws])
      await put
      await drawn
    }
  } catch (error) {
    if (error.code !== 'TOO_LARGE') throw error
  }
  await kuji.close()
  kuji = await open(options)
  const { items } = await kuji.draw('pool-0')
  await kuji.close()
  console.log(JSON.stringify({ pools, items: items.length, failures }))
`
const shapes = {
  'small pools': `n => ({ id: 'pool-' + n, items: [
    { id: 'a', weight: 1, stock: 'unlimited' }, { id: 'b', weight: 2, stock: 9 }] })`,
  'long texts': `n => ({ id: 'pool-' + n, items: Array.from({ length: 50 }, (_, i) =>
    ({ id: 'item-' + i, weight: 1, stock: 'unlimited', metadata: { text: String(i).padEnd(4000, 'x') } })) })`,
  'many items': `n => ({ id: 'pool-' + n, mode: 'urn', items: Array.from({ length: 3000 }, (_, i) =>
    ({ id: 'pool-' + n + '-' + i, stock: 1000 })) })`,
}

for (const [name, shape] of Object.entries(shapes))
  test(`a heap is never filled by ${name}: what would is refused, and a start needs no more`, async t => {
    const source = fillHeap(temporaryDirectory(t), shape)
    const child = runChild(source, { shell: 'export NODE_OPTIONS=--max-old-space-size=40' })
    const { pools, items, failures } = JSON.parse(await nextLine(child))
    assert.ok(pools > 20, `${pools} pools`)
    assert.equal(items, 1)
    assert.deepEqual(failures, [])
    assert.equal(await child.ended, 0)
  })
