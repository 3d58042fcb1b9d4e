import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { zstdDecompressSync } from 'node:zlib'
import type { Kuji } from '@kuji/engine'
import { open } from '@kuji/engine'
import { openIn } from '../../packages/engine/src/open.ts'
import { copyOf, fingerprint } from '../../packages/engine/test/support/directory.ts'
import { temporaryDirectory } from '../../packages/engine/test/support/temporary.ts'
import { testWorld } from '../../packages/engine/test/support/world.ts'
import { cells, itemsOf } from '../src/statistics/check.ts'
import { evaluate } from '../src/statistics/design.ts'
import { type RecordedRandom, recordedRandom, wordsIn } from './support/recorded-random.ts'

const sixteen = itemsOf(new Array(16).fill(1))
const segmentBytes = 16_384

/** Every file of a directory, and what is in those that are compressed. */
function bytesOf(directory: string): Uint8Array[] {
  const files = readdirSync(directory, { recursive: true, withFileTypes: true }).filter(e => e.isFile())
  return files.flatMap(entry => {
    const bytes = new Uint8Array(readFileSync(join(entry.parentPath, entry.name)))
    return entry.name.endsWith('.zst') ? [bytes, new Uint8Array(zstdDecompressSync(bytes))] : [bytes]
  })
}

/** Pools of all kinds and draws of all kinds, over several log files, with snapshots. */
async function play(kuji: Kuji, keyed: boolean): Promise<void> {
  await kuji.putPool({ id: 'p', items: sixteen })
  await kuji.putPool({ id: 'wide', items: itemsOf(new Array(300).fill(0.000000001)) })
  await kuji.putPool({
    id: 'urn',
    mode: 'urn',
    items: [
      { id: 'a', stock: 500 },
      { id: 'b', stock: 9_500 },
    ],
  })
  for (let round = 0; round < 12; round++) {
    await kuji.drawMany('p', 4_000)
    await kuji.drawMany('wide', 2_000)
    for (let k = 0; k < 20; k++) {
      await kuji.draw('p', keyed ? { key: `order-${round}-${k}` } : { recipient: `user-${k}` })
      await kuji.draw('urn', { count: 3 })
    }
    await kuji.updateItem('p', '3', { weight: 1 + (round % 2) })
  }
}

async function played(directory: string, source: RecordedRandom, keyed: boolean): Promise<Kuji> {
  const world = { ...testWorld(), random: source.random }
  const kuji = await openIn({ dir: directory, durability: 'os', segmentBytes }, world)
  await play(kuji, keyed)
  return kuji
}

suite('the data directory of an ordinary pool', () => {
  test('tells nothing of the next draws: it and two copies draw each on their own', async context => {
    const directory = temporaryDirectory(context)
    const original = join(directory, 'original')
    const kuji = await open({ dir: original, durability: 'os', segmentBytes })
    await play(kuji, true)
    await kuji.close()
    const copies = ['a', 'b'].map(name => copyOf(original, join(directory, name)))
    assert.deepEqual(fingerprint(copies[0]!), fingerprint(copies[1]!))
    assert.ok(Object.keys(fingerprint(copies[0]!)).some(name => name.startsWith('snapshot')))
    const draws = 1_000_000
    const opened = await Promise.all([original, ...copies].map(dir => open({ dir, durability: 'os' })))
    const receipts = await Promise.all(opened.map(one => one.drawMany('p', draws)))
    // All are the same draws by number, from the same state.
    assert.equal(new Set(receipts.map(({ id }) => id)).size, 1)
    // Item 3 has twice the weight of the others after the last round.
    const weights = Array.from({ length: 16 }, (_, item) => (item === 3 ? 2 : 1))
    const design = cells(
      weights.flatMap(first => weights.map(second => first * second)),
      [0],
    )
    for (const [one, other] of [
      [0, 1],
      [0, 2],
      [1, 2],
    ] as const) {
      const counts = new Float64Array(256)
      const [first, second] = [receipts[one]!.items, receipts[other]!.items]
      for (let k = 0; k < draws; k++) counts[16 * first[k]! + second[k]!]!++
      // The operating system's own randomness: this is wrong three times in a million million runs.
      const { p, statistic } = evaluate(design, counts, draws)
      assert.ok(p > 1e-12, `draws of ${one} and ${other} depend on each other: ${statistic}, p = ${p}`)
    }
    await Promise.all(opened.map(one => one.close()))
  })

  for (const keyed of [false, true]) {
    const but = keyed ? ', but the words that made its identity and the secret of its keys' : ''
    test(`holds no word of the random source, used or ahead${but || ', but those of its identity'}`, async context => {
      const directory = join(temporaryDirectory(context), 'data')
      const source = recordedRandom(11)
      const kuji = await played(directory, source, keyed)
      for (const state of ['open', 'closed']) {
        if (state === 'closed') await kuji.close()
        const files = bytesOf(directory)
        assert.ok(existsSync(join(directory, 'archive')) && source.fills.length > 1)
        const found = wordsIn(source.fills, files)
        assert.deepEqual(found.slice(0, 4), [0, 1, 2, 3], 'the identity, at the start of each segment')
        // The secret is four words in a row, drawn when the first key came.
        const others = found.slice(4)
        assert.equal(others.length, keyed ? 4 : 0, `words ${others}`)
        if (keyed) assert.equal(others[3]! - others[0]!, 3)
      }
    })
  }

  test('is the same to the byte whatever words lie ahead', async context => {
    const directory = temporaryDirectory(context)
    const first = recordedRandom(12)
    const one = await played(join(directory, 'one'), first, true)
    const used = first.used()
    const second = recordedRandom(12, used)
    const other = await played(join(directory, 'other'), second, true)
    assert.equal(second.used(), used)
    const last = Math.floor(used / 16_384)
    assert.notDeepEqual(second.fills[last], first.fills[last], 'they do differ ahead')
    assert.deepEqual(fingerprint(join(directory, 'one')), fingerprint(join(directory, 'other')))
    // And what they draw next shows it.
    const [next, others] = await Promise.all([one.drawMany('p', 1000), other.drawMany('p', 1000)])
    assert.notDeepEqual(next.items, others.items)
    await Promise.all([one.close(), other.close()])
  })

  test('would be found out: words that are written somewhere are seen at any alignment', () => {
    const source = recordedRandom(13)
    source.random.next32()
    const fill = source.fills[0]!
    for (let shift = 0; shift < 8; shift++) {
      const file = new Uint8Array(4096)
      file.set(fill.subarray(40_000, 40_008), 1001 + shift)
      assert.deepEqual(wordsIn(source.fills, [file]), [10_000, 10_001])
      file.subarray(1001 + shift, 1009 + shift).reverse()
      assert.deepEqual(wordsIn(source.fills, [file]), [10_000, 10_001])
    }
  })
})
