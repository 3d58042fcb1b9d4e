import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PoolSummary } from '@kuji/engine/contract'
import { readLog } from './support/log-lines.ts'
import { serveSample } from './support/processes.ts'
import { assertProblem, draw, readPool, request } from './support/requests.ts'

const pools = `
durability: os
pools:
  - id: summer
    items:
      - { id: diamond, weight: 10, stock: 100 }
      - { id: mud, weight: 90, stock: unlimited }
  - { id: few, items: [{ id: a, weight: 1, stock: 3 }] }
  - { id: patched, items: [{ id: diamond, weight: 10, stock: 100 }, { id: mud, weight: 90, stock: unlimited }] }
  - { id: acted, items: [{ id: a, weight: 1, stock: 3 }] }
`

test('each request does what docs/http.md says', async context => {
  const { url, stderr, said } = await serveSample(context, pools)

  await context.test('a draw answers 201 with a receipt, and draw numbers go up without a gap', async () => {
    const before = Date.now()
    const first = await draw(url, 'summer', { count: 10 })
    assert.deepEqual(Object.keys(first), ['id', 'pool', 'items', 'version', 'at', 'replayed'])
    assert.equal(first.id, 1)
    assert.equal(first.pool, 'summer')
    assert.equal(first.items.length, 10)
    assert.equal(first.version, 1)
    assert.equal(first.replayed, false)
    assert.match(first.at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
    assert.ok(Date.parse(first.at) >= before - 1000 && Date.parse(first.at) <= Date.now() + 1000)
    assert.equal((await draw(url, 'summer')).id, first.id + 10)
    const state = await readPool(url, 'summer')
    assert.equal(state.drawn, 11)
    assert.equal(
      state.items.reduce((sum, item) => sum + item.drawn, 0),
      11,
    )
  })

  await context.test('the body of a draw may be left out, be empty, or be an empty object', async () => {
    const path = '/v1/pools/summer/draws'
    assert.equal((await request(url, 'POST', path)).status, 201)
    assert.equal(
      (await request(url, 'POST', path, undefined, { 'content-type': 'application/json' })).status,
      201,
    )
    assert.equal((await request(url, 'POST', path, {})).status, 201)
    assert.equal(
      (await request(url, 'POST', path, {}, { 'content-type': 'application/json; charset=utf-8' })).status,
      201,
    )
  })

  await context.test('count is all or nothing, and partial takes what is left', async () => {
    assertProblem(await request(url, 'POST', '/v1/pools/few/draws', { count: 4 }), 'INSUFFICIENT_STOCK')
    assert.equal((await readPool(url, 'few')).drawn, 0)
    assert.deepEqual((await draw(url, 'few', { count: 4, partial: true })).items, ['a', 'a', 'a'])
    assertProblem(await request(url, 'POST', '/v1/pools/few/draws', { partial: true }), 'POOL_EMPTY')
  })

  await context.test(
    'PUT answers 201 for a new pool, 200 for a new version or the same rules again',
    async () => {
      const rules = { items: [{ id: 'a', weight: 1, stock: 5 }] }
      const created = await request(url, 'PUT', '/v1/pools/winter', rules)
      assert.equal(created.status, 201)
      assert.equal(created.headers.get('location'), '/v1/pools/winter')
      assert.deepEqual(created.body, { id: 'winter', version: 1, created: true, changed: true })
      const same = await request(url, 'PUT', '/v1/pools/winter', { id: 'winter', ...rules })
      assert.equal(same.status, 200)
      assert.deepEqual(same.body, { id: 'winter', version: 1, created: false, changed: false })
      const other = await request(url, 'PUT', '/v1/pools/winter', {
        items: [{ id: 'a', weight: 2, stock: 5 }],
      })
      assert.equal(other.status, 200)
      assert.deepEqual(other.body, { id: 'winter', version: 2, created: false, changed: true })
    },
  )

  await context.test('PATCH restocks and reweights an item in a new version', async () => {
    const answer = await request(url, 'PATCH', '/v1/pools/patched/items/diamond', { restock: 50, weight: 30 })
    assert.equal(answer.status, 200)
    assert.equal(answer.body.version, 2)
    const [diamond] = (await readPool(url, 'patched')).items
    assert.deepEqual(diamond, {
      id: 'diamond',
      weight: 30,
      stock: 150,
      remaining: 150,
      held: 0,
      drawn: 0,
      odds: 0.25,
    })
  })

  await context.test(
    'a pool is paused, resumed, closed and deleted, each answer showing its status',
    async () => {
      const act = (path: string, method = 'POST') => request(url, method, `/v1/pools/acted${path}`)
      assert.equal((await act('/pause')).body.status, 'paused')
      assertProblem(await act('/draws'), 'POOL_PAUSED')
      assert.equal((await act('/resume')).body.status, 'open')
      assert.equal((await act('/draws')).status, 201)
      assert.equal((await act('/close')).body.status, 'closed')
      assertProblem(await act('/draws'), 'POOL_CLOSED')
      assert.equal((await act('', 'DELETE')).status, 200)
      assertProblem(await act('', 'GET'), 'POOL_NOT_FOUND')
      await said('pool deleted')
      const acts = readLog(stderr()).filter(({ pool, by }) => pool === 'acted' && by === 'anonymous')
      assert.deepEqual(
        acts.map(({ msg }) => msg),
        ['pool paused', 'pool resumed', 'pool closed', 'pool deleted'],
        'each administrative act has its line',
      )
    },
  )

  await context.test('healthz says the durability and the state', async () => {
    const { status, body } = await request(url, 'GET', '/healthz')
    assert.equal(status, 200)
    assert.equal(body.durability, 'os')
    assert.equal(body.state, 'open')
  })
})

test('the list of pools comes in pages that leave none out', async context => {
  const ids = Array.from({ length: 25 }, (_, index) => `pool-${String(index).padStart(2, '0')}`)
  const pools = ids.map(id => `  - { id: ${id}, items: [{ id: a, weight: 1, stock: 1 }] }`).join('\n')
  const { url } = await serveSample(context, `pools:\n${pools}`)
  const seen: string[] = []
  let after = ''
  for (let page = 0; page < 3; page++) {
    const { body } = await request(url, 'GET', `/v1/pools?limit=10${after}`)
    seen.push(...(body.pools as PoolSummary[]).map(({ id }) => id))
    assert.equal(body.next, page < 2 ? seen.at(-1) : undefined)
    after = `&after=${String(body.next)}`
  }
  assert.deepEqual(seen, ids)
  const whole = await request(url, 'GET', '/v1/pools')
  assert.equal((whole.body.pools as PoolSummary[]).length, 25)
  assert.deepEqual((whole.body.pools as PoolSummary[])[0], {
    id: 'pool-00',
    version: 1,
    mode: 'weighted',
    status: 'open',
    drawn: 0,
    items: 1,
    remaining: 1,
  })
})
