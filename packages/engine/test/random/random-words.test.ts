import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import { operatingSystemRandom } from '../../src/random/operating-system.ts'
import { RandomWords } from '../../src/random/random-words.ts'
import { scriptedRandom } from './scripted-random.ts'

/** Words that count up from 1 over all buffers, so that a word repeated, skipped or stale shows. */
function countingRandom(): RandomWords {
  let count = 0
  return new RandomWords(bytes => {
    const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4)
    for (let i = 0; i < words.length; i++) words[i] = ++count
  })
}

suite('words of the buffer', () => {
  test('follow each other over the ends of buffers, none repeated, none skipped', () => {
    const random = countingRandom()
    for (let expected = 1; expected <= 50_000; expected++) assert.equal(random.next32(), expected)
  })

  test('of 16 bits do too', () => {
    const random = scriptedRandom(new Uint16Array(80_000).map((_, i) => i ^ 0x5555))
    for (let i = 0; i < 80_000; i++) assert.equal(random.next16(), (i ^ 0x5555) & 0xffff)
  })

  test('of 52 bits have the upper bits of two words', () => {
    const random = scriptedRandom(Uint32Array.of(0xffffffff, 0xffffffff, 0x7ff, 1, 0x800, 2))
    assert.deepEqual([random.next52(), random.next52(), random.next52()], [2 ** 52 - 1, 0, 2 ** 31 + 1])
  })

  test('of all sizes, mixed with bulk reads, are never used twice', () => {
    const size = fc.constantFrom<2 | 4 | 8>(2, 4, 8)
    const step = fc.record({ size, bulk: fc.nat(30_000), kind: fc.nat(2) })
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 40 }), steps => {
        let fills = 0
        const random = new RandomWords(() => fills++)
        let used = 0
        for (const { size, bulk, kind } of steps) {
          const start = random.reserve(size)
          const from = (fills - 1) * 65_536 + start
          assert.equal(start % size, 0)
          assert.ok(from >= used && from - used < size, 'only bytes for the alignment are skipped')
          used = from
          if (kind === 0) {
            const end = Math.min(65_536, start + bulk * size)
            random.release(end)
            used += end - start
          } else if (size === 2) {
            random.next16()
            used += 2
          } else {
            random.next32()
            used += 4
          }
        }
      }),
      { seed: 1 },
    )
  })

  test('are overwritten when used', () => {
    const random = countingRandom()
    for (let i = 0; i < 100; i++) random.next32()
    for (let i = 0; i < 100; i++) random.next16()
    random.release(random.reserve(8) + 800)
    assert.ok(random.words.subarray(0, 350).every(word => word === 0))
    assert.equal(random.words[350], 351)
  })

  test('are not used by a fill that fails', () => {
    let broken = true
    const random = new RandomWords(bytes => {
      if (broken) throw new Error('no entropy')
      bytes.fill(7)
    })
    assert.throws(() => random.next32(), /no entropy/)
    assert.throws(() => random.below(6), /no entropy/)
    broken = false
    assert.equal(random.next16(), 0x0707)
  })

  test('of the operating system differ from one source to the next', () => {
    const [a, b] = [operatingSystemRandom(), operatingSystemRandom()]
    const seen = new Set<number>()
    for (let i = 0; i < 100; i++) seen.add(a.next52()).add(b.next52())
    assert.equal(seen.size, 200)
  })
})

suite('below', () => {
  /** The answer to one word, or undefined if it is rejected: then the next one is used, for total - 1. */
  function answerTo(word: number, total: number): number | undefined {
    const random = scriptedRandom(Uint32Array.of(word, 0xffffffff))
    const answer = random.below(total)
    return random.reserve(4) === 4 ? answer : undefined
  }

  test('up to 2^20 has floor(2^32 / total) words for every answer', () => {
    // The words whose product with the total has the upper part q are an interval. Within it the lower part
    // rises in steps of the total from less than the total, so only the interval's first word can be
    // rejected.
    const totals = [...Array(40).keys()].map(i => i + 1)
    for (const total of [...totals, 720, 1000, 65_535, 65_536, 2 ** 20 - 1, 2 ** 20]) {
      const answers = total <= 1000 ? [...Array(total).keys()] : [0, 1, 2, total >>> 1, total - 2, total - 1]
      for (const q of answers) {
        const first = Math.ceil((q * 2 ** 32) / total)
        const next = Math.ceil(((q + 1) * 2 ** 32) / total)
        const accepted = answerTo(first, total)
        assert.ok(accepted === q || accepted === undefined)
        if (first + 1 < next) assert.equal(answerTo(first + 1, total), q)
        assert.equal(answerTo(next - 1, total), q)
        const words = next - first - (accepted === undefined ? 1 : 0)
        assert.equal(words, Math.floor(2 ** 32 / total), `${words} words for ${q} of ${total}`)
      }
    }
  })

  test('above 2^20 has floor(2^52 / total) words of 52 bits for every answer', () => {
    const totals = fc.oneof(
      fc.constantFrom(2 ** 20 + 1, 2 ** 26 - 1, 2 ** 26 + 1, 2 ** 49 + 1, 2 ** 50 - 1, 2 ** 50),
      fc.integer({ min: 2 ** 20 + 1, max: 2 ** 50 }),
    )
    const property = fc.property(totals, fc.double({ min: 0, max: 1, noNaN: true }), (total, part) => {
      const share = (1n << 52n) / BigInt(total)
      for (const q of new Set([0, Math.floor(part * (total - 1)), total - 1])) {
        const first = BigInt(q) * share
        for (const x of [first, first + share - 1n]) assert.equal(pairOf(x).below(total), q)
      }
      const end = BigInt(total) * share
      for (const x of [end, (1n << 52n) - 1n]) {
        if (x < end || x >> 52n) continue
        const random = pairOf(x)
        assert.equal(random.below(total), 0, 'the zeros behind the script')
        assert.equal(random.reserve(4), 16)
      }
    })
    fc.assert(property, { seed: 1, numRuns: 2000 })
  })

  function pairOf(x: bigint): RandomWords {
    return scriptedRandom(Uint32Array.of(Number(x >> 31n) << 11, Number(x & 0x7fffffffn) << 1))
  }
})
