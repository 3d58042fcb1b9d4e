import type { PlantedBug } from '../planted-bug.ts'

const decide = 'packages/engine/src/writer/decide.ts'
const judge = 'packages/engine/src/writer/judge.ts'
const state = 'packages/engine/src/pool/state.ts'
const weightedChooser = 'packages/engine/src/sampler/weighted-chooser.ts'

/** Stock, draw numbers, versions: what a decision has to keep to. */
export const bugsOfRules: readonly PlantedBug[] = [
  {
    name: 'stock-checked-but-not-held',
    what: 'the draws of one request are each held against the stock, and not against each other',
    patches: [
      {
        file: weightedChooser,
        find: '      if (drawn[item]! + taken[item]! >= stock[item]!) {',
        put: '      if (drawn[item]! >= stock[item]!) {',
      },
    ],
    layers: ['tests', 'sim', 'chaos'],
    tests: ['choosing.test.ts'],
    quick: 'sim',
  },
  {
    name: 'refusal-uses-a-number',
    what: 'a request that is refused for lack of stock takes a draw number',
    patches: [
      {
        file: decide,
        find: '    return grantDraws(pool, count, partial)\n',
        put:
          '    const granted = grantDraws(pool, count, partial)\n' +
          "    if (granted instanceof KujiError && granted.code === 'INSUFFICIENT_STOCK') this.#state.drawNumber++\n" +
          '    return granted\n',
      },
    ],
    layers: ['tests', 'sim', 'chaos'],
    tests: ['pools.test.ts'],
    quick: 'sim',
  },
  {
    name: 'last-one-given-twice',
    what: 'the lastOne item is given with the last ticket although none is left of it',
    patches: [
      {
        file: decide,
        find: 'pool.lastOne >= 0 && count === pool.left && pool.stock[pool.lastOne]! > pool.drawn[pool.lastOne]!',
        put: 'pool.lastOne >= 0 && count === pool.left',
      },
    ],
    layers: ['tests', 'sim'],
    tests: ['choosing.test.ts'],
  },
  {
    name: 'last-one-drawn-by-chance',
    what: 'restocking the lastOne item puts tickets of it into the urn',
    patches: [
      {
        file: 'packages/engine/src/sampler/urn-chooser.ts',
        find: 'if (restock > 0 && item !== this.#lastOne) this.#tickets.add(item, restock)',
        put: 'if (restock > 0 && item !== this.#lastOne - 1e9) this.#tickets.add(item, restock)',
      },
    ],
    layers: ['tests', 'sim'],
    tests: ['choosing.test.ts'],
  },
  {
    name: 'version-not-compared',
    what: 'a change that was made for another version of a pool is carried out',
    patches: [
      {
        file: judge,
        find: 'if (ifVersion < 0 || version === ifVersion) return null',
        put: 'if (ifVersion < 0 || version === ifVersion || pool !== undefined) return null',
      },
    ],
    layers: ['tests', 'sim'],
    tests: ['keys/exactly-once.test.ts'],
    quick: 'sim',
  },
  {
    name: 'partial-leaves-one',
    what: 'a request that takes what is left leaves one unit',
    patches: [
      {
        file: judge,
        find: '  if (partial) return pool.left\n',
        put: '  if (partial) return pool.left - 1 || 1\n',
      },
    ],
    layers: ['tests', 'sim'],
    tests: ['choosing.test.ts', 'pools.test.ts'],
  },
  {
    name: 'retired-items-start-afresh',
    what: 'an item that comes back in a manifest has all its stock again',
    patches: [{ file: state, find: '  pool.retired = drawn\n', put: '  pool.retired = new Map()\n' }],
    layers: ['tests', 'sim'],
    tests: ['pools.test.ts'],
  },
  {
    name: 'paused-pool-draws',
    what: 'a pool that is paused gives draws',
    patches: [
      {
        file: judge,
        find: "  if (pool.status !== 'open') {",
        put: "  if (pool.status === 'closed') {",
      },
    ],
    layers: ['tests', 'sim', 'chaos'],
    tests: ['pools.test.ts'],
  },
  {
    name: 'items-of-the-version-before',
    what: 'receipts of single draws have the items that stood in these places before the last manifest',
    patches: [{ file: decide, find: '    this.#singles[pool.number] = undefined\n', put: '' }],
    layers: ['tests', 'sim'],
    tests: ['pools.test.ts'],
    quick: 'sim',
  },
]
