import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { EngineEvent, Kuji, PoolState } from '@kuji/engine'
import { limits, open } from '@kuji/engine'
import { openIn } from '../src/open.ts'
import { nextLine, runChild } from './support/child.ts'
import { codeOf } from './support/codes.ts'
import { filesOf } from './support/directory.ts'
import { heldDisk } from './support/held-disk.ts'
import { readLogOnPaper } from './support/log-reader.ts'
import { allPools } from './support/render.ts'
import { temporaryDirectory } from './support/temporary.ts'
import { testWorld } from './support/world.ts'

const segmentBytes = 4096

/** Something of everything that a log can hold. */
async function useEverything(kuji: Kuji): Promise<void> {
  const banner = [
    { id: 'five', weight: 0.6, stock: 3, metadata: { stars: 5 } },
    { id: 'four', weight: 5.1, stock: 'unlimited' },
    { id: 'three', weight: 94.3, stock: 'unlimited' },
  ] as const
  await kuji.putPool({ id: 'banner', items: banner, fallback: 'three', metadata: { name: '夏' } })
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
  const wide = Array.from({ length: 300 }, (_, i) => ({ id: `i${i}`, weight: i + 1, stock: 1000 }))
  await kuji.putPool({ id: 'wide', items: wide })
  await kuji.putPool({ id: 'gone', items: [{ id: 'a', weight: 1, stock: 9 }] })
  for (let k = 0; k < 40; k++) {
    await Promise.all([
      kuji.draw('banner', { count: 10 }),
      kuji.draw('box', { count: 2 }),
      kuji.drawMany('wide', 150),
    ])
    if (k === 20) await kuji.putPool({ id: 'wide', items: wide.slice(100) })
    if (k === 30) await kuji.putPool({ id: 'wide', items: wide.slice(50) })
  }
  await kuji.draw('gone', { count: 9 })
  await kuji.deletePool('gone')
  await kuji.putPool({ id: 'gone', items: [{ id: 'a', weight: 1, stock: 9 }] })
  await kuji.updateItem('banner', 'five', { restock: 4, weight: 0.75 })
  await kuji.updateItem('banner', 'four', { weight: 5.123456789 })
  await kuji.pausePool('gone')
  await kuji.closePool('box')
  await kuji.drawMany('banner', 5000)
}

for (const durability of ['os', 'sync'] as const) {
  test(`everything is as it was after closing and opening again: ${durability}`, async t => {
    const dir = temporaryDirectory(t)
    let kuji = await open({ dir, durability, segmentBytes })
    await useEverything(kuji)
    const pools = await allPools(kuji)
    const { drawNumber, lsn } = kuji.status()
    await kuji.close()
    for (let again = 1; again <= 3; again++) {
      kuji = await open({ dir, durability, segmentBytes })
      assert.deepEqual(await allPools(kuji), pools)
      // Every shutdown seals, as far as anything was written; nothing else is added.
      assert.equal(kuji.status().drawNumber, drawNumber)
      assert.ok(kuji.status().lsn <= lsn + again + 1)
      await kuji.close()
    }
    kuji = await open({ dir, durability, segmentBytes })
    assert.equal((await kuji.draw('banner')).id, drawNumber + 1)
    await kuji.close()
    const paper = readLogOnPaper(dir)
    assert.equal(paper.draws.length, drawNumber + 1)
    for (const pool of pools) {
      const onPaper = paper.pools.get(pool.id)!
      assert.equal(`${onPaper.status} v${onPaper.version}`, `${pool.status} v${pool.version}`)
      const counts = pool.items.map(item => item.drawn).reduce((sum, drawn) => sum + drawn, 0)
      const paperCounts = onPaper.items.reduce((sum, item) => sum + item.drawn, 0)
      assert.equal(paperCounts, counts + (pool.id === 'banner' ? 1 : 0))
    }
  })
}

test('the log is written in one durability and opened in another', async t => {
  const dir = temporaryDirectory(t)
  let expected = 0
  for (const durability of ['os', 'sync', 'os', 'sync'] as const) {
    const kuji = await open({ dir, durability, segmentBytes })
    if (expected === 0) await kuji.putPool({ id: 'p', items: [{ id: 'a', weight: 1, stock: 'unlimited' }] })
    assert.equal((await kuji.draw('p', { count: 100 })).id, expected + 1)
    expected += 100
    await kuji.close()
  }
})

/** A child that draws with many calls in flight, prints what it was answered, and is killed in the midst of it. */
const victim = (dir: string, durability: string): string => `
  import { open } from '@kuji/engine'
  const options = { durability: '${durability}', segmentBytes: ${segmentBytes}, onEvent() {} }
  const kuji = await open({ dir: ${JSON.stringify(dir)}, ...options })
  const items = ['a', 'b'].map(id => ({ id, weight: 1, stock: 'unlimited' }))
  await kuji.putPool({ id: 'p', items })
  const letter = item => (item === 'a' || item === 0 ? 'a' : 'b')
  const tell = ({ id, items }) => process.stdout.write(id + ' ' + Array.from(items, letter).join('') + '\\n')
  const one = async () => { for (;;) tell(await kuji.draw('p')) }
  const ten = async () => { for (;;) tell(await kuji.draw('p', { count: 10 })) }
  const many = async () => { for (;;) tell(await kuji.drawMany('p', 500)) }
  one(); one(); one(); ten(); many()
`

for (const durability of ['os', 'sync'] as const) {
  test(`kill -9 loses nothing that was answered: ${durability}`, async t => {
    const dir = temporaryDirectory(t)
    const answered: [id: number, items: string][] = []
    for (let round = 0; round < 4; round++) {
      const child = runChild(victim(dir, durability))
      for (let line = 0; line < 60 + round * 137; line++) {
        const [id, items] = (await nextLine(child)).split(' ') as [string, string]
        answered.push([Number(id), items])
      }
      child.process.kill('SIGKILL')
      for (let line = await child.lines.next(); !line.done; line = await child.lines.next()) {
        const [id, items] = line.value.split(' ') as [string, string]
        // The kill may have cut the last line of the pipe.
        if (items !== undefined && [1, 10, 500].includes(items.length)) answered.push([Number(id), items])
      }
      assert.equal(await child.ended, 'SIGKILL')
      const kuji = await open({ dir, durability, segmentBytes })
      const paper = readLogOnPaper(dir)
      for (const [id, items] of answered) {
        const logged = paper.draws
          .slice(id - 1, id - 1 + items.length)
          .map(({ item }) => item)
          .join('')
        assert.equal(logged, items, `draw ${id}`)
      }
      assert.equal(kuji.status().drawNumber, paper.draws.length)
      const { items } = await kuji.pool('p')
      assert.deepEqual(
        items.map(({ drawn }) => drawn),
        paper.pools.get('p')!.items.map(({ drawn }) => drawn),
      )
      await kuji.close()
    }
  })
}

async function drawUntil(kuji: Kuji, done: () => boolean): Promise<void> {
  for (let turns = 0; !done(); turns++) {
    assert.ok(turns < 100_000, 'what is waited for does not come')
    await kuji.drawMany('p', 700)
  }
}

for (const retention of ['archive', 'remove'] as const) {
  test(`snapshots stand in for the log before them: ${retention}`, async t => {
    const dir = temporaryDirectory(t)
    const events: EngineEvent[] = []
    const options = {
      dir,
      durability: 'os',
      segmentBytes,
      retention,
      onEvent: (event: EngineEvent) => events.push(event),
    } as const
    let kuji = await open(options)
    await kuji.putPool({
      id: 'p',
      items: [
        { id: 'a', weight: 1, stock: 'unlimited' },
        { id: 'b', weight: 3, stock: 'unlimited' },
      ],
    })
    const snapshots = (): number => events.filter(event => event.type === 'snapshot-written').length
    await drawUntil(kuji, () => snapshots() >= 5)
    const pool = await kuji.pool('p')
    await kuji.close()
    assert.deepEqual(
      events.filter(event => event.level !== 'info'),
      [],
    )
    assert.equal(filesOf(dir, /^snapshot/).length, 2, 'two are kept')
    assert.ok(!existsSync(join(dir, 'segment-0000000001.log')), 'the first segment is gone')
    assert.ok(filesOf(dir, /^spare/).length <= 1, 'one file is kept to be used again')
    assert.equal(existsSync(join(dir, 'archive')), retention === 'archive')
    kuji = await open(options)
    assert.deepEqual(await kuji.pool('p'), pool)
    assert.equal((await kuji.draw('p')).id, pool.drawn + 1)
    await kuji.close()
    if (retention === 'remove') return
    const paper = readLogOnPaper(dir)
    assert.equal(paper.draws.length, pool.drawn + 1)
    paper.lsns.forEach((lsn, index) => {
      assert.equal(lsn, index + 1)
    })
  })
}

test('a request larger than a log file gets one of its own size', async t => {
  const dir = temporaryDirectory(t)
  const kuji = await open({ dir, durability: 'sync', segmentBytes })
  await kuji.putPool({
    id: 'p',
    items: Array.from({ length: 1000 }, (_, i) => ({ id: `i${i}`, weight: 1, stock: 'unlimited' as const })),
  })
  const calls = [
    kuji.draw('p'),
    kuji.drawMany('p', 100_000),
    kuji.draw('p'),
    kuji.drawMany('p', 1_000_000),
    kuji.draw('p', { count: 10_000 }),
  ]
  assert.deepEqual(
    (await Promise.all(calls)).map(({ id }) => id),
    [1, 2, 100_002, 100_003, 1_100_003],
  )
  const pool = await kuji.pool('p')
  await kuji.close()
  const again = await open({ dir, durability: 'sync', segmentBytes })
  assert.deepEqual(await again.pool('p'), pool)
  await again.close()
})

test('thousands of calls at once are answered in the order they were made', async t => {
  const kuji = await open({ dir: temporaryDirectory(t), durability: 'os', segmentBytes: 64 * 1024 })
  await kuji.putPool({ id: 'p', items: [{ id: 'a', weight: 1, stock: 15_000 }] })
  const answers: number[] = []
  const calls = Array.from({ length: 20_000 }, (_, k) => {
    const call: Promise<unknown> = k % 10 === 9 ? kuji.drawMany('p', 1) : kuji.draw('p')
    return call.then(
      () => answers.push(k),
      () => answers.push(k),
    )
  })
  await Promise.all(calls)
  assert.equal(answers.length, 20_000)
  answers.forEach((call, index) => {
    assert.equal(call, index)
  })
  assert.equal((await kuji.pool('p')).items[0]!.remaining, 0)
  assert.equal(kuji.status().drawNumber, 15_000)
  await kuji.close()
})

test('a read sees the calls made before it and none made after it', async t => {
  const kuji = await open({ dir: temporaryDirectory(t), durability: 'os', segmentBytes: 65536 })
  await kuji.putPool({ id: 'p', items: [{ id: 'a', weight: 1, stock: 'unlimited' }] })
  const reads: Promise<PoolState>[] = []
  for (let k = 0; k < 3000; k++) {
    void kuji.draw('p')
    if (k % 3 === 0) reads.push(kuji.pool('p'))
  }
  const drawn = (await Promise.all(reads)).map(pool => pool.drawn)
  drawn.forEach((seen, index) => {
    assert.equal(seen, index * 3 + 1)
  })
  await kuji.close()
})

test('neither an answer nor a read is ahead of what is durable', async t => {
  const { disk, hold } = heldDisk()
  const kuji = await openIn({ dir: temporaryDirectory(t), durability: 'sync', segmentBytes }, testWorld(disk))
  await kuji.putPool({ id: 'p', items: [{ id: 'a', weight: 1, stock: 5 }] })
  const order: string[] = []
  const held = hold()
  const note = (what: string, call: Promise<unknown>): Promise<unknown> =>
    call.then(
      () => order.push(what),
      () => order.push(`${what} refused`),
    )
  const first = note('draw', kuji.draw('p', { count: 2 }))
  await held.reached
  const rest = [
    note('second draw', kuji.draw('p', { count: 3 })),
    note('refusal', kuji.draw('p')),
    kuji.pool('p').then((pool: PoolState) => order.push(`read ${pool.drawn}`)),
    note('list', kuji.pools()),
  ]
  for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate)
  assert.deepEqual(order, [], 'not even a refusal leaves: it rests on draws that are not durable')
  assert.equal(kuji.status().drawNumber, 0)
  const heldAgain = hold()
  held.open()
  await Promise.all([first, heldAgain.reached])
  assert.deepEqual(order, ['draw'])
  assert.equal(kuji.status().drawNumber, 2, 'what is decided already is not told before it is durable')
  heldAgain.open()
  await Promise.all(rest)
  assert.deepEqual(order, ['draw', 'second draw', 'refusal refused', 'read 5', 'list'])
  assert.equal(kuji.status().drawNumber, 5)
  await kuji.close()
})

test('what gathers while a write takes its time finds room in one batch, to the last draw', async t => {
  const { disk, hold } = heldDisk()
  const options = { dir: temporaryDirectory(t), durability: 'os', segmentBytes: 2 ** 20 } as const
  const kuji = await openIn(options, testWorld(disk))
  const items = Array.from({ length: 7 }, (_, i) => ({ id: `i${i}`, weight: 1, stock: 'unlimited' as const }))
  await kuji.putPool({ id: 'p', items })
  const held = hold()
  const calls = [kuji.draw('p')]
  await held.reached
  for (let k = 0; k < 30; k++) calls.push(kuji.draw('p', { count: 1 + k * 300 }))
  held.open()
  const counts = new Map<string, number>()
  for (const receipt of await Promise.all(calls))
    for (const item of receipt.items) counts.set(item, (counts.get(item) ?? 0) + 1)
  await kuji.close()
  const again = await openIn(options, testWorld())
  const pool = await again.pool('p')
  assert.deepEqual(
    pool.items.map(({ id, drawn }) => [id, drawn]),
    [...counts].sort(([a], [b]) => (a < b ? -1 : 1)),
  )
  await again.close()
})

test('close() answers what was asked before it, and seals', async t => {
  const dir = temporaryDirectory(t)
  const kuji = await open({ dir, durability: 'sync', segmentBytes })
  await kuji.putPool({ id: 'p', items: [{ id: 'a', weight: 1, stock: 'unlimited' }] })
  const calls = Array.from({ length: 3000 }, () => kuji.draw('p', { count: 3 }))
  const closed = kuji.close()
  assert.equal(await codeOf(kuji.draw('p')), 'INVALID')
  const receipts = await Promise.all(calls)
  assert.equal(receipts.at(-1)!.id, 8998)
  await closed
  const events: string[] = []
  const again = await open({ dir, segmentBytes, onEvent: event => events.push(event.type) })
  assert.equal(again.status().drawNumber, 9000)
  assert.deepEqual(events, ['recovered'])
  await again.close()
})

test('when as many requests wait as may, the next is OVERLOADED, and the others are answered', async t => {
  const { disk, hold } = heldDisk()
  const kuji = await openIn(
    { dir: temporaryDirectory(t), durability: 'os', segmentBytes: 2 ** 20 },
    testWorld(disk),
  )
  await kuji.putPool({ id: 'p', items: [{ id: 'a', weight: 1, stock: 'unlimited' }] })
  const held = hold()
  const calls = Array.from({ length: 20 }, () => kuji.draw('p'))
  // These are decided, and wait for their write, while room is made for those behind them.
  await held.reached
  while (calls.length < limits.queue) calls.push(kuji.draw('p'))
  assert.equal(kuji.status().queued, limits.queue)
  for (const call of [kuji.draw('p'), kuji.drawMany('p', 1), kuji.pool('p'), kuji.pausePool('p')])
    assert.equal(await codeOf(call), 'OVERLOADED')
  held.open()
  const ids = (await Promise.all(calls)).map(({ id }) => id)
  assert.deepEqual(
    ids,
    calls.map((_, index) => index + 1),
  )
  assert.equal((await kuji.draw('p')).id, limits.queue + 1)
  await kuji.close()
})
