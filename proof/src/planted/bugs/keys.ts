import type { PlantedBug } from '../planted-bug.ts'

const decide = 'packages/engine/src/writer/decide.ts'
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
        find: '    batch.endRequest(request)\n',
        put: "    batch.endRequest({ ...request, key: '' })\n",
      },
    ],
    layers: ['tests', 'sim', 'chaos'],
    tests: [exactlyOnce],
    quick: 'sim',
  },
  {
    name: 'key-stored-after-its-draw',
    what: 'a key is stored with the next draw that has one, not with its own',
    patches: [
      {
        file: decide,
        find: "    if (request.key !== '') applyKey(this.#state, pool!, outcomes, start, given, at, request)\n",
        put:
          '    const [state, kept] = [this.#state as State & { late?: () => void }, outcomes.slice(start, start + given)]\n' +
          "    if (request.key !== '') {\n" +
          '      state.late?.()\n' +
          '      state.late = () => applyKey(state, pool!, kept, 0, given, at, request)\n' +
          '    }\n',
      },
    ],
    layers: ['tests', 'sim'],
    tests: [exactlyOnce],
    quick: 'sim',
  },
  {
    name: 'key-conflict-not-seen',
    what: 'the same key with another request is answered with the receipt of the first',
    patches: [
      {
        file: decide,
        find: 'if (keys.isSame(entry, count, request.partial, recipient)) return readReceipt(keys, entry)',
        put: 'if (keys.isSame(entry, count, request.partial, recipient) || at > 0) return readReceipt(keys, entry)',
      },
    ],
    layers: ['tests', 'sim'],
    tests: [exactlyOnce],
    quick: 'sim',
  },
  {
    name: 'expiry-by-wall-clock',
    what: 'keys are made and expire by the clock of the machine, not by the time of the log',
    patches: [
      {
        file: 'packages/engine/src/writer/writer.ts',
        find: 'this.#decider.drawFor(this.#open, pool, count, named, this.#openTime)',
        put: 'this.#decider.drawFor(this.#open, pool, count, named, this.#options.clock.now())',
      },
    ],
    layers: ['tests', 'sim'],
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
        find: 'this.#entries.size >= most ||',
        put: 'this.#entries.size > most ||',
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
        find: 'this.#entries.size >= most ||',
        put: 'this.#entries.size >= most - 1 ||',
      },
    ],
    layers: ['tests', 'sim'],
    tests: ['keys/expiry.test.ts', 'keys/key-table.test.ts'],
    quick: 'sim',
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
]
