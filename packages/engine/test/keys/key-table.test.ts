import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KeyEntries } from '../../src/keys/key-entries.ts'
import { KeyIndex } from '../../src/keys/key-index.ts'
import { KeyTable } from '../../src/keys/key-table.ts'

const secret = Uint8Array.from({ length: 16 }, (_, byte) => byte)
const hour = 3_600_000

function tableOf(most: number, bounds?: ConstructorParameters<typeof KeyTable>[0]): KeyTable {
  const table = new KeyTable(bounds)
  table.setPolicy({ retentionMs: hour, most, secret })
  return table
}

const itemIds = ['a', 'b', 'c']

/** Adds a draw of one item or more, with the number and the time given. */
function add(
  table: KeyTable,
  key: string,
  firstDraw: number,
  more: { readonly time?: number; readonly itemIds?: readonly string[] } = {},
  given = 1,
): void {
  const pool = { id: 'p', itemIds: more.itemIds ?? itemIds, version: 1 }
  const request = { asked: given, partial: false, key, recipient: '' }
  const outcomes = Uint8Array.from({ length: given }, (_, k) => (firstDraw + k) % 3)
  table.add(pool, request, firstDraw, more.time ?? firstDraw, outcomes, 0, given)
}

function find(table: KeyTable, key: string, time: number): number {
  const position = table.find('p', key, time)
  return position < 0 ? -1 : table.read(position).firstDraw
}

/** Entries stand in chunks: one may be begun, and one left and kept to be used again. */
const chunkBytes = 768 * 1024

test('bookkeeping takes at most 64 bytes a key, whatever the number of keys', () => {
  const table = tableOf(1_000_000)
  for (let k = 1; k <= 400_000; k++) {
    add(table, `order-${k}`, k)
    if (k % 997 === 0) {
      const each = (table.bookkeepingBytes - chunkBytes) / k
      assert.ok(each <= 64, `${each} bytes at ${k} keys`)
    }
  }
  assert.ok(table.bytes - table.bookkeepingBytes <= 400_000 + 65_536, 'and a byte for each outcome')
  for (let k = 1; k <= 400_000; k += 1001) assert.equal(find(table, `order-${k}`, k), k)
})

test('every key is found while the index moves into a larger one', () => {
  const table = tableOf(1_000_000)
  for (let k = 1; k <= 4000; k++) {
    add(table, `order-${k}`, k)
    // No multiple of the slots moved at a time, so that moves are looked at wherever they are.
    if (k % 61 === 0)
      for (let each = 1; each <= k; each++) assert.equal(find(table, `order-${each}`, k), each)
  }
})

test('a full table that forgets as many as it takes in stays as large as it is', () => {
  for (const most of [20_000, 39_000, 50_000]) {
    const table = tableOf(most)
    let worst = 0
    for (let k = 1; k <= most * 8; k++) {
      add(table, `order-${k}`, k)
      if (k > most) worst = Math.max(worst, table.bookkeepingBytes)
      assert.ok(table.size <= most)
    }
    assert.ok(worst - 2 * chunkBytes <= most * 68, `${(worst - 2 * chunkBytes) / most} bytes a key`)
    assert.equal(find(table, `order-${most * 7}`, most * 8), -1)
    assert.equal(find(table, `order-${most * 7 + 1}`, most * 8), most * 7 + 1)
    assert.equal(table.computeHash(), table.hash)
  }
})

test('no key that is added waits for more than eight others to be moved', () => {
  class CountedEntries extends KeyEntries {
    looked = 0
    override hashWord(position: number, word: number): number {
      this.looked++
      return super.hashWord(position, word)
    }
  }
  const entries = new CountedEntries()
  const index = new KeyIndex(entries)
  let worst = 0
  let all = 0
  for (let k = 0; k < 200_000; k++) {
    const hash = Uint32Array.of(Math.imul(k, 0x9e3779b1), Math.imul(k, 0x85ebca77), k, 0)
    const position = entries.add(hash, entry(k))
    entries.looked = 0
    index.add(position, hash)
    worst = Math.max(worst, entries.looked)
    all += entries.looked
  }
  assert.ok(worst <= 8 && all >= 150_000, `${worst} at once, ${all} in all`)
})

const entry = (firstDraw: number): Parameters<KeyEntries['add']>[1] => ({
  firstDraw,
  time: firstDraw,
  edition: 0,
  version: 1,
  request: 1,
  recipient: 0,
  address: 0,
})

test('hashes that share all the bits that choose a place are still told apart', () => {
  const entries = new KeyEntries()
  const index = new KeyIndex(entries)
  // The same first word and the same six bits of the second: one long row of slots that all look alike.
  const hashOf = (k: number): Uint32Array => Uint32Array.of(77, k, k * 3, 5)
  const expectAll = (from: number, to: number): void => {
    for (let k = 0; k < to; k++) assert.equal(index.find(hashOf(k)), k < from ? -1 : k)
    assert.equal(index.find(Uint32Array.of(77, from, from * 3, 6)), -1, 'the last word counts')
  }
  for (let k = 0; k < 1500; k++) index.add(entries.add(hashOf(k), entry(k)), hashOf(k))
  expectAll(0, 1500)
  for (let k = 0; k < 700; k++) {
    index.remove(entries.head)
    entries.drop()
  }
  expectAll(700, 1500)
  for (let k = 1500; k < 3000; k++) index.add(entries.add(hashOf(k), entry(k)), hashOf(k))
  expectAll(700, 3000)
})

test('of two entries under one hash the newer is found, and each is removed alone', () => {
  const entries = new KeyEntries()
  const index = new KeyIndex(entries)
  const hash = Uint32Array.of(1, 2, 3, 4)
  for (let k = 0; k < 3000; k++) {
    index.add(entries.add(hash, entry(k)), hash)
    assert.equal(index.find(hash), k)
    if (k % 3 !== 0) {
      index.remove(entries.head)
      entries.drop()
    }
  }
  while (entries.size > 1) {
    index.remove(entries.head)
    entries.drop()
    assert.equal(index.find(hash), 2999)
  }
  index.remove(entries.head)
  entries.drop()
  assert.equal(index.find(hash), -1)
})

test('outcomes keep to their bound when many small draws are followed by large ones', () => {
  const outcomeBytes = 300_000
  const table = tableOf(1_000_000, { outcomeBytes, items: 1000 })
  for (let k = 1; k <= 200_000; k++) add(table, `small-${k}`, k)
  for (let k = 0; k < 100; k++) {
    add(table, `large-${k}`, 200_001 + k * 10_000, { time: 200_000 }, 10_000)
    const [from, to] = table.range
    let bytes = 0
    for (let position = from; position < to; position++) bytes += table.read(position).request & 0x3fff
    assert.ok(bytes <= outcomeBytes + 10_000, `${bytes} bytes`)
  }
  assert.equal(find(table, 'large-0', 200_000), -1)
  assert.equal(find(table, 'large-99', 200_000), 1_190_001)
  assert.equal(table.computeHash(), table.hash)
})

test('lists of items of old versions keep to their bound', () => {
  const table = tableOf(1_000_000, { outcomeBytes: 2 ** 30, items: 1000 })
  for (let k = 0; k < 200; k++)
    add(table, `version-${k}`, k + 1, { itemIds: Array.from({ length: 100 }, (_, item) => `${k}-${item}`) })
  assert.equal(table.size, 11, 'and none goes for lists that are gone')
  assert.equal(find(table, 'version-199', 200), 200)
  assert.equal(find(table, 'version-189', 200), 190)
})

test('a draw is found by each of its numbers and by no other', () => {
  const table = tableOf(100)
  add(table, 'one', 10)
  add(table, 'many', 20, {}, 5)
  const firstOf = (draw: number): number => {
    const position = table.findDraw(draw)
    return position < 0 ? -1 : table.read(position).firstDraw
  }
  const found = Array.from({ length: 20 }, (_, k) => firstOf(8 + k))
  const none = (count: number): number[] => new Array(count).fill(-1)
  assert.deepEqual(found, [...none(2), 10, ...none(9), 20, 20, 20, 20, 20, ...none(3)])
})

test('draw numbers and times as large as they get come back as they were', () => {
  const table = tableOf(100)
  const time = 2 ** 43 - 1
  const firstDraw = Number.MAX_SAFE_INTEGER - 1
  add(table, 'k', firstDraw, { time: time - 1 })
  add(table, 'l', firstDraw + 1, { time })
  assert.equal(find(table, 'k', time), firstDraw)
  assert.deepEqual(
    [table.range[0], table.range[0] + 1].map(position => table.read(position).time),
    [time - 1, time],
  )
  assert.equal(find(table, 'k', time - 1 + hour), -1)
  assert.equal(find(table, 'l', time - 1 + hour), firstDraw + 1)
})
