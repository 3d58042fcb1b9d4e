import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { Code } from '@kuji/engine/contract'
import { Double, encode, pairs, Refusal, type Reply, RespClient } from './support/resp-client.ts'
import { openDoor } from './support/resp-door.ts'

async function connect(context: TestContext) {
  const { port, kuji, meter } = await openDoor(context)
  return { client: await RespClient.open(context, port), kuji, meter }
}

/** A map of RESP3 as an object. */
function fields(reply: Reply): Record<string, Reply> {
  assert.ok(reply instanceof Map)
  return Object.fromEntries(reply)
}

function assertRefused(reply: Reply, code: Code | 'NOPROTO', message: RegExp, said = ''): void {
  assert.ok(reply instanceof Refusal, `${said}: ${JSON.stringify(reply)}`)
  assert.equal(reply.code, code, `${said}: ${reply.message}`)
  assert.match(reply.message, message, said)
}

test('DRAW answers with the draw number and then the items', async context => {
  const { client, kuji } = await connect(context)
  const first = (await client.ask('DRAW', 'summer')) as Reply[]
  assert.equal(first[0], 1)
  assert.ok(first[1] === 'diamond' || first[1] === 'mud')
  assert.equal(first.length, 2)
  const more = (await client.ask('draw', 'summer', 'count', '3')) as Reply[]
  assert.deepEqual([more[0], more.length], [2, 4])
  assert.deepEqual(await client.ask('DRAW', 'few', 'COUNT', '5', 'PARTIAL'), [5, 'last', 'last', 'last'])
  assertRefused(await client.ask('DRAW', 'few'), 'POOL_EMPTY', /few/)
  assert.equal((await kuji.pool('summer')).drawn, 4)
})

test('the largest draw of one command comes whole', async context => {
  const { client } = await connect(context)
  const reply = (await client.ask('DRAW', 'summer', 'COUNT', '10000')) as Reply[]
  assert.deepEqual([reply.length, reply[0]], [10_001, 1])
  assert.ok(reply.slice(1).every(item => item === 'diamond' || item === 'mud'))
})

test('a key gives the same draw again, and RECEIPT tells of it', async context => {
  const { client } = await connect(context)
  const words = ['DRAW', 'summer', 'COUNT', '2', 'KEY', 'order-42', 'FOR', 'user-7']
  const first = (await client.ask(...words)) as Reply[]
  assert.deepEqual(await client.ask(...words), first)
  assertRefused(await client.ask('DRAW', 'summer', 'KEY', 'order-42'), 'KEY_CONFLICT', /order-42|key/)
  const id = String(first[0])
  const receipt = pairs(await client.ask('RECEIPT', id))
  assert.deepEqual(Object.keys(receipt), ['id', 'pool', 'items', 'version', 'at', 'replayed'])
  assert.deepEqual([receipt.id, receipt.pool, receipt.items], [first[0], 'summer', first.slice(1)])
  assert.equal(receipt.replayed, 1)
  assert.equal(typeof receipt.at, 'number')
  await client.ask('HELLO', '3')
  assert.equal(fields(await client.ask('RECEIPT', id)).replayed, true)
  assertRefused(await client.ask('RECEIPT', '999'), 'DRAW_NOT_FOUND', /999/)
})

test('POOL has names and values in RESP2, a map with doubles in RESP3', async context => {
  const { client } = await connect(context)
  const pool = pairs(await client.ask('POOL', 'summer'))
  const { items, ...head } = pool
  assert.deepEqual(head, { id: 'summer', version: 1, mode: 'weighted', status: 'open', drawn: 0 })
  const [diamond, mud] = (items as Reply[]).map(pairs)
  const finite = {
    id: 'diamond',
    weight: '10',
    stock: 100_000_000,
    remaining: 100_000_000,
    held: 0,
    drawn: 0,
  }
  assert.deepEqual(diamond, { ...finite, odds: '0.1' })
  assert.deepEqual(
    [mud!.stock, mud!.remaining, mud!.metadata],
    ['unlimited', 'unlimited', '{"colour":"brown"}'],
  )
  await client.ask('HELLO', '3')
  const map = fields(await client.ask('POOL', 'summer'))
  const item = fields((map.items as Reply[])[0]!)
  assert.deepEqual([item.weight, item.odds, item.stock], [new Double(10), new Double(0.1), 100_000_000])
})

test('numbers of every size are told to the last digit', async context => {
  const { client, kuji } = await connect(context)
  const numbers = [9, 10, 999_999_999, 1_000_000_000, 1_000_000_007, 1_020_000_000, 2 ** 32, 2 ** 49]
  const items = numbers.map((stock, index) => ({ id: `i${index}`, weight: 1, stock }))
  await kuji.putPool({ id: 'sizes', items })
  const pool = pairs(await client.ask('POOL', 'sizes'))
  assert.deepEqual(
    (pool.items as Reply[]).map(item => pairs(item).stock),
    numbers,
  )
})

test('POOLS lists page by page', async context => {
  const { client } = await connect(context)
  const ids = async (...words: string[]) =>
    ((await client.ask('POOLS', ...words)) as Reply[]).map(pool => pairs(pool).id)
  assert.deepEqual(await ids(), ['few', 'summer'])
  assert.deepEqual(await ids('LIMIT', '1'), ['few'])
  assert.deepEqual(await ids('after', 'few', 'limit', '10'), ['summer'])
  assert.deepEqual(await ids('AFTER', 'summer'), [])
  const [few] = (await client.ask('POOLS')) as Reply[]
  const expected = {
    id: 'few',
    version: 1,
    mode: 'weighted',
    status: 'open',
    drawn: 0,
    items: 1,
    remaining: 3,
  }
  assert.deepEqual(pairs(few!), expected)
})

test('PUTPOOL creates and changes pools, RESTOCK adds units', async context => {
  const { client } = await connect(context)
  const put = async (json: object) => pairs(await client.ask('PUTPOOL', 'winter', JSON.stringify(json)))
  const items = [{ id: 'sledge', weight: 1, stock: 5 }]
  assert.deepEqual(await put({ items }), { id: 'winter', version: 1, created: 1, changed: 1 })
  assert.deepEqual(await put({ id: 'winter', items }), { id: 'winter', version: 1, created: 0, changed: 0 })
  const summary = pairs(await client.ask('RESTOCK', 'winter', 'sledge', '20'))
  assert.deepEqual([summary.id, summary.version, summary.remaining], ['winter', 2, 25])
})

test('the largest manifest that an argument holds is taken', async context => {
  const { client } = await connect(context)
  const items = Array.from({ length: 1100 }, (_, k) => ({
    id: `item-${k}-${'x'.repeat(16)}`,
    weight: 1,
    stock: 1,
  }))
  const json = JSON.stringify({ items })
  const padded = json.padEnd(64 * 1024)
  assert.ok(json.length > 60_000)
  assert.equal(pairs(await client.ask('PUTPOOL', 'large', padded)).created, 1)
  assert.equal((pairs(await client.ask('POOL', 'large')).items as Reply[]).length, 1100)
})

test('HELLO, CLIENT, COMMAND, INFO and the like answer as clients expect', async context => {
  const { client } = await connect(context)
  assert.equal(await client.ask('PING'), 'PONG')
  assert.equal(await client.ask('PING', 'anybody?'), 'anybody?')
  assert.equal(await client.ask('ECHO', 'é\0\r\n'), 'é\0\r\n')
  assert.equal(await client.ask('SELECT', '0'), 'OK')
  assert.equal(await client.ask('CLIENT', 'GETNAME'), null)
  assert.equal(await client.ask('CLIENT', 'SETNAME', 'till-3'), 'OK')
  assert.equal(await client.ask('CLIENT', 'GETNAME'), 'till-3')
  assert.equal(await client.ask('CLIENT', 'SETINFO', 'LIB-NAME', 'a library'), 'OK')
  assert.match((await client.ask('CLIENT', 'LIST')) as string, /^id=\d+ name=till-3 /)
  assert.equal(typeof (await client.ask('CLIENT', 'ID')), 'number')
  assert.match((await client.ask('INFO')) as string, /^# Server\r\nkuji_version:[\s\S]*\r\nloading:0\r\n/)
  assert.match((await client.ask('INFO', 'stats')) as string, /^# Stats\r\ndraws:0\r\n/)
  assert.deepEqual(await client.ask('CONFIG', 'GET', 'save'), ['save', ''])
  const count = (await client.ask('COMMAND', 'COUNT')) as number
  const names = (await client.ask('COMMAND', 'LIST')) as string[]
  assert.equal(names.length, count)
  assert.deepEqual(
    ((await client.ask('COMMAND')) as Reply[][]).map(([name]) => name),
    names,
  )
  const [draw, unknown] = (await client.ask('COMMAND', 'INFO', 'draw', 'get')) as Reply[]
  assert.deepEqual((draw as Reply[]).slice(0, 3), ['draw', -2, ['write']])
  assert.equal(unknown, null)
  assert.deepEqual(Object.keys(pairs(await client.ask('COMMAND', 'DOCS', 'draw', 'get'))), ['draw'])
  const hello = fields(await client.ask('HELLO', '3', 'SETNAME', 'till-4'))
  assert.deepEqual([hello.server, hello.proto, hello.mode, hello.role], ['kuji', 3, 'standalone', 'master'])
  assert.equal(await client.ask('CLIENT', 'GETNAME'), 'till-4')
  assert.deepEqual(await client.ask('CONFIG', 'GET', 'save'), new Map([['save', '']]))
  assert.equal(pairs(await client.ask('HELLO', '2')).proto, 2)
  assertRefused(await client.ask('HELLO', '4'), 'NOPROTO', /2 and 3/)
  assert.equal(await client.ask('RESET'), 'RESET')
  assert.equal(await client.ask('CLIENT', 'GETNAME'), null)
})

/** A command, its code, and what the message has to say. */
type Row = readonly [readonly (string | Buffer)[], Code, RegExp]

const manifest = (json: string) => ['PUTPOOL', 'new', json]
const refused: readonly Row[] = [
  [['GET', 'summer'], 'INVALID', /^unknown command 'GET'$/],
  [['x'.repeat(60_000)], 'INVALID', /^unknown command 'x{64}…'$/],
  [['bad\r\n-FORGED +OK'], 'INVALID', /^unknown command 'bad -FORGED \+OK'$/],
  [[''], 'INVALID', /^unknown command ''$/],
  [['__proto__'], 'INVALID', /^unknown command '__proto__'$/],
  [['DRAW'], 'INVALID', /^usage: DRAW pool \[COUNT n\]/],
  [['DRAW', 'nowhere'], 'POOL_NOT_FOUND', /nowhere/],
  [['DRAW', '__proto__'], 'POOL_NOT_FOUND', /__proto__/],
  [['DRAW', ''], 'POOL_NOT_FOUND', /""/],
  [['DRAW', 'a\r\nb'], 'POOL_NOT_FOUND', /"a b"/],
  [['DRAW', 'くじ'], 'POOL_NOT_FOUND', /"くじ"/],
  [['DRAW', 'x'.repeat(60_000)], 'POOL_NOT_FOUND', /^there is no pool "x{400}/],
  [['DRAW', 'summer', 'COUNT'], 'INVALID', /COUNT has no value/],
  [['DRAW', 'summer', 'COUNT', '0'], 'INVALID', /^count: .*1 to 10000/],
  [['DRAW', 'summer', 'COUNT', '10001'], 'INVALID', /^count: /],
  [['DRAW', 'summer', 'COUNT', '-1'], 'INVALID', /^count: /],
  [['DRAW', 'summer', 'COUNT', '1.0'], 'INVALID', /^count: /],
  [['DRAW', 'summer', 'COUNT', '01'], 'INVALID', /^count: /],
  [['DRAW', 'summer', 'COUNT', ' 1'], 'INVALID', /^count: /],
  [['DRAW', 'summer', 'COUNT', '1e3'], 'INVALID', /^count: /],
  [['DRAW', 'summer', 'COUNT', ''], 'INVALID', /^count: /],
  [['DRAW', 'summer', 'COUNT', '9'.repeat(30)], 'INVALID', /^count: /],
  [['DRAW', 'summer', 'COUNT', '1', 'COUNT', '2'], 'INVALID', /COUNT is there twice/],
  [['DRAW', 'summer', '3'], 'INVALID', /"3" is no option; usage: DRAW/],
  [['DRAW', 'summer', 'HOLD', '30'], 'INVALID', /HOLD is not in this version/],
  [['DRAW', 'summer', 'KEY', ''], 'INVALID', /^key: /],
  [['DRAW', 'summer', 'KEY', 'k'.repeat(256)], 'INVALID', /^key: /],
  [['DRAW', 'summer', 'KEY', Buffer.from([0xff, 0xfe])], 'INVALID', /^key: expected UTF-8/],
  [['DRAW', 'summer', 'FOR', Buffer.from([0xc3])], 'INVALID', /^recipient: expected UTF-8/],
  [['DRAW', 'few', 'COUNT', '4'], 'INSUFFICIENT_STOCK', /few/],
  [['POOL'], 'INVALID', /^usage: POOL pool$/],
  [['POOL', 'nowhere'], 'POOL_NOT_FOUND', /nowhere/],
  [['POOLS', 'LIMIT', '0'], 'INVALID', /^limit: .*1 to 1000/],
  [['POOLS', 'LIMIT', '1001'], 'INVALID', /^limit: /],
  [['POOLS', 'LIMIT'], 'INVALID', /^usage: POOLS/],
  [['POOLS', 'BEFORE', 'x'], 'INVALID', /^usage: POOLS/],
  [['POOLS', 'LIMIT', '1', 'LIMIT', '2'], 'INVALID', /^usage: POOLS/],
  [manifest('{'), 'INVALID', /^the manifest is not JSON/],
  [manifest('[]'), 'INVALID', /^json: expected an object/],
  [manifest('null'), 'INVALID', /^json: expected an object/],
  [manifest('{}'), 'INVALID', /items/],
  [manifest('{"id":"other","items":[]}'), 'INVALID', /^id: expected "new"/],
  [manifest('{"__proto__":{"items":[]}}'), 'INVALID', /__proto__/],
  [manifest('['.repeat(60_000)), 'INVALID', /nested more than 19 levels/],
  [['PUTPOOL', 'a b', '{"items":[{"id":"a","weight":1,"stock":1}]}'], 'INVALID', /^id: /],
  [['PUTPOOL', 'new', Buffer.from([0xff])], 'INVALID', /^json: expected UTF-8/],
  [['RESTOCK', 'few', 'last', '0'], 'INVALID', /^restock: /],
  [['RESTOCK', 'few', 'last', '-1'], 'INVALID', /^n: expected a whole number/],
  [['RESTOCK', 'few', 'none', '1'], 'ITEM_NOT_FOUND', /none/],
  [['RESTOCK', 'summer', 'mud', '1'], 'INVALID', /unlimited/],
  [['RECEIPT', 'x'], 'INVALID', /^id: expected a whole number/],
  [['RECEIPT', '0'], 'INVALID', /^id: /],
  [['RECEIPT', '9007199254740993'], 'INVALID', /^id: /],
  [['CONFIRM', '1'], 'INVALID', /not in this version/],
  [['RELEASE', '1'], 'INVALID', /not in this version/],
  [['SELECT', '1'], 'INVALID', /one database/],
  [['CLIENT', 'KILL', 'x'], 'INVALID', /^CLIENT: /],
  [['CLIENT', 'SETNAME', 'two words'], 'INVALID', /^name: /],
  [['CONFIG', 'SET', 'save', ''], 'INVALID', /only GET/],
  [['COMMAND', 'GETKEYS', 'DRAW'], 'INVALID', /GETKEYS/],
  [['HELLO', '3', 'AUTH', 'x'], 'INVALID', /^usage: HELLO/],
  [['ECHO'], 'INVALID', /^usage: ECHO message$/],
]

test('what is wrong with a command is told in one line, and the connection goes on', async context => {
  const { client, meter } = await connect(context)
  for (const [words, code, message] of refused)
    assertRefused(await client.ask(...words), code, message, String(words).slice(0, 80))
  assert.equal(await client.ask('PING'), 'PONG')
  const counted = [...meter.refusals.values()].reduce((sum, count) => sum + count, 0)
  assert.deepEqual([counted, meter.requests, meter.draws], [refused.length, refused.length + 1, 0])
})

test('people may type commands as lines', async context => {
  const { client } = await connect(context)
  client.write(`PUTPOOL typed '{"items": [{"id": "only", "weight": 1, "stock": 2}]}'\r\ndraw typed\nPING\r\n`)
  assert.equal(pairs(await client.read()).created, 1)
  assert.deepEqual(await client.read(), [1, 'only'])
  assert.equal(await client.read(), 'PONG')
})

test('a version of the protocol holds from its HELLO on, for pipelined commands too', async context => {
  const { client } = await connect(context)
  client.write(
    Buffer.concat(
      ['POOL few', 'HELLO 3', 'POOL few', 'HELLO 2', 'POOL few'].map(line => encode(...line.split(' '))),
    ),
  )
  const kinds: boolean[] = []
  for (let k = 0; k < 5; k++) kinds.push((await client.read()) instanceof Map)
  assert.deepEqual(kinds, [false, true, true, false, false])
})
