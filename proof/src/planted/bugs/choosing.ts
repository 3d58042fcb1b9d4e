import type { PlantedBug } from '../planted-bug.ts'

const words = 'packages/engine/src/random/random-words.ts'
const weightedChooser = 'packages/engine/src/sampler/weighted-chooser.ts'

const samplers = ['choosing.test.ts', 'sampler', 'random']

/**
 * Chances that are not the promised ones. Nothing else is wrong with what comes out, so that the simulator, which holds
 * the draws of a run against their chances, sees what is coarse.
 */
export const bugsOfChoosing: readonly PlantedBug[] = [
  {
    name: 'table-not-rebuilt-after-restock',
    what: 'an item that had run out is restocked, and is not drawn',
    patches: [
      {
        file: weightedChooser,
        find: '    this.#table = null\n    if (weights.length <= smallItems',
        put: '    if (reweighed) this.#table = null\n    if (weights.length <= smallItems',
      },
    ],
    layers: ['tests', 'sim', 'statistics'],
    tests: samplers,
  },
  {
    name: 'table-not-rebuilt-after-reweigh',
    what: 'a new weight has no effect until the table is built anew for another reason',
    patches: [
      {
        file: weightedChooser,
        find: '    if (!reweighed && before.left > 0) return\n',
        put: '    if (reweighed || before.left > 0) return\n',
      },
    ],
    layers: ['tests', 'sim', 'statistics'],
    tests: samplers,
  },
  {
    name: 'modulo-bias',
    what: 'tickets are drawn by the remainder of 16 random bits',
    patches: [
      {
        file: words,
        find: '    let word = this.nextSigned32()\n    let low',
        put:
          '    if (total > 256 && total < 2 ** 16) return this.next16() % total\n' +
          '    let word = this.nextSigned32()\n    let low',
      },
    ],
    layers: ['tests', 'statistics'],
    tests: samplers,
  },
  {
    name: 'last-ticket-never-first',
    what: 'the last item of an urn comes only when its tickets are all that is left',
    patches: [
      {
        file: words,
        find: '    return ((word >>> 0) * total * 2 ** -32) | 0\n',
        put: '    return ((word >>> 0) * Math.max(1, total - 1) * 2 ** -32) | 0\n',
      },
    ],
    layers: ['tests', 'statistics'],
    tests: samplers,
  },
  {
    name: 'fallback-takes-no-share',
    what: 'the share of an item that has run out goes to all others, not to the fallback',
    patches: [
      {
        file: weightedChooser,
        find: '    if (this.#fallbackInStock()) live[fallback]! += gone\n',
        put: '    if (this.#fallbackInStock()) live[fallback]! += 0 * gone\n',
      },
    ],
    layers: ['tests', 'sim', 'statistics'],
    tests: samplers,
  },
  {
    name: 'random-words-used-twice',
    what: 'each buffer of random words holds the same words twice',
    patches: [
      {
        file: words,
        find: '      this.#fill(this.#bytes)\n',
        put:
          '      this.#fill(this.#bytes.subarray(0, bufferBytes / 2))\n' +
          '      this.#bytes.copyWithin(bufferBytes / 2, 0)\n',
      },
    ],
    layers: ['tests', 'statistics'],
    tests: samplers,
  },
]
