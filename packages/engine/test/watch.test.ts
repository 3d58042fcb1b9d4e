import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Kuji, KujiError, LogEvent, OpenOptions, WatchOptions } from '@kuji/engine'
import { limits, open } from '@kuji/engine'
import { openIn } from '../src/open.ts'
import { codeOf, refusalOf } from './support/codes.ts'
import { eventually } from './support/eventually.ts'
import { FaultyDisk, systemError } from './support/faulty-disk.ts'
import { temporaryDirectory } from './support/temporary.ts'
import { testWorld, worldAt } from './support/world.ts'

const endless = { id: 'p', items: [{ id: 'a', weight: 1, stock: 'unlimited' }] } as const
const letters = 'abcdefgh'.split('').map(id => ({ id, weight: 1, stock: 'unlimited' as const }))

/** Watches in the background, into a list. */
function follow(kuji: Kuji, options?: WatchOptions): { seen: LogEvent[]; ended: Promise<void> } {
  const seen: LogEvent[] = []
  const events = kuji.watch(options)
  const ended = (async () => {
    for await (const event of events) seen.push(event)
  })()
  return { seen, ended }
}

/** What the events say was drawn: draw number → `pool: item`. Fails where a number comes twice or out of order. */
function drawnIn(events: readonly LogEvent[]): Map<number, string> {
  const drawn = new Map<number, string>()
  let last = 0
  for (const { lsn, changes } of events) {
    assert.ok(lsn > last, `LSN ${lsn} after ${last}`)
    last = lsn
    for (const change of changes) {
      if (change.type !== 'draws') continue
      for (const [k, item] of change.items.entries()) {
        assert.ok(!drawn.has(change.id + k))
        drawn.set(change.id + k, `${change.pool}: ${item}`)
      }
    }
  }
  return drawn
}

test('a watcher sees every draw of concurrent callers once and in order, through new files and versions', async t => {
  const kuji = await open({ dir: temporaryDirectory(t), durability: 'os', segmentBytes: 4096 })
  await kuji.putPool(endless)
  const { seen, ended } = follow(kuji, { after: kuji.status().lsn })
  const answered = new Map<number, string>()
  const told = ({ id, pool, items }: { id: number; pool: string; items: readonly string[] }): void => {
    for (const [k, item] of items.entries()) answered.set(id + k, `${pool}: ${item}`)
  }
  for (let round = 0; round < 60; round++) {
    // The items change places in the very batch that draws from them before and after.
    const turned = [...letters.slice(round % 8), ...letters.slice(0, round % 8)]
    const calls = [
      kuji.draw('p', { count: 50 }).then(told),
      kuji.putPool({ id: 'turning', items: turned }),
      kuji.draw('turning', { count: 40, key: `k${round}`, recipient: `r${round}` }).then(told),
      kuji.putPool({ id: 'turning', items: [...turned].reverse() }),
      kuji.draw('turning', { count: 40 }).then(told),
      kuji.drawMany('p', 100).then(({ id, items }) => {
        for (let k = 0; k < items.length; k++) answered.set(id + k, 'p: a')
      }),
    ]
    await Promise.all(calls)
    if (round % 20 === 19) await kuji.deletePool('turning')
  }
  await kuji.close()
  await ended
  const inOrder = [...answered].sort(([a], [b]) => a - b)
  assert.deepEqual([...drawnIn(seen)], inOrder)
  const named = seen.flatMap(({ changes }) => changes.filter(change => 'key' in change))
  assert.equal(named.length, 60)
  assert.ok(named.every(change => change.type === 'draws' && change.recipient === `r${change.key!.slice(1)}`))
})

test('changes come with the name of what was done, in their order among the draws', async () => {
  const kuji = await open({ durability: 'none' })
  const { seen, ended } = follow(kuji)
  await Promise.all([
    kuji.putPool(endless),
    kuji.draw('p', { key: 'k' }),
    kuji.updateItem('p', 'a', { weight: 2 }),
    kuji.pausePool('p'),
    kuji.resumePool('p'),
    kuji.draw('p', { recipient: 'r' }),
    kuji.draw('p', { key: 'k' }),
    kuji.closePool('p'),
    kuji.deletePool('p'),
  ])
  await kuji.close()
  await ended
  const changes = seen.flatMap(event => event.changes)
  assert.deepEqual(changes, [
    { type: 'pool', pool: 'p', change: 'put' },
    { type: 'draws', pool: 'p', id: 1, items: ['a'], key: 'k' },
    { type: 'pool', pool: 'p', change: 'updated' },
    { type: 'pool', pool: 'p', change: 'paused' },
    { type: 'pool', pool: 'p', change: 'resumed' },
    { type: 'draws', pool: 'p', id: 2, items: ['a'], recipient: 'r' },
    { type: 'pool', pool: 'p', change: 'closed' },
    { type: 'pool', pool: 'p', change: 'deleted' },
  ])
})

test('a watcher that comes back behind the last event it has seen misses nothing', async () => {
  const kuji = await open({ durability: 'none' })
  await kuji.putPool(endless)
  const seen: LogEvent[] = []
  let after = kuji.status().lsn
  for (let visit = 0; visit < 20; visit++) {
    const events = kuji.watch({ after })
    for (let k = 0; k < 7; k++) await kuji.draw('p', { count: 1 + k })
    // Leaves in the middle; what it has not taken is there when it comes again.
    for await (const event of events) {
      seen.push(event)
      after = event.lsn
      if (seen.length % 5 === 0) break
    }
  }
  const rest = follow(kuji, { after })
  await kuji.close()
  await rest.ended
  const numbers = [...drawnIn([...seen, ...rest.seen]).keys()]
  assert.deepEqual(
    numbers,
    Array.from({ length: 20 * 28 }, (_, k) => k + 1),
  )
})

test('what status() says of the log can be watched from, also when the log has sealed itself', async t => {
  const kuji = await open({ dir: temporaryDirectory(t), durability: 'os' })
  await kuji.putPool(endless)
  const { lsn } = kuji.status()
  await eventually(() => kuji.status().lsn > lsn)
  const { seen, ended } = follow(kuji, { after: kuji.status().lsn })
  await kuji.draw('p')
  // A batch under way is not yet there to be watched behind.
  const call = kuji.draw('p')
  await new Promise(setImmediate)
  const second = follow(kuji, { after: kuji.status().lsn })
  await call
  await kuji.close()
  await Promise.all([ended, second.ended])
  assert.deepEqual([...drawnIn(seen).keys()], [1, 2])
  assert.ok(drawnIn(second.seen).has(2) || drawnIn(second.seen).size === 0)
})

test('an LSN that is too long ago, or has not come yet, is refused at the call', async t => {
  const dir = temporaryDirectory(t)
  const first = await open({ dir, durability: 'os' })
  await first.putPool(endless)
  await first.draw('p')
  const { lsn } = first.status()
  const early = await refusalOf(
    'INVALID',
    Promise.resolve().then(() => first.watch({ after: lsn - 1 })),
  )
  assert.deepEqual(early.fields, { field: 'after', since: lsn })
  const late = await refusalOf(
    'INVALID',
    Promise.resolve().then(() => first.watch({ after: lsn + 1 })),
  )
  assert.deepEqual(late.fields, { field: 'after', lsn })
  await first.close()
  const second = await open({ dir, durability: 'os' })
  assert.equal(await codeOf(() => void second.watch({ after: lsn })), 'INVALID')
  await second.close()
})

test('a watcher that falls behind by more than is kept is told so, and the others go on', async () => {
  const kuji = await open({ durability: 'none' })
  await kuji.putPool(endless)
  const { lsn } = kuji.status()
  const slow = kuji.watch({ after: lsn })
  const quick = follow(kuji, { after: lsn })
  await kuji.draw('p')
  assert.equal((await slow.next()).value!.changes.length, 1)
  // Larger than all that is kept: as long as it is one of the newest it stays.
  await kuji.drawMany('p', limits.feedChanges)
  for (let k = 1; k <= limits.feedBatches; k++) await kuji.draw('p')
  const { fields } = await refusalOf('INVALID', slow.next())
  assert.equal(fields.since, lsn + 2)
  assert.equal((await slow.next()).done, true)
  await kuji.close()
  await quick.ended
  assert.deepEqual(
    quick.seen.map(event => event.lsn - lsn),
    Array.from({ length: 2 + limits.feedBatches }, (_, k) => k + 1),
  )
})

test('a watcher may be some batches behind, however large they are', async () => {
  const kuji = await open({ durability: 'none' })
  await kuji.putPool(endless)
  const { lsn } = kuji.status()
  const events = kuji.watch({ after: lsn })
  for (let k = 1; k <= limits.feedBatches; k++) await kuji.drawMany('p', limits.drawManyCount)
  for (let k = 1; k <= limits.feedBatches; k++) assert.equal((await events.next()).value!.lsn, lsn + k)
  await kuji.close()
})

test('watching ends with its signal, before, between and behind events', async () => {
  const kuji = await open({ durability: 'none' })
  await kuji.putPool(endless)
  const { lsn } = kuji.status()
  assert.equal((await kuji.watch({ signal: AbortSignal.abort() }).next()).done, true)
  const controller = new AbortController()
  const waiting = follow(kuji, { after: lsn, signal: controller.signal })
  await kuji.draw('p')
  await eventually(() => waiting.seen.length === 1)
  controller.abort()
  await waiting.ended
  await kuji.draw('p')
  assert.equal(waiting.seen.length, 1)
  await kuji.close()
  assert.equal((await kuji.watch({ after: lsn }).next()).value!.lsn, lsn + 1)
})

test('a failed write ends every watcher with its error, behind what was durable', async t => {
  let broken = false
  const disk = new FaultyDisk(({ operation }) =>
    broken && operation === 'write' ? { error: systemError('EIO') } : undefined,
  )
  const dir = temporaryDirectory(t)
  const kuji = await openIn({ dir, durability: 'os', onEvent: () => undefined }, testWorld(disk))
  await kuji.putPool(endless)
  const { seen, ended } = follow(kuji, { after: kuji.status().lsn })
  await kuji.draw('p')
  broken = true
  const failed = refusalOf('OUTCOME_UNKNOWN', ended)
  assert.equal(await codeOf(kuji.draw('p')), 'OUTCOME_UNKNOWN')
  await failed
  assert.deepEqual([...drawnIn(seen).keys()], [1])
  await kuji.close()
})

test('a failed write ends every watcher with its error, also where the engine is closed at once', async t => {
  let broken = false
  const disk = new FaultyDisk(({ operation }) =>
    broken && operation === 'write' ? { error: systemError('EIO') } : undefined,
  )
  const kuji = await openIn(
    { dir: temporaryDirectory(t), durability: 'os', onEvent: () => undefined },
    testWorld(disk),
  )
  await kuji.putPool(endless)
  const events = kuji.watch()
  const next = events.next().then(
    ({ done }) => (done === true ? 'ended in order' : 'an event'),
    ({ code }: KujiError) => code,
  )
  const closed = kuji.failed.then(() => kuji.close())
  broken = true
  await kuji.draw('p').catch(() => undefined)
  assert.equal(await next, 'OUTCOME_UNKNOWN')
  await closed
})

test('without a watcher nothing is kept, and with one no longer than a while behind it', async () => {
  let clock = 1
  const options: OpenOptions = { durability: 'none' }
  const kuji = await openIn(options, worldAt({ elapsed: () => clock }))
  await kuji.putPool(endless)
  const { lsn } = kuji.status()
  const canWatch = (after: number): Promise<string> => codeOf(() => void kuji.watch({ after }))
  await kuji.draw('p')
  assert.equal(await canWatch(lsn), 'INVALID', 'nobody has been watching')
  // Whoever is refused reads the pools, and then has to find what came meanwhile.
  await kuji.draw('p')
  const events = kuji.watch({ after: lsn + 1 })
  assert.equal((await events.next()).value!.lsn, lsn + 2)
  clock += limits.feedLingerMs * 2
  await kuji.draw('p')
  assert.equal((await events.next()).value!.lsn, lsn + 3, 'it may be slow')
  await events.return()
  clock += limits.feedLingerMs
  await kuji.draw('p')
  assert.equal(await canWatch(lsn + 1), 'done', 'kept for a while')
  clock += limits.feedLingerMs + 1
  await kuji.draw('p')
  assert.equal(await canWatch(lsn + 1), 'INVALID', 'and no longer')
  await kuji.close()
})
