import type { PlantedBug } from '../planted-bug.ts'

const disk = 'packages/engine/src/disk/disk.ts'
const snapshot = 'packages/engine/src/snapshot/snapshot.ts'
const keptKeys = 'packages/engine/src/snapshot/kept-keys.ts'
const writer = 'packages/engine/src/writer/writer.ts'
const fileLog = 'packages/engine/src/log/file-log.ts'
const maintenance = 'packages/engine/src/helper/maintenance.ts'

/** What a snapshot holds, and when it is one. */
export const bugsOfSnapshots: readonly PlantedBug[] = [
  {
    name: 'snapshot-not-synced',
    what: 'a snapshot gets its name while its bytes are in the page cache alone',
    patches: [
      {
        file: disk,
        find: 'const file = await disk.create(temporary, { dataSync: true })',
        put: "const file = await disk.create(temporary, { dataSync: !name.endsWith('.snap') })",
      },
      {
        file: disk,
        find: '    result = await write(file)\n    await file.sync()\n',
        put: "    result = await write(file)\n    if (!name.endsWith('.snap')) await file.sync()\n",
      },
    ],
    layers: ['tests', 'sim', 'crash-points'],
    tests: ['synced-before-named.test.ts'],
  },
  {
    name: 'snapshot-tells-a-later-lsn',
    what: 'a snapshot says that it holds a batch that it does not',
    patches: [{ file: snapshot, find: 'writer.u53(position.lsn)', put: 'writer.u53(position.lsn + 1)' }],
    layers: ['tests', 'sim', 'crash-points'],
    tests: ['rotation.test.ts', 'recovery-table.test.ts'],
  },
  {
    name: 'snapshot-before-its-log',
    what: 'a snapshot is made of a file whose last batch is not durable yet, as far as it can be read',
    patches: [
      {
        file: writer,
        find: "    const outcome = await this.#seal('full', this.#openHash, firstDraw, time)\n",
        put:
          "    const sealing = this.#seal('full', this.#openHash, firstDraw, time)\n" +
          '    this.#log.rotate()\n    const outcome = await sealing\n',
      },
      {
        file: writer,
        find: "    if (outcome !== 'durable') return outcome\n    this.#log.rotate()\n",
        put: "    if (outcome !== 'durable') return outcome\n",
      },
      { file: fileLog, find: '    sealed.file.close().catch(() => undefined)\n', put: '' },
      {
        file: maintenance,
        find: "if (replayer.sealed !== 'full')",
        put: "if (replayer.sealed !== 'full' && at === segmentHeaderBytes)",
      },
    ],
    layers: ['tests', 'sim', 'crash-points'],
    tests: ['rotation.test.ts'],
    quick: 'sim',
  },
  {
    name: 'snapshot-lacks-its-last-segment',
    what: 'a snapshot is written before the last segment that it is named for was replayed',
    patches: [
      {
        file: maintenance,
        find: 'while (this.#applied < number) await this.#replay(replayer, this.#applied + 1)',
        put: 'while (this.#applied < number - 1) await this.#replay(replayer, this.#applied + 1)',
      },
    ],
    layers: ['tests', 'sim', 'crash-points', 'chaos'],
    tests: ['rotation.test.ts', 'recovery-table.test.ts'],
    quick: 'sim',
  },
  {
    name: 'key-left-out-of-snapshot',
    what: 'a snapshot does not have the newest of the keys that are kept',
    patches: [
      {
        file: keptKeys,
        find: '  const [from, to] = keys.range\n  const numbers = numberEditions(state)',
        put:
          '  const [from, end] = keys.range\n' +
          '  const to = Math.max(from, end - 1)\n  const numbers = numberEditions(state)',
      },
    ],
    layers: ['tests', 'sim', 'crash-points'],
    tests: ['keys/kept-keys.test.ts', 'keys/exactly-once.test.ts'],
  },
  {
    name: 'draw-numbers-used-again',
    what: 'a start from a snapshot counts the draws of the pools that are there, and forgets those of pools deleted',
    patches: [
      {
        file: snapshot,
        find: '  if (version > 1) readKeys(reader, state)\n',
        put:
          '  if (version > 1) readKeys(reader, state)\n' +
          '  state.drawNumber = [...state.pools.values()].reduce((sum, pool) => sum + pool.drawnTotal, 0)\n',
      },
    ],
    layers: ['tests', 'sim'],
    tests: ['rotation.test.ts'],
  },
  {
    name: 'one-snapshot-kept',
    what: 'the log reaches back to the newest snapshot only, so that damage to that one is the end',
    patches: [{ file: maintenance, find: 'const snapshotsKept = 2', put: 'const snapshotsKept = 1' }],
    layers: ['tests', 'sim'],
    tests: ['recovery-table.test.ts', 'rotation.test.ts'],
  },
  {
    name: 'retired-items-left-out-of-snapshot',
    what: 'a snapshot forgets what was drawn of items that a later manifest has left out',
    patches: [
      {
        file: snapshot,
        find: 'writer.varint(pool.retired.size)\n  for (const [id, drawn] of pool.retired) {',
        put: 'writer.varint(0)\n  for (const [id, drawn] of [...pool.retired].slice(pool.retired.size)) {',
      },
    ],
    layers: ['tests', 'sim'],
    tests: ['rotation.test.ts'],
  },
  {
    name: 'units-left-counted-afresh',
    what: 'behind a start from a snapshot, what was drawn is left to be drawn again, as far as a request is judged',
    patches: [
      {
        file: snapshot,
        find: '  computeSums(pool)\n',
        put: '  computeSums(pool)\n  for (const drawn of pool.drawn) pool.left += drawn\n',
      },
    ],
    layers: ['tests', 'sim'],
    tests: ['rotation.test.ts'],
  },
  {
    name: 'helper-gives-up-for-good',
    what: 'a disk that was full once ends snapshots and archives until the next start',
    patches: [
      {
        file: 'packages/engine/src/helper/local-keeper.ts',
        find: 'this.#failed = error instanceof KujiError',
        put: 'this.#failed = error instanceof Error',
      },
    ],
    layers: ['tests', 'sim'],
    tests: ['helper/another-try.test.ts'],
  },
]
