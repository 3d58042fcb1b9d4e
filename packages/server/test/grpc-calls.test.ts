import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KujiError } from '@kuji/engine/contract'
import { accessOf } from './support/doors.ts'
import { Code, connectTo, refusalOf } from './support/grpc-client.ts'
import { openDoor } from './support/grpc-door.ts'

const units = (value: number) => ({ amount: { case: 'units', value: BigInt(value) } })
const unlimited = { amount: { case: 'unlimited', value: true } }
const [open, paused, closed] = [1, 2, 3]

test('a draw answers with a receipt, and draw numbers go up without a gap', async context => {
  const { port, kuji, meter } = await openDoor(context)
  const client = connectTo(port)
  const before = Date.now()
  const first = await client.draw({ pool: 'summer', count: 10 })
  assert.equal(first.id, 1n)
  assert.equal(first.pool, 'summer')
  assert.equal(first.items.length, 10)
  assert.ok(first.items.every(item => item === 'mud' || item === 'diamond'))
  assert.equal(first.version, 1n)
  assert.equal(first.replayed, false)
  const at = Number(first.at.seconds) * 1000 + first.at.nanos / 1e6
  assert.ok(Number.isInteger(at) && at >= before - 1000 && at <= Date.now() + 1000)
  assert.equal((await client.draw({ pool: 'summer' })).id, 11n)
  assert.equal((await kuji.pool('summer')).drawn, 11)
  assert.deepEqual([meter.requests, meter.draws, meter.connections], [2, 11, 1])
})

test('the same key gives the same receipt, and another request with it is refused', async context => {
  const { port } = await openDoor(context)
  const client = connectTo(port)
  const request = { pool: 'summer', count: 3, key: 'order-42', recipient: 'user-7' }
  const first = await client.draw(request)
  const again = await client.draw(request)
  assert.deepEqual({ ...again, replayed: false }, { ...first })
  assert.equal(again.replayed, true)
  const refusal = await refusalOf(client.draw({ ...request, count: 4 }))
  assert.deepEqual([refusal.code, refusal.status], ['KEY_CONFLICT', Code.AlreadyExists])
  const found = await client.getReceipt({ id: first.id + 1n })
  assert.deepEqual({ ...found, replayed: false }, { ...first })
  assert.equal((await refusalOf(client.getReceipt({ id: 9_007_199_254_740_991n }))).code, 'DRAW_NOT_FOUND')
})

test('count is all or nothing, and partial takes what is left', async context => {
  const { port, kuji } = await openDoor(context)
  const client = connectTo(port)
  const refusal = await refusalOf(client.draw({ pool: 'few', count: 4 }))
  assert.deepEqual([refusal.code, refusal.status], ['INSUFFICIENT_STOCK', Code.FailedPrecondition])
  assert.equal((await kuji.pool('few')).drawn, 0)
  assert.deepEqual((await client.draw({ pool: 'few', count: 4, partial: true })).items, [
    'last',
    'last',
    'last',
  ])
  assert.equal((await refusalOf(client.draw({ pool: 'few', partial: true }))).code, 'POOL_EMPTY')
})

test('ten thousand items with the longest ids come in one answer', async context => {
  const { port, kuji } = await openDoor(context)
  const id = 'x'.repeat(128)
  await kuji.putPool({ id, items: [{ id, weight: 1, stock: 'unlimited' }] })
  const { items } = await connectTo(port).draw({ pool: id, count: 10_000 })
  assert.equal(items.length, 10_000)
  assert.ok(items.every(item => item === id))
})

test('a pool is put, read, listed, restocked, paused, closed and deleted', async context => {
  const { port } = await openDoor(context)
  const client = connectTo(port)
  const box = {
    id: 'box',
    mode: 2,
    items: [
      { id: 'a', stock: units(2) },
      { id: 'b', stock: units(3) },
      { id: 'extra', stock: units(1) },
    ],
    lastOne: 'extra',
  }
  const { id, version, created, changed } = await client.putPool({ pool: box })
  assert.deepEqual([id, version, created, changed], ['box', 1n, true, true])
  assert.equal((await client.putPool({ pool: box })).changed, false)
  const pool = await client.getPool({ pool: 'box' })
  assert.deepEqual([pool.mode, pool.status, pool.drawn, pool.lastOne], [2, open, 0n, 'extra'])
  const [first] = pool.items
  assert.deepEqual([first?.weight, first?.odds, first?.drawn], [undefined, 0.4, 0n])
  assert.deepEqual(first?.stock.amount, { case: 'units', value: 2n })
  const updated = await client.updateItem({ pool: 'box', item: 'a', restock: 5n, ifVersion: 1n })
  assert.deepEqual([updated.version, updated.remaining.amount], [2n, { case: 'units', value: 10n }])
  const late = await refusalOf(client.updateItem({ pool: 'box', item: 'a', restock: 5n, ifVersion: 1n }))
  assert.deepEqual([late.code, late.status], ['VERSION_CONFLICT', Code.Aborted])
  const taken = await refusalOf(client.putPool({ pool: box, ifVersion: 0n }))
  assert.equal(taken.code, 'VERSION_CONFLICT')
  assert.equal((await client.setPoolStatus({ pool: 'box', status: paused })).status, paused)
  assert.equal((await refusalOf(client.draw({ pool: 'box' }))).code, 'POOL_PAUSED')
  assert.equal((await client.setPoolStatus({ pool: 'box', status: open })).status, open)
  assert.equal((await client.draw({ pool: 'box' })).items.length, 1)
  assert.equal((await client.setPoolStatus({ pool: 'box', status: closed })).status, closed)
  assert.equal((await refusalOf(client.draw({ pool: 'box' }))).code, 'POOL_CLOSED')
  assert.equal((await refusalOf(client.setPoolStatus({ pool: 'box' }))).fields.field, 'status')
  assert.equal((await client.deletePool({ pool: 'box' })).id, 'box')
  assert.equal((await refusalOf(client.getPool({ pool: 'box' }))).code, 'POOL_NOT_FOUND')
})

test('unlimited stock, a fallback and weights keep their values', async context => {
  const { port } = await openDoor(context)
  const client = connectTo(port)
  const items = [
    { id: 'rare', weight: 0.006, stock: units(2 ** 50) },
    { id: 'common', weight: 0, stock: unlimited },
  ]
  await client.putPool({ pool: { id: 'gacha', items, fallback: 'common' } })
  await client.updateItem({ pool: 'gacha', item: 'rare', weight: 0.012 })
  const { fallback, items: found } = await client.getPool({ pool: 'gacha' })
  assert.equal(fallback, 'common')
  assert.deepEqual(
    found.map(({ weight, stock }) => [weight, stock.amount]),
    [
      [0.012, { case: 'units', value: 2n ** 50n }],
      [0, { case: 'unlimited', value: true }],
    ],
  )
})

test('the list of pools comes in pages that leave none out', async context => {
  const { port, kuji } = await openDoor(context)
  for (let index = 10; index < 33; index++)
    await kuji.putPool({ id: `page-${index}`, items: [{ id: 'a', weight: 1, stock: 1 }] })
  const client = connectTo(port)
  const seen: string[] = []
  let token = ''
  do {
    const { pools, nextPageToken } = await client.listPools({ pageSize: 10, pageToken: token })
    seen.push(...pools.map(({ id }) => id))
    token = nextPageToken
  } while (token !== '')
  const all = (await kuji.pools()).map(({ id }) => id)
  assert.deepEqual(seen, all)
  const { pools, nextPageToken } = await client.listPools({})
  assert.deepEqual([pools.length, nextPageToken], [25, ''])
  const { id, version, status, itemCount, remaining } = pools.find(found => found.id === 'summer')!
  assert.deepEqual([id, version, status, itemCount], ['summer', 1n, open, 2])
  assert.equal(remaining.amount.case, 'unlimited')
  assert.equal((await refusalOf(client.listPools({ pageSize: 1001 }))).fields.field, 'pageSize')
})

test('an error carries its code, its facts and its details in the trailers', async context => {
  const { port, meter } = await openDoor(context)
  const client = connectTo(port)
  const refusal = await refusalOf(client.draw({ pool: 'nowhere' }))
  assert.deepEqual([refusal.code, refusal.status], ['POOL_NOT_FOUND', Code.NotFound])
  assert.deepEqual(refusal.fields, { pool: 'nowhere' })
  assert.match(refusal.message, /there is no pool "nowhere"/)
  const [info] = refusal.error.details as { type: string; value: Uint8Array }[]
  assert.equal(info?.type, 'google.rpc.ErrorInfo')
  const text = Buffer.from(info!.value).toString('latin1')
  for (const part of ['POOL_NOT_FOUND', 'kuji', 'pool', 'nowhere']) assert.ok(text.includes(part), part)
  assert.deepEqual([...meter.refusals], [['POOL_NOT_FOUND', 1]])
  const odd = await refusalOf(client.draw({ pool: `${'くじ'.repeat(5000)}` }))
  assert.equal(odd.code, 'POOL_NOT_FOUND')
  assert.ok(odd.message.length < 300, 'a message is cut where a client could not take it')
  assert.ok(String(odd.fields.pool).startsWith('くじくじ'))
})

test('what waiting helps with says how long, as a header and as a detail', async context => {
  const full = new KujiError('READ_ONLY', 'the disk is full')
  const { port } = await openDoor(context, {
    engine: () => ({ drawTo: (sink, token) => sink.answer(token, full) }),
  })
  const refusal = await refusalOf(connectTo(port).draw({ pool: 'summer' }))
  assert.deepEqual([refusal.code, refusal.status], ['READ_ONLY', Code.Unavailable])
  assert.equal(refusal.retryAfter, '10')
  const types = (refusal.error.details as { type: string }[]).map(({ type }) => type)
  assert.deepEqual(types, ['google.rpc.ErrorInfo', 'google.rpc.RetryInfo'])
})

test('a defect is told without its details, which stand in the log', async context => {
  const defect = () => Promise.reject(new Error('the secret is out'))
  const { port, lines } = await openDoor(context, { engine: () => ({ pool: defect }) })
  const refusal = await refusalOf(connectTo(port).getPool({ pool: 'summer' }))
  assert.deepEqual([refusal.code, refusal.status], ['INTERNAL', Code.Internal])
  assert.ok(!refusal.message.includes('secret'))
  assert.match(lines.join(''), /the secret is out.*\/kuji\.v1\.Kuji\/GetPool failed/)
})

test('a call needs a key that is known, with the scope of what it does', async context => {
  const access = accessOf({ drawer: ['draw'], reader: ['read'], spent: ['draw'] })
  const { port } = await openDoor(context, { access })
  const tell = async (key: string | undefined, call: 'draw' | 'getPool') => {
    const client = connectTo(port, key === undefined ? {} : { key })
    const { code, status, retryAfter } = await refusalOf(client[call]({ pool: 'summer' }))
    return [code, status, retryAfter]
  }
  assert.deepEqual(await tell(undefined, 'draw'), ['UNAUTHENTICATED', Code.Unauthenticated, null])
  assert.deepEqual(await tell('wrong', 'draw'), ['UNAUTHENTICATED', Code.Unauthenticated, null])
  assert.deepEqual(await tell('reader', 'draw'), ['FORBIDDEN', Code.PermissionDenied, null])
  assert.deepEqual(await tell('drawer', 'getPool'), ['FORBIDDEN', Code.PermissionDenied, null])
  assert.deepEqual(await tell('spent', 'draw'), ['LIMIT_REACHED', Code.ResourceExhausted, '7'])
  assert.equal((await connectTo(port, { key: 'drawer' }).draw({ pool: 'summer' })).id, 1n)
  assert.equal((await connectTo(port, { key: 'reader' }).getPool({ pool: 'summer' })).drawn, 1n)
})
