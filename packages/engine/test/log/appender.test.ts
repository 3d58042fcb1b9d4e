import assert from 'node:assert/strict'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { NodeDisk, NodeFile } from '../../src/disk/node-disk.ts'
import { pooledCalls } from '../../src/disk/system-calls.ts'
import type { Appender } from '../../src/log/appender.ts'
import { InlineAppender } from '../../src/log/appender.ts'
import { checkFrame, hashBatch, readPreviousHash } from '../../src/log/frame.ts'
import { ThreadAppender } from '../../src/log/thread-appender.ts'
import { headerBytes, terminatorBytes } from '../../src/record/batch.ts'
import { runChild } from '../support/child.ts'

const directory = mkdtempSync(join(tmpdir(), 'kuji-appender-'))
after(() => rmSync(directory, { recursive: true }))
const disk = new NodeDisk(pooledCalls)
const seed = 0xfedcba98
const firstHash = Uint8Array.from({ length: 32 }, (_, i) => i)

/** A batch in a memory of its own, at an offset, with its length in the header and its terminator behind it. */
function makeBatch(bytes: number, fill: number, offset = 0): Uint8Array {
  const memory = new SharedArrayBuffer(offset + bytes + terminatorBytes)
  const batch = new Uint8Array(memory, offset, bytes + terminatorBytes)
  batch.fill(fill, headerBytes, bytes)
  new DataView(memory, offset).setUint32(4, bytes, true)
  return batch
}

async function write(appender: Appender, name: string, batches: readonly Uint8Array[]): Promise<Uint8Array> {
  const path = join(directory, name)
  const file = await disk.create(path, { dataSync: true })
  let at = 0
  for (const batch of batches) {
    await appender.append(file, seed, batch, at)
    at += batch.length - terminatorBytes
  }
  await appender.close()
  await file.close()
  return new Uint8Array(readFileSync(path))
}

const kinds: readonly [string, () => Appender][] = [
  ['on the caller’s thread', () => new InlineAppender(firstHash)],
  ['on the log’s thread', () => new ThreadAppender(firstHash)],
]
for (const [name, create] of kinds) {
  describe(`batches appended ${name}`, () => {
    test('are framed, chained and terminated', async () => {
      const batches = [makeBatch(88, 1), makeBatch(4096, 2, 64), makeBatch(300_000, 3), makeBatch(88, 4)]
      const bytes = await write(create(), 'framed', batches)
      const view = new DataView(bytes.buffer)
      let previous: Uint8Array = firstHash
      let at = 0
      for (const batch of batches) {
        const length = batch.length - terminatorBytes
        assert.equal(checkFrame(bytes, view, at, seed), length)
        assert.equal(checkFrame(bytes, view, at, seed + 1), 0, 'another file’s seed is refused')
        assert.deepEqual(Buffer.from(readPreviousHash(bytes, at)), Buffer.from(previous))
        previous = hashBatch(bytes.subarray(at, at + length))
        at += length
      }
      assert.deepEqual([...bytes.subarray(at)], new Array(terminatorBytes).fill(0))
    })

    test('may come in more memories than are kept', async () => {
      const batches = Array.from({ length: 40 }, (_, i) => makeBatch(88 + 8 * i, i))
      const again = [...batches, ...batches.slice(0, 5)]
      const bytes = await write(create(), 'memories', again)
      const view = new DataView(bytes.buffer)
      let at = 0
      for (const batch of again) {
        assert.equal(bytes[at + headerBytes], batch[headerBytes])
        at += checkFrame(bytes, view, at, seed)
      }
      assert.equal(at, bytes.length - terminatorBytes)
    })

    test('fail with the system’s error, and the appender can still be closed', async () => {
      const path = join(directory, 'read-only')
      writeFileSync(path, '')
      const descriptor = openSync(path, 'r')
      const appender = create()
      const file = new NodeFile(pooledCalls, descriptor)
      await assert.rejects(appender.append(file, seed, makeBatch(88, 1), 0), { code: 'EBADF' })
      await appender.close()
      closeSync(descriptor)
    })
  })
}

test('the log’s thread refuses memory that it cannot share', async () => {
  const appender = new ThreadAppender(firstHash)
  const file = await disk.create(join(directory, 'unshared'), { dataSync: false })
  await assert.rejects(appender.append(file, seed, new Uint8Array(96), 0), TypeError)
  await appender.close()
  await file.close()
})

for (const [name, appender] of [
  ['on the caller’s thread', 'InlineAppender'],
  ['on the log’s thread', 'ThreadAppender'],
] as const)
  test(`a short write ${name} is followed by the rest, behind it`, async () => {
    // The kernel writes up to the limit, and refuses what is to come behind it. Whoever writes the rest anywhere else
    // is not refused, and has destroyed the batch.
    const path = join(directory, appender)
    writeFileSync(path, new Uint8Array(512))
    const from = (module: string): string =>
      JSON.stringify(fileURLToPath(new URL(`../../src/${module}`, import.meta.url)))
    const { lines, stderr } = runChild(
      `
      import { openSync } from 'node:fs'
      import { NodeFile } from ${from('disk/node-disk.ts')}
      import { pooledCalls } from ${from('disk/system-calls.ts')}
      import { InlineAppender } from ${from('log/appender.ts')}
      import { ThreadAppender } from ${from('log/thread-appender.ts')}
      const batch = new Uint8Array(new SharedArrayBuffer(4096))
      batch.fill(7, ${headerBytes}, ${4096 - terminatorBytes})
      new DataView(batch.buffer).setUint32(4, ${4096 - terminatorBytes}, true)
      const file = new NodeFile(pooledCalls, openSync(${JSON.stringify(path)}, 'r+'))
      const appender = new ${appender}(new Uint8Array(32))
      console.log(await appender.append(file, 1, batch, 512).catch(error => error.code))
      await appender.close()
      console.log(Buffer.from(batch).toString('hex'))
    `,
      // In blocks of 512 bytes.
      { shell: 'ulimit -f 4' },
    )
    assert.equal((await lines.next()).value, 'EFBIG', stderr())
    const framed = Buffer.from((await lines.next()).value, 'hex')
    assert.deepEqual(readFileSync(path), Buffer.concat([Buffer.alloc(512), framed.subarray(0, 3 * 512)]))
  })

test('an appender whose thread has ended says so, and keeps nobody waiting', async () => {
  const file = await disk.create(join(directory, 'ended'), { dataSync: true })
  const appender = new ThreadAppender(firstHash)
  await appender.append(file, seed, makeBatch(88, 1), 0)
  await appender.close()
  await assert.rejects(appender.append(file, seed, makeBatch(88, 2), 88), /ended/)
  await file.close()
})
