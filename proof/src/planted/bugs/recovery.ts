import type { PlantedBug } from '../planted-bug.ts'

const recover = 'packages/engine/src/recovery/recover.ts'
const replay = 'packages/engine/src/recovery/replay.ts'
const scan = 'packages/engine/src/recovery/scan.ts'

/** What a start makes of what it finds. */
export const bugsOfRecovery: readonly PlantedBug[] = [
  {
    name: 'last-batch-skipped',
    what: 'replay ends before the last batch of a segment',
    patches: [
      {
        file: scan,
        find: '    if (length === 0) return at\n    visit(at)',
        put:
          '    if (length === 0 || checkFrame(views.bytes, views.view, at + length, seed) === 0) return at\n' +
          '    visit(at)',
      },
    ],
    layers: ['tests', 'sim', 'crash-points', 'chaos'],
    tests: ['durability.test.ts'],
    quick: 'sim',
  },
  {
    name: 'applied-twice',
    what: 'replay applies the draws of a request with a key twice',
    patches: [
      {
        file: replay,
        find: '    this.draws(number, items, start, count, request)\n    if (request.key',
        put:
          '    this.draws(number, items, start, count, request)\n' +
          '    this.draws(number, items, start, count, request)\n    if (request.key',
      },
    ],
    layers: ['tests', 'sim', 'crash-points', 'chaos'],
    tests: ['keys/killed.test.ts'],
    quick: 'sim',
  },
  {
    name: 'torn-tail-not-cut',
    what: 'the log goes on behind a torn batch, not in its place',
    patches: [
      {
        file: recover,
        find: 'return { identity, state, position, current: header, end, next, snapshotLsn: this.#snapshotLsn }',
        put:
          'const torn = isTerminated(views, end) ? 0 : Math.max(8, readLength(views.view, end))\n' +
          '    const snapshotLsn = this.#snapshotLsn\n' +
          '    return { identity, state, position, current: header, end: end + torn, next, snapshotLsn }',
      },
    ],
    layers: ['tests', 'sim', 'crash-points', 'chaos'],
    tests: ['torn-batch.test.ts'],
  },
  {
    name: 'last-segment-not-written-anew',
    what: 'what a failed device may have left in the page cache alone is built upon',
    patches: [
      {
        file: recover,
        find: '      await this.#writeAnew({ header, views, end })\n',
        put: '',
      },
    ],
    layers: ['tests', 'sim'],
    tests: ['faults.test.ts', 'recovery-table.test.ts', 'torn-batch.test.ts'],
  },
  {
    name: 'ending-seal-not-written-anew',
    what: 'the same for the seal that ended the file before',
    patches: [
      {
        file: recover,
        find: '      if (end === segmentHeaderBytes && this.#ended !== null) await this.#writeAnew(this.#ended)\n',
        put: '      if (end === 0 && this.#ended !== null) await this.#writeAnew(this.#ended)\n',
      },
    ],
    layers: ['tests', 'sim'],
    tests: ['proof/test/failed-writes.test.ts'],
  },
  {
    name: 'damage-taken-for-torn',
    what: 'a bad batch is cut with all that follows, though whole batches follow',
    patches: [
      {
        file: recover,
        find: '      await this.#refuseDamage(header, views, end)\n',
        put: '      if (end < 0) await this.#refuseDamage(header, views, end)\n',
      },
    ],
    layers: ['tests', 'sim', 'bit-flips'],
    tests: ['recovery-table.test.ts', 'proof/test/bit-flips.test.ts'],
  },
  {
    name: 'seal-hash-not-checked',
    what: 'replay does not hold its state against the state hash of a seal',
    patches: [
      {
        file: replay,
        find: 'if (stateHash !== this.state.hash) {',
        put: 'if (stateHash !== stateHash + 0 * this.state.hash) {',
      },
    ],
    layers: ['tests'],
    tests: ['recovery-table.test.ts'],
    quick: 'tests',
  },
  {
    name: 'seal-of-a-later-state',
    what: 'the seal that ends a file has the state hash of what comes in the next one',
    patches: [
      {
        file: 'packages/engine/src/writer/writer.ts',
        find: "this.#seal('full', this.#openHash, firstDraw, time)",
        put: "this.#seal('full', this.#state.hash, firstDraw, time)",
      },
    ],
    layers: ['tests', 'sim'],
    tests: ['rotation.test.ts'],
  },
  {
    name: 'pool-number-given-again',
    what: 'a new pool gets the number of one that was deleted',
    patches: [
      {
        file: 'packages/engine/src/writer/decide.ts',
        find: 'const number = this.#state.nextPool\n',
        put: 'let number = 0\n      while (this.#state.byNumber.has(number)) number++\n',
      },
    ],
    layers: ['tests', 'sim'],
    tests: ['pools.test.ts', 'durability.test.ts'],
  },
]
