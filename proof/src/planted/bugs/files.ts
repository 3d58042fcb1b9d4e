import type { PlantedBug } from '../planted-bug.ts'

const disk = 'packages/engine/src/disk/disk.ts'
const segment = 'packages/engine/src/log/segment.ts'
const fileLog = 'packages/engine/src/log/file-log.ts'
const writer = 'packages/engine/src/writer/writer.ts'
const frame = 'packages/engine/src/log/frame.ts'
const appenders = {
  inline: 'packages/engine/src/log/appender.ts',
  thread: 'packages/engine/src/log/append-thread.ts',
}

/** What is on the device, under which name, and what else is in the file. */
export const bugsOfFiles: readonly PlantedBug[] = [
  {
    name: 'new-file-directory-not-synced',
    what: 'the directory is not synced when a new file has got its name',
    patches: [
      {
        file: disk,
        find: '  await disk.syncDirectory(directory)\n  return result\n',
        put: '  return result\n',
      },
    ],
    layers: ['tests', 'sim', 'crash-points'],
    tests: ['synced-before-named.test.ts'],
    quick: 'sim',
  },
  {
    name: 'recycled-file-directory-not-synced',
    what: 'the directory is not synced when a file that is used again has got its new name',
    patches: [
      {
        file: segment,
        find: 'segmentName(header.number)}`)\n  await disk.syncDirectory(directory)\n',
        put: 'segmentName(header.number)}`)\n',
      },
    ],
    layers: ['tests', 'sim'],
    tests: ['synced-before-named.test.ts'],
  },
  {
    name: 'spare-name-not-synced',
    what: 'a file that is used again gets its new header while a power cut may still give it its old name back',
    patches: [
      {
        file: segment,
        find: '  await disk.syncDirectory(directory)\n  const path',
        put: '  const path',
      },
    ],
    layers: ['tests', 'sim'],
    tests: ['synced-before-named.test.ts', 'proof/test/failed-writes.test.ts'],
  },
  {
    name: 'removals-not-synced-one-by-one',
    what: 'old segments are removed without a sync between them, so that a power cut may leave a gap',
    patches: [
      {
        file: 'packages/engine/src/helper/maintenance.ts',
        find: '      await disk.syncDirectory(directory)\n',
        put: '',
      },
    ],
    layers: ['tests', 'sim', 'crash-points'],
    tests: ['synced-before-named.test.ts'],
  },
  {
    name: 'renamed-before-synced',
    what: 'a file gets its name while its bytes are in the page cache alone',
    patches: [
      {
        file: disk,
        find: 'const file = await disk.create(temporary, { dataSync: true })',
        put: 'const file = await disk.create(temporary, { dataSync: false })',
      },
      {
        file: disk,
        find: '    result = await write(file)\n    await file.sync()\n',
        put: '    result = await write(file)\n',
      },
    ],
    layers: ['tests', 'sim', 'crash-points'],
    tests: ['synced-before-named.test.ts'],
  },
  {
    name: 'log-not-opened-for-sync',
    what: 'the log is written through the page cache, whatever the durability',
    patches: [
      {
        file: 'packages/engine/src/log/file-log.ts',
        find: 'await options.disk.open(path, { dataSync: options.dataSync })',
        put: 'await options.disk.open(path, { dataSync: false })',
      },
    ],
    layers: ['tests', 'sim', 'crash-points'],
    tests: ['synced-before-named.test.ts'],
    quick: 'sim',
  },
  {
    name: 'short-write-taken-for-whole',
    what: 'a write that took a part of its bytes is not gone on with',
    patches: [{ file: disk, find: '  while (written < bytes.length) {', put: '  if (bytes.length > 0) {' }],
    layers: ['tests', 'sim'],
    tests: ['faults.test.ts', 'real-limits.test.ts'],
  },
  {
    name: 'checksum-not-seeded',
    what: 'the checksum of a batch does not start from the identity of its file',
    patches: [
      { file: frame, find: 'crc32(batch.subarray(4), seed)', put: 'crc32(batch.subarray(4), seed & 0)' },
      {
        file: frame,
        find: 'crc32(bytes.subarray(at + 4, at + length), seed)',
        put: 'crc32(bytes.subarray(at + 4, at + length), seed & 0)',
      },
    ],
    layers: ['tests', 'sim', 'bit-flips', 'crash-points', 'chaos'],
    tests: ['recovery-table.test.ts', 'torn-batch.test.ts'],
    quick: 'sim',
  },
  {
    name: 'checksum-not-checked',
    what: 'a batch is taken for whole by its length alone',
    patches: [
      {
        file: frame,
        find: 'crc32(bytes.subarray(at + 4, at + length), seed) === readCrc(view, at) ? length : 0',
        put: 'crc32(bytes.subarray(at + 4, at + 4), seed) === readCrc(view, at) ? 0 : length',
      },
    ],
    layers: ['tests', 'sim'],
    tests: ['torn-batch.test.ts', 'proof/test/bit-flips.test.ts'],
  },
  {
    name: 'terminator-not-written',
    what: 'no zeros are written behind a batch, where a file that is used again has old ones',
    patches: [
      {
        file: appenders.inline,
        find: 'writeFully(file, batch, position)',
        put: 'writeFully(file, content, position)',
      },
      {
        file: appenders.thread,
        find: 'writeFully(file, batch, position)',
        put: 'writeFully(file, content, position)',
      },
    ],
    layers: ['tests', 'sim', 'crash-points'],
    tests: ['log/appender.test.ts', 'rotation.test.ts'],
  },
  {
    name: 'recycled-file-not-cleared',
    what: 'a file that is used again keeps what stood behind its header',
    patches: [
      {
        file: segment,
        find: 'new Uint8Array(segmentHeaderBytes + terminatorBytes)',
        put: 'new Uint8Array(segmentHeaderBytes + 0 * terminatorBytes)',
      },
    ],
    layers: ['tests', 'sim'],
    tests: ['rotation.test.ts'],
  },
  {
    name: 'segment-ended-too-soon',
    what: 'the next file is begun although the seal that ends the present one could not be written',
    patches: [
      {
        file: 'packages/engine/src/writer/writer.ts',
        find: "    this.#rotating = false\n    if (outcome !== 'durable') return outcome\n",
        put: "    this.#rotating = false\n    if (outcome !== 'durable' && time < 0) return outcome\n",
      },
    ],
    layers: ['tests', 'sim'],
    tests: ['rotation.test.ts'],
  },
  {
    name: 'lock-not-taken',
    what: 'a directory is opened that another process has open',
    patches: [
      {
        file: 'packages/engine/src/open.ts',
        find: 'const lock = await disk.lock(dir)',
        put: 'const lock = { release: async () => undefined }',
      },
    ],
    layers: ['tests', 'sim', 'chaos'],
    tests: ['one-process.test.ts'],
    mishap: 'a second server',
    quick: 'sim',
  },
  {
    name: 'sync-that-is-none',
    what: 'a sync of a file says yes, and the system was never asked',
    patches: [
      {
        file: 'packages/engine/src/disk/node-disk.ts',
        find: '    await this.#calls.sync(this.descriptor)\n',
        put: '',
      },
    ],
    layers: ['tests'],
    tests: ['synced-before-named.test.ts'],
  },
  {
    name: 'idle-log-sealed-without-end',
    what: 'an idle log is sealed again and again, for as long as nobody draws',
    patches: [
      { file: writer, find: "    if (outcome === 'durable') this.#lastSealed = this.#lsn\n", put: '' },
    ],
    layers: ['tests', 'sim'],
    tests: ['idle-log.test.ts'],
  },
  {
    name: 'seal-in-the-last-room',
    what: 'the seal of an idle log takes the room of the one that ends the file',
    patches: [
      {
        file: fileLog,
        find: '? sealBatchBytes + terminatorBytes : reserveBytes',
        put: '? terminatorBytes : reserveBytes',
      },
    ],
    layers: ['tests', 'sim'],
    tests: ['idle-log.test.ts'],
  },
]
