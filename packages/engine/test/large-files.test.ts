import { deepEqual, equal, match } from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { writeFully } from '../src/disk/disk.ts'
import { NodeDisk } from '../src/disk/node-disk.ts'
import { blockingCalls, pooledCalls } from '../src/disk/system-calls.ts'
import { decodeSnapshot } from '../src/snapshot/snapshot.ts'
import { refusalOf } from './support/codes.ts'
import { temporaryDirectory } from './support/temporary.ts'

/** More than Node reads, writes or hashes in one call. Memory that nobody writes to costs next to none. */
const bytes = 2 ** 31 + 4096

for (const [name, calls] of Object.entries({ blockingCalls, pooledCalls })) {
  test(`a file of more than 2 GiB is read and written in parts: ${name}`, async t => {
    const path = join(temporaryDirectory(t), 'file')
    writeFileSync(path, 'cut short meanwhile')
    const read = await new NodeDisk({ ...calls, size: () => bytes }).read(path)
    equal(Buffer.from(read).toString(), 'cut short meanwhile')

    const lengths: number[] = []
    const write: typeof calls.write = async (descriptor, part, position) => {
      const written = await calls.write(descriptor, part, position)
      lengths.push(written)
      return written
    }
    const file = await new NodeDisk({ ...calls, write }).open('/dev/null', { dataSync: false })
    await writeFully(file, new Uint8Array(bytes), 0)
    await file.close()
    deepEqual(lengths, [2 ** 30, 2 ** 30, 4096])
  })
}

test('a snapshot of more than 2 GiB is judged by its digest', async () => {
  const snapshot = Buffer.from(new ArrayBuffer(bytes))
  snapshot.write('KUJISNAP')
  snapshot.writeUInt32LE(2, 8)
  const decoded = new Promise(resolve => resolve(decodeSnapshot(snapshot, 'large')))
  match((await refusalOf('CORRUPT', decoded)).message, /digest does not match/)
})
