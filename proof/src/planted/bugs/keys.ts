import type { PlantedBug } from '../planted-bug.ts'

const decide = 'packages/engine/src/writer/decide.ts'
const writer = 'packages/engine/src/writer/writer.ts'
const keyTable = 'packages/engine/src/keys/key-table.ts'

const exactlyOnce = 'keys/exactly-once.test.ts'

/** The same key, the same receipt, for as long as it is kept. */
export const bugsOfKeys: readonly PlantedBug[] = [
  {
    name: 'key-not-logged',
    what: 'the record of a draw does not have its key, which only memory keeps',
    patches: [
      {
        file: decide,
        find: 'batch.endRequest(request, keys.encodedKey)',
        put: "batch.endRequest({ ...request, key: '' }, null)",
      },
    ],
    layers: ['tests', 'sim', 'crash-points', 'chaos'],
    tests: ['keys/killed.test.ts'],
    quick: 'sim',
  },
  {
    name: 'key-stored-after-its-draw',
    what: 'a key is stored with the next draw that has one, not with its own',
    patches: [
      {
        file: decide,
        find:
          '      applyKey(this.#state, pool!, outcomes, start, given, at, request)\n' +
          '      batch.endRequest(request, keys.encodedKey)\n',
        put:
          '      const state = this.#state as State & { late?: () => void }\n' +
          '      const [kept, number] = [outcomes.slice(start, start + given), state.drawNumber]\n' +
          '      batch.endRequest(request, null)\n' +
          '      state.late?.()\n' +
          '      state.late = () => {\n' +
          '        const now = state.drawNumber\n' +
          '        state.drawNumber = number\n' +
          '        applyKey(state, pool!, kept, 0, given, at, request)\n' +
          '        state.drawNumber = now\n' +
          '      }\n',
      },
    ],
    layers: ['tests', 'sim', 'crash-points', 'chaos'],
    tests: [exactlyOnce],
    quick: 'sim',
  },
  {
    name: 'key-conflict-not-seen',
    what: 'the same key with another request is answered with the receipt of the first',
    patches: [
      {
        file: decide,
        find: 'if (keys.isSame(entry, request)) return',
        put: 'if (keys.isSame(entry, request) || at > 0) return',
      },
    ],
    layers: ['tests', 'sim', 'chaos'],
    tests: [exactlyOnce],
  },
  {
    name: 'expiry-by-wall-clock',
    what: 'keys are made and expire by the clock of the machine, not by the time of the log',
    patches: [
      {
        file: decide,
        find: '    request: LoggedRequest,\n    at: number,\n',
        put: '    request: LoggedRequest,\n    at: number,\n    wall: number,\n',
      },
      {
        file: decide,
        find: 'const kept = this.findKept(id, request, at)',
        put: 'const kept = this.findKept(id, request, wall)',
      },
      {
        file: decide,
        find: 'applyKey(this.#state, pool!, outcomes, start, given, at, request)',
        put: 'applyKey(this.#state, pool!, outcomes, start, given, wall, request)',
      },
      {
        file: writer,
        find: 'this.#decider.drawFor(this.#open, pool, count, named, this.#openTime)',
        put: 'this.#decider.drawFor(this.#open, pool, count, named, this.#openTime, this.#options.clock.now())',
      },
    ],
    layers: ['tests', 'sim', 'chaos'],
    tests: ['keys/expiry.test.ts'],
    quick: 'sim',
  },
  {
    name: 'keys-never-expire',
    what: 'a key is kept beyond its time, as long as there is room',
    patches: [
      {
        file: keyTable,
        find: 'return this.#entries.timeOf(position) + this.policy!.retentionMs <= time',
        put: 'return this.#entries.timeOf(position) + this.policy!.retentionMs * 1e6 <= time',
      },
    ],
    layers: ['tests', 'sim'],
    tests: ['keys/expiry.test.ts'],
  },
  {
    name: 'keys-expire-early',
    what: 'a key is forgotten at nine tenths of its time',
    patches: [
      {
        file: keyTable,
        find: 'return this.#entries.timeOf(position) + this.policy!.retentionMs <= time',
        put: 'return this.#entries.timeOf(position) + this.policy!.retentionMs * 0.9 <= time',
      },
    ],
    layers: ['tests', 'sim'],
    tests: ['keys/expiry.test.ts'],
  },
  {
    name: 'one-key-too-many-kept',
    what: 'the oldest key goes one draw later than the number of keys says',
    patches: [
      {
        file: keyTable,
        find: 'this.#entries.size >= this.policy!.most',
        put: 'this.#entries.size > this.policy!.most',
      },
    ],
    layers: ['tests', 'sim'],
    tests: ['keys/expiry.test.ts', 'keys/key-table.test.ts'],
    quick: 'sim',
  },
  {
    name: 'one-key-too-few-kept',
    what: 'the oldest key goes one draw sooner than the number of keys says',
    patches: [
      {
        file: keyTable,
        find: 'this.#entries.size >= this.policy!.most',
        put: 'this.#entries.size >= this.policy!.most - 1',
      },
    ],
    layers: ['tests', 'sim'],
    tests: ['keys/expiry.test.ts', 'keys/key-table.test.ts'],
  },
  {
    name: 'keys-lost-when-index-grows',
    what: 'some keys are not found again once the index has grown',
    patches: [
      {
        file: 'packages/engine/src/keys/key-index.ts',
        find: '    return this.#old === null ? found : Math.max(found, this.#findIn(this.#old, hash))',
        put: '    return found',
      },
    ],
    layers: ['tests', 'sim'],
    tests: ['keys/key-table.test.ts'],
  },
  {
    name: 'key-texts-without-room',
    what: 'at the end of the memory of a batch, a key or a recipient is written beyond it, and cut',
    patches: [
      {
        file: 'packages/engine/src/record/batch-builder.ts',
        find: 'this.#ensure(6 + (key.length + recipient.length) * 3)',
        put: 'this.#ensure(6)',
      },
    ],
    layers: ['tests', 'sim'],
    tests: [exactlyOnce],
  },
]
