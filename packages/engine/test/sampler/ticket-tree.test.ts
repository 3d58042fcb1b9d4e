import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import { deterministicRandom } from '../../src/random/deterministic.ts'
import { TicketTree } from '../../src/sampler/ticket-tree.ts'
import { scriptedRandom, wordFor } from '../random/scripted-random.ts'

const countsOf = (tree: TicketTree, items: number) =>
  Array.from({ length: items }, (_, item) => tree.count(item))

/** The item that holds the ticket of a number, counted from 0 in the order of the items. */
function itemOf(counts: readonly number[], ticket: number): number {
  let item = 0
  for (let left = ticket; left >= counts[item]!; item++) left -= counts[item]!
  return item
}

/** Numbers of items around the ends of one, two and three levels of eight. */
const sizes = [1, 2, 7, 8, 9, 63, 64, 65, 511, 512, 513, 600]

suite('chances of a ticket tree', () => {
  test('every order of six tickets comes from exactly one of 720 equally likely sequences of choices', () => {
    const orders = new Set<string>()
    for (let sequence = 0; sequence < 720; sequence++) {
      // The digits of the sequence's number to the bases 6, 5 … 1 are the choices.
      const words = new Uint32Array(6)
      for (let left = 6, rest = sequence; left >= 1; rest = Math.floor(rest / left), left--) {
        words[6 - left] = wordFor(rest % left, left)
      }
      const random = scriptedRandom(words)
      const tree = new TicketTree(new Float64Array(6).fill(1))
      const order = Array.from({ length: 6 }, () => tree.take(random))
      assert.equal(tree.total, 0)
      orders.add(order.join())
    }
    assert.equal(orders.size, 720)
  })

  test('every ticket number leads to the item that holds it, for any number of levels', () => {
    for (const size of sizes) {
      const counts = Array.from({ length: size }, (_, item) => (item * 7 + size) % 4)
      const tree = new TicketTree(Float64Array.from(counts))
      const tickets = Array.from({ length: tree.total }, (_, ticket) => ticket)
      const random = scriptedRandom(Uint32Array.from(tickets, ticket => wordFor(ticket, tree.total)))
      for (const ticket of tickets) assert.equal(tree.pick(random), itemOf(counts, ticket))
    }
  })
})

suite('a ticket tree', () => {
  test('drained gives its stock, ticket for ticket', () => {
    const random = deterministicRandom(3)
    for (const size of sizes) {
      const counts = new Float64Array(size).map((_, item) => (item * 5 + 2) % 7)
      const tree = new TicketTree(counts)
      const taken = new Float64Array(size)
      for (let left = tree.total; left > 0; left--) {
        assert.equal(tree.total, left)
        taken[tree.take(random)]!++
      }
      assert.deepEqual(taken, counts)
      assert.throws(() => tree.take(random), RangeError)
      assert.throws(() => tree.pick(random), RangeError)
    }
  })

  test('takes, picks and changes as a plain list of counts does', () => {
    const step = fc.record({ kind: fc.constantFrom('take', 'pick', 'add'), at: fc.nat(), amount: fc.nat() })
    const large = fc.constantFrom(3, 1000, 2 ** 31, 2 ** 40)
    const property = fc.property(
      fc.constantFrom(...sizes),
      large,
      fc.integer(),
      fc.array(step, { maxLength: 60 }),
      (size, most, seed, steps) => {
        const source = deterministicRandom(seed)
        const counts = Array.from({ length: size }, () => source.below(most))
        const tree = new TicketTree(Float64Array.from(counts))
        const [ours, theirs] = [deterministicRandom(seed), deterministicRandom(seed)]
        for (const { kind, at, amount } of steps) {
          const total = counts.reduce((sum, count) => sum + count, 0)
          assert.equal(tree.total, total)
          if (kind === 'add') {
            const item = at % size
            const delta = amount % 2 === 0 ? amount : -(amount % (counts[item]! + 1))
            tree.add(item, delta)
            counts[item]! += delta
          } else if (total > 0) {
            const expected = itemOf(counts, theirs.below(total))
            assert.equal(kind === 'take' ? tree.take(ours) : tree.pick(ours), expected)
            if (kind === 'take') counts[expected]!--
          }
        }
        assert.deepEqual(countsOf(tree, size), counts)
      },
    )
    fc.assert(property, { seed: 1, numRuns: 500 })
  })

  test('is exact up to 2^50 tickets', () => {
    const counts = [2 ** 49, 0, 2 ** 48, 1, 2 ** 48 - 2]
    const tree = new TicketTree(Float64Array.from(counts))
    tree.add(4, 1)
    assert.equal(tree.total, 2 ** 50)
    // With 2^50 tickets a ticket owns four of the words of 52 bits: these are the two around the one ticket
    // of item 3.
    const ticket = 2 ** 49 + 2 ** 48
    const words = [ticket - 1, ticket, ticket + 1].flatMap(x => [(x * 4) / 2 ** 31, (x * 4) % 2 ** 31])
    const script = Uint32Array.from(words, (word, i) => (i % 2 === 0 ? Math.floor(word) << 11 : word << 1))
    const random = scriptedRandom(script)
    assert.deepEqual([tree.pick(random), tree.pick(random), tree.pick(random)], [2, 3, 4])
    assert.equal(tree.take(scriptedRandom(script.subarray(2))), 3)
    assert.deepEqual(countsOf(tree, 5), [2 ** 49, 0, 2 ** 48, 0, 2 ** 48 - 1])
  })

  test('refuses what it cannot hold', () => {
    for (const counts of [[2 ** 50, 1], [1.5], [-1, 2], [Number.NaN]]) {
      assert.throws(() => new TicketTree(Float64Array.from(counts)), RangeError)
    }
    const tree = new TicketTree(Float64Array.of(5, 2 ** 50 - 6))
    assert.throws(() => tree.add(0, -6), RangeError)
    assert.throws(() => tree.add(0, 2), RangeError)
    assert.throws(() => tree.add(2, 1), RangeError)
    assert.throws(() => tree.count(-1), RangeError)
    assert.deepEqual([tree.total, ...countsOf(tree, 2)], [2 ** 50 - 1, 5, 2 ** 50 - 6])
  })
})
