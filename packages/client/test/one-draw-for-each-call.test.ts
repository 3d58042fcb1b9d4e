import assert from 'node:assert/strict'
import { test } from 'node:test'
import { serve } from '../../server/test/support/processes.ts'
import { KujiClient, type LogEvent, type Receipt } from '../src/index.ts'
import type { Mishap } from './support/hostile-proxy.ts'
import { assertRefused } from './support/refused.ts'
import { serveBehindTrouble } from './support/served-pools.ts'

const mishaps: readonly Mishap[] = [
  'lost on the way there',
  'lost on the way back',
  'half an answer',
  'garbage',
  'silence',
  'gateway timeout',
  'overloaded',
  'unavailable',
]
const tookPlace = new Set<Mishap>([
  'lost on the way back',
  'half an answer',
  'garbage',
  'silence',
  'gateway timeout',
])

/** Draw numbers have no gap: as many draws as calls, and each call has its own. */
async function assertOneEach(direct: KujiClient, receipts: readonly Receipt[]): Promise<void> {
  const { drawn } = await direct.pool('open')
  const numbers = receipts.flatMap(({ id, items }) => items.map((_, index) => id + index))
  numbers.sort((a, b) => a - b)
  assert.deepEqual(
    numbers,
    Array.from({ length: drawn }, (_, index) => index + 1),
  )
}

test('a call draws once, whatever happens to its first try', async context => {
  const { client, direct, proxy } = await serveBehindTrouble(context)
  const impatient = new KujiClient({ url: proxy.url, timeoutMs: 120_000, tryTimeoutMs: 2_000, retries: 50 })
  const receipts: Receipt[] = []
  for (const mishap of mishaps) {
    const before = proxy.seen.length
    proxy.plan(mishap)
    const by = mishap === 'silence' ? impatient : client
    const receipt = await by.draw('open', { count: 2, recipient: 'user-7' })
    assert.equal(receipt.replayed, tookPlace.has(mishap), mishap)
    assert.equal(receipt.items.length, 2)
    const tries = proxy.seen.slice(before)
    // Whoever waits for two seconds alone may give up on an answer that is on its way.
    if (mishap === 'silence') assert.ok(tries.length >= 2)
    else assert.equal(tries.length, 2, mishap)
    for (const { body, headers } of tries) {
      assert.deepEqual(body, tries[0]?.body)
      assert.equal(headers['idempotency-key'], tries[0]?.headers['idempotency-key'])
    }
    receipts.push(receipt)
  }
  await assertOneEach(direct, receipts)
})

test('a hundred calls at once draw a hundred times through a network that loses half of them', async context => {
  // Half of the tries are lost: with ten more for each call, one of a hundred calls would come to nothing too often.
  const patience = { timeoutMs: 300_000, tryTimeoutMs: 2_000, retries: 50 }
  const { client, direct, proxy } = await serveBehindTrouble(context, patience)
  let turn = 0
  proxy.always(() => (turn++ % 2 === 0 ? 'none' : mishaps[(turn >> 1) % mishaps.length]!))
  const receipts = await Promise.all(Array.from({ length: 100 }, () => client.draw('open')))
  assert.ok(proxy.seen.length > 150)
  await assertOneEach(direct, receipts)
})

test('a server that is killed and comes back draws once for each call', async context => {
  const server = await serveBehindTrouble(context, { timeoutMs: 300_000, retries: 50 })
  const { client, proxy } = server
  proxy.plan('none', 'lost on the way back', 'none', 'half an answer')
  const calls = Array.from({ length: 20 }, () => client.draw('open'))
  await Promise.race(calls)
  await server.stop('SIGKILL')
  const { url } = await serve(context, [server.file])
  proxy.moveTo(url)
  await assertOneEach(new KujiClient({ url }), await Promise.all(calls))
})

test('where no answer ever comes, the outcome is unknown, and its key asks again', async context => {
  const { client, direct, proxy } = await serveBehindTrouble(context, { retries: 2 })
  proxy.always(() => 'lost on the way back')
  const error = await assertRefused(client.draw('open', { count: 3 }), 'OUTCOME_UNKNOWN')
  assert.equal(proxy.seen.length, 3)
  assert.equal(error.fields.pool, 'open')
  assert.equal(error.fields.tries, 3)
  const key = String(error.fields.key)
  assert.equal(proxy.seen[0]?.headers['idempotency-key'], `"${key}"`)
  proxy.always(() => 'none')
  const receipt = await client.draw('open', { count: 3, key })
  assert.equal(receipt.replayed, true)
  await assertOneEach(direct, [receipt])
})

test('a refusal that says nothing of the try before leaves the outcome unknown', async context => {
  const { client, proxy } = await serveBehindTrouble(context)
  proxy.plan('lost on the way back', 'overloaded for an hour')
  const error = await assertRefused(client.draw('open'), 'OUTCOME_UNKNOWN')
  assert.equal(error.fields.last, 'OVERLOADED')
})

test('a refusal of the pool settles what became of the try before, whose draw would be its receipt', async context => {
  const { client, direct, proxy } = await serveBehindTrouble(context)
  await direct.draw('few', { count: 3 })
  proxy.plan('lost on the way back')
  await assertRefused(client.draw('few'), 'POOL_EMPTY')
  assert.equal(proxy.seen.length, 2)
  await direct.updateItem('few', 'a', { restock: 1 })
  proxy.plan('lost on the way back')
  assert.deepEqual((await client.draw('few')).items, ['a'])
})

test('keys of the caller are sent as they are, and hold across clients', async context => {
  const { client, direct } = await serveBehindTrouble(context)
  for (const key of ['order-42', ' "quoted" \\ and spaced ', '~', 'k'.repeat(255)]) {
    const first = await client.draw('open', { key })
    assert.equal(first.replayed, false, key)
    assert.deepEqual(await direct.draw('open', { key }), { ...first, replayed: true })
    assert.deepEqual(await direct.receipt(first.id), { ...first, replayed: true })
    await assertRefused(direct.draw('open', { key, count: 2 }), 'KEY_CONFLICT')
  }
})

test('events tell of every draw once, and of a restart that they cannot reach behind', async context => {
  const server = await serveBehindTrouble(context, { retries: 50 })
  const { client, direct, proxy } = server
  const ending = new AbortController()
  const told: number[] = []
  const follow = async (events: AsyncIterable<LogEvent>) => {
    for await (const { changes } of events)
      for (const change of changes)
        if (change.type === 'draws') told.push(...change.items.map((_, index) => change.id + index))
  }
  const drawUntilTold = async (by: KujiClient) => {
    const { id } = await by.draw('open', { count: 2 })
    while (!told.includes(id + 1)) await new Promise(resolve => setTimeout(resolve, 5))
  }
  const following = follow(client.events())
  const refused = assertRefused(following, 'INVALID')
  // The first stream is open when a draw is told: those before may be too early for it.
  while (told.length === 0) await direct.draw('open')
  for (let calls = 0; calls < 5; calls++) await drawUntilTold(direct)
  await server.stop()
  const { url } = await serve(context, [server.file])
  proxy.moveTo(url)
  const { since } = (await refused).fields
  assert.equal(typeof since, 'number')
  const again = follow(client.events({ after: Number(since), signal: ending.signal }))
  const restarted = new KujiClient({ url })
  for (let calls = 0; calls < 5; calls++) await drawUntilTold(restarted)
  ending.abort()
  await again
  const { drawn } = await restarted.pool('open')
  assert.deepEqual(
    told,
    Array.from({ length: told.length }, (_, index) => drawn - told.length + 1 + index),
  )
})
