import { limits } from '@kuji/engine'

/** A call as a program without types may make it. */
// biome-ignore lint/suspicious/noExplicitAny: wrong types are what is tried
export type Careless = any

export type Row = [what: string, call: (kuji: Careless) => Promise<unknown>, code: string]

export const open3 = [{ id: 'a', weight: 1, stock: 3 }]
export const item = { id: 'a', weight: 1, stock: 3 }
export const deep = (levels: number): unknown => (levels === 0 ? 1 : [deep(levels - 1)])

const notTexts: unknown[] = [undefined, null, 0, true, {}, [], ['p'], Symbol('p'), 1n]
const notCounts: unknown[] = [
  0,
  -1,
  1.5,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  -0,
  '1',
  null,
  true,
  [1],
  {},
  1n,
]
const notObjects: unknown[] = [null, 1, 'count', true, [], [1]]

const draws: Row[] = [
  ...notTexts.map((id): Row => [`draw from ${typeof id}`, kuji => kuji.draw(id), 'INVALID']),
  ...notTexts.map((id): Row => [`drawMany from ${typeof id}`, kuji => kuji.drawMany(id, 1), 'INVALID']),
  ...notCounts.map((count): Row => [`draw ${String(count)}`, kuji => kuji.draw('p', { count }), 'INVALID']),
  ...notCounts.map(
    (count): Row => [`drawMany ${String(count)}`, kuji => kuji.drawMany('p', count), 'INVALID'],
  ),
  ...notObjects.map(
    (o): Row => [`draw with options ${JSON.stringify(o)}`, kuji => kuji.draw('p', o), 'INVALID'],
  ),
  ...notObjects.map(
    (o): Row => [`drawMany with options ${JSON.stringify(o)}`, k => k.drawMany('p', 1, o), 'INVALID'],
  ),
  ['drawMany without a count', kuji => kuji.drawMany('p'), 'INVALID'],
  ['draw 10,001', kuji => kuji.draw('full', { count: 10_001 }), 'INVALID'],
  ['drawMany 1,000,001', kuji => kuji.drawMany('full', 1_000_001), 'INVALID'],
  ['draw 2^53', kuji => kuji.draw('full', { count: 2 ** 53 }), 'INVALID'],
  ['an option that is not known', kuji => kuji.draw('p', { counts: 1 }), 'INVALID'],
  ['an empty key', kuji => kuji.draw('p', { key: '' }), 'INVALID'],
  ['a key of 256 characters', kuji => kuji.draw('p', { key: 'k'.repeat(256) }), 'INVALID'],
  ['a key that is half a character', kuji => kuji.draw('p', { key: 'k\ud800' }), 'INVALID'],
  ['a key that is a number', kuji => kuji.draw('p', { key: 7 }), 'INVALID'],
  ['a recipient that is none', kuji => kuji.draw('p', { recipient: null }), 'INVALID'],
  ['a key given to drawMany', kuji => kuji.drawMany('p', 1, { key: 'k' }), 'INVALID'],
  ['a receipt of no draw', kuji => kuji.receipt(0), 'INVALID'],
  ['count given to drawMany', kuji => kuji.drawMany('p', 1, { count: 1 }), 'INVALID'],
  ['partial: 1', kuji => kuji.draw('p', { partial: 1 }), 'INVALID'],
  ['partial: "false"', kuji => kuji.drawMany('p', 1, { partial: 'false' }), 'INVALID'],
  ['partial: null', kuji => kuji.draw('p', { partial: null }), 'INVALID'],
  ['no such pool', kuji => kuji.draw('absent'), 'POOL_NOT_FOUND'],
  ['an empty id', kuji => kuji.draw(''), 'POOL_NOT_FOUND'],
  ['an id of a megabyte', kuji => kuji.draw('x'.repeat(1e6)), 'POOL_NOT_FOUND'],
  ['a prototype name, no such pool', kuji => kuji.draw('__proto__'), 'POOL_NOT_FOUND'],
  ['another prototype name', kuji => kuji.drawMany('constructor', 1), 'POOL_NOT_FOUND'],
  ['an empty pool', kuji => kuji.draw('empty'), 'POOL_EMPTY'],
  ['an empty pool, partly', kuji => kuji.draw('empty', { partial: true }), 'POOL_EMPTY'],
  ['a paused pool', kuji => kuji.draw('paused'), 'POOL_PAUSED'],
  ['a closed pool', kuji => kuji.drawMany('closed', 1), 'POOL_CLOSED'],
  ['more than there is', kuji => kuji.draw('p', { count: 3 }), 'INSUFFICIENT_STOCK'],
]

const put = (what: string, manifest: unknown, code = 'INVALID'): Row => [
  `put: ${what}`,
  kuji => kuji.putPool(manifest),
  code,
]
const putItems = (what: string, items: unknown, code?: string): Row => put(what, { id: 'new', items }, code)
const putItem = (what: string, more: object, code?: string): Row =>
  putItems(what, [{ ...item, ...more }], code)
export const ownProto = (text: string): unknown => JSON.parse(text)

const badIds = ['', ' ', 'a b', '-a', '.a', ':a', 'é', 'a/b', 'a\n', 'a\0', 'x'.repeat(129), 'ａ', '\ud800']
const badStocks: unknown[] = [
  -1,
  1.5,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  2 ** 50 + 1,
  '5',
  'Unlimited',
  null,
  true,
  [],
]
const badWeights: unknown[] = [
  -1,
  0,
  -0,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  2 ** 51,
  1e300,
  '1',
  null,
  true,
  [],
]
const inexact: unknown[] = [0.1 + 0.2, 1e-10, 1.0000000001, Math.PI, 5e-324, 123456.1234567891]
const notJson: unknown[] = [
  () => 1,
  Symbol('s'),
  1n,
  Number.NaN,
  Number.NEGATIVE_INFINITY,
  new Date(0),
  new Map(),
  { a: undefined },
]

const puts: Row[] = [
  ...[...notObjects, undefined].map(value => put(`${JSON.stringify(value)}`, value)),
  ...[...badIds, ...notTexts].map(id => put(`id ${String(id).slice(0, 9)}`, { id, items: open3 })),
  ...[...badIds, ...notTexts].map(id => putItem(`item id ${String(id).slice(0, 9)}`, { id })),
  ...[undefined, null, {}, [], 'a', 1, [null], [1], ['a'], [[]], [open3]].map(value =>
    putItems(`items ${JSON.stringify(value)}`, value),
  ),
  ...[...badStocks, undefined].map(stock => putItem(`stock ${String(stock)}`, { stock })),
  ...[...badWeights, undefined].map(weight => putItem(`weight ${String(weight)}`, { weight })),
  ...inexact.map(weight => putItem(`weight ${weight}, which cannot be exact`, { weight })),
  ...notJson.map(metadata => putItem(`metadata ${String(metadata)}`, { metadata })),
  ...notJson.map(metadata => put(`metadata ${String(metadata)}`, { id: 'new', items: open3, metadata })),
  put('no id', { items: open3 }),
  put('unknown field', { id: 'new', items: open3, item: [] }),
  putItem('unknown item field', { Weight: 1 }),
  put(
    'an own field __proto__',
    ownProto('{"id":"new","items":[{"id":"a","weight":1,"stock":1}],"__proto__":{}}'),
  ),
  put('an item with an own field __proto__', {
    id: 'new',
    items: [ownProto('{"id":"a","weight":1,"stock":1,"__proto__":1}')],
  }),
  put('everything in a prototype', Object.create({ id: 'new', items: null })),
  put('mode', { id: 'new', items: open3, mode: 'Weighted' }),
  put('mode null', { id: 'new', items: open3, mode: null }),
  put('mode __proto__', { id: 'new', items: open3, mode: '__proto__' }),
  putItems('one id twice', [item, { ...item, weight: 2 }]),
  put('fallback that is no item', { id: 'new', items: open3, fallback: 'b' }),
  put('fallback __proto__', { id: 'new', items: open3, fallback: '__proto__' }),
  put('fallback null', { id: 'new', items: open3, fallback: null }),
  put('lastOne in a weighted pool', { id: 'new', items: open3, lastOne: 'a' }),
  put('fallback in an urn', { id: 'new', mode: 'urn', items: [{ id: 'a', stock: 1 }], fallback: 'a' }),
  put('unlimited tickets', { id: 'new', mode: 'urn', items: [{ id: 'a', stock: 'unlimited' }] }),
  put('a weighted ticket', { id: 'new', mode: 'urn', items: [{ id: 'a', stock: 1, weight: 2 }] }),
  put('an urn of nothing but its lastOne', {
    id: 'new',
    mode: 'urn',
    items: [{ id: 'a', stock: 1 }],
    lastOne: 'a',
  }),
  put('a pool of nothing but a fallback of weight 0', {
    id: 'new',
    items: [{ ...item, weight: 0 }],
    fallback: 'a',
  }),
  putItems('a sum of weights over its limit', [
    { ...item, weight: 2 ** 50 },
    { ...item, id: 'b' },
  ]),
  putItems('a sum over its limit once scaled', [
    { ...item, weight: 2 ** 30 },
    { ...item, id: 'b', weight: 1e-9 },
  ]),
  putItems('stock over its limit together', [
    { ...item, stock: 2 ** 50 },
    { ...item, id: 'b', stock: 1 },
  ]),
  putItem('metadata a byte too large', { metadata: 'x'.repeat(limits.metadataBytes - 1) }, 'TOO_LARGE'),
  putItem('metadata too large in UTF-8', { metadata: 'く'.repeat(limits.metadataBytes / 3) }, 'TOO_LARGE'),
  put('metadata too large', { id: 'new', items: open3, metadata: { x: 'x'.repeat(5000) } }, 'TOO_LARGE'),
  putItem('metadata a level too deep', { metadata: deep(limits.metadataDepth + 1) }),
  put(
    'metadata that contains itself',
    (() => {
      const metadata: Record<string, unknown> = {}
      metadata.self = metadata
      return { id: 'new', items: open3, metadata }
    })(),
  ),
  putItems('too many items', new Array(limits.items + 1).fill(item), 'TOO_LARGE'),
  put('less stock than was drawn', { id: 'p', items: [{ ...item, stock: 0 }] }),
  put('a closed pool', { id: 'closed', items: open3 }, 'POOL_CLOSED'),
]

const update = (what: string, change: unknown, code = 'INVALID', pool = 'p'): Row => [
  `update: ${what}`,
  kuji => kuji.updateItem(pool, 'a', change),
  code,
]
const updates: Row[] = [
  ...[...notObjects, undefined].map(value => update(JSON.stringify(value), value)),
  ...notCounts.map(restock => update(`restock ${String(restock)}`, { restock })),
  ...[-1, Number.NaN, Number.POSITIVE_INFINITY, '1', null, 0, ...inexact].map(weight =>
    update(`weight ${weight}`, { weight }),
  ),
  ...notTexts.map(
    (id): Row => [`update of pool ${typeof id}`, kuji => kuji.updateItem(id, 'a', { restock: 1 }), 'INVALID'],
  ),
  ...notTexts.map(
    (id): Row => [`update of item ${typeof id}`, kuji => kuji.updateItem('p', id, { restock: 1 }), 'INVALID'],
  ),
  update('nothing', {}),
  update('undefined fields', { restock: undefined, weight: undefined }),
  update('unknown field', { restock: 1, stock: 3 }),
  update('an own field __proto__', ownProto('{"restock":1,"__proto__":1}')),
  update('restock over the limit', { restock: 2 ** 50 }),
  update('restock beyond the limit', { restock: 2 ** 50 + 1 }),
  update('restock of what is unlimited', { restock: 1 }, 'INVALID', 'full'),
  update('weight of a ticket', { weight: 2 }, 'INVALID', 'urn'),
  update('weight 0 of what is no fallback', { weight: 0 }, 'INVALID', 'backed'),
  update('weights over the limit together', { weight: 2 ** 50, restock: 1 }, 'done', 'p'),
  update('no such pool', { restock: 1 }, 'POOL_NOT_FOUND', 'absent'),
  update('no such pool, prototype name', { restock: 1 }, 'POOL_NOT_FOUND', '__proto__'),
  update('a closed pool', { restock: 1 }, 'POOL_CLOSED', 'closed'),
  ['no such item', kuji => kuji.updateItem('p', 'b', { restock: 1 }), 'ITEM_NOT_FOUND'],
  [
    'no such item, prototype name',
    kuji => kuji.updateItem('p', 'constructor', { restock: 1 }),
    'ITEM_NOT_FOUND',
  ],
  ['no such item of a closed pool', kuji => kuji.updateItem('closed', 'b', { restock: 1 }), 'POOL_CLOSED'],
  ['the only weight set to 0', kuji => kuji.updateItem('backed', 'b', { weight: -0.5 }), 'INVALID'],
]

const others: Row[] = (['pausePool', 'resumePool', 'closePool', 'deletePool', 'pool'] as const).flatMap(
  name => [
    ...notTexts.map((id): Row => [`${name} of ${typeof id}`, kuji => kuji[name](id), 'INVALID']),
    [`${name} of none`, kuji => kuji[name]('absent'), 'POOL_NOT_FOUND'] as Row,
    [`${name} of __proto__`, kuji => kuji[name]('__proto__'), 'POOL_NOT_FOUND'] as Row,
  ],
)

const listings: Row[] = [
  ...notObjects.map((o): Row => [`pools with ${JSON.stringify(o)}`, kuji => kuji.pools(o), 'INVALID']),
  ...notCounts.map(
    (limit): Row => [`pools, limit ${String(limit)}`, kuji => kuji.pools({ limit }), 'INVALID'],
  ),
  ['pools, limit over a million', kuji => kuji.pools({ limit: 1_000_001 }), 'INVALID'],
  ...[null, 1, {}, []].map(
    (after): Row => [`pools after ${JSON.stringify(after)}`, k => k.pools({ after }), 'INVALID'],
  ),
  ['pools, unknown field', kuji => kuji.pools({ offset: 1 }), 'INVALID'],
]

export const rows: Row[] = [
  ...draws,
  ...puts,
  ...updates.filter(([, , code]) => code !== 'done'),
  ...others,
  ...listings,
]
