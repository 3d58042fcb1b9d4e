import assert from 'node:assert/strict'
import { constants } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { NodeDisk, NodeFile } from '../src/disk/node-disk.ts'
import type { SystemCalls } from '../src/disk/system-calls.ts'
import { blockingCalls, pooledCalls } from '../src/disk/system-calls.ts'
import { openIn } from '../src/open.ts'
import { filesOf } from './support/directory.ts'
import type { Call } from './support/faulty-disk.ts'
import { FaultyDisk } from './support/faulty-disk.ts'
import { sample } from './support/starts.ts'
import { temporaryDirectory } from './support/temporary.ts'
import { testWorld } from './support/world.ts'

const isSnapshot = (name: string): boolean => name.startsWith('snapshot')

/**
 * What a crash of the machine may undo is every change of a file or directory since its last sync, in any choice of
 * them. No test here can cut the power; these look at the order of the calls.
 */
test('a directory that is made is synced into each of its parents', async t => {
  const parent = temporaryDirectory(t)
  const opened = new Map<number, string>()
  const synced: string[] = []
  const calls: SystemCalls = {
    ...blockingCalls,
    open: async (path, flags, mode) => {
      const descriptor = await blockingCalls.open(path, flags, mode)
      opened.set(descriptor, path)
      return descriptor
    },
    sync: async descriptor => {
      synced.push(opened.get(descriptor)!)
      await blockingCalls.sync(descriptor)
    },
  }
  const disk = new NodeDisk(calls)
  const path = join(parent, 'a', 'b', 'c')
  await disk.makeDirectory(path)
  assert.deepEqual(synced.sort(), [parent, join(parent, 'a'), dirname(path)].sort())
  synced.length = 0
  await disk.makeDirectory(path)
  assert.deepEqual(synced, [])
})

test('names are given and taken one at a time, each synced before what relies on it', async t => {
  const calls: Call[] = []
  const disk = new FaultyDisk(call => {
    calls.push(call)
    return undefined
  })
  const dir = join(temporaryDirectory(t), 'data')
  const kuji = await openIn({ dir, durability: 'sync', segmentBytes: 4096 }, testWorld(disk))
  // Larger than some files together, so that a snapshot makes several of them superfluous at once.
  const names = Array.from({ length: 40 }, (_, item) => `${item}`.padStart(60, 'a'))
  const items = names.map(id => ({ id, weight: 1, stock: 'unlimited' as const }))
  for (let k = 0; k < 5; k++) await kuji.putPool({ id: `p${k}`, items })
  for (let k = 0; k < 100; k++) await kuji.drawMany('p0', 900)
  await kuji.close()
  let unsynced: Call | null = null
  const syncedFiles = new Set<string>()
  /** What has its name in the page cache alone. */
  const named = new Set<string>()
  let removals = 0
  let lastGone = 0
  for (const call of calls) {
    const { operation, name } = call
    if (operation === 'sync') syncedFiles.add(name.replace(/^spare.*/, 'spare'))
    if (operation === 'syncDirectory' && name === 'data') {
      unsynced = null
      named.clear()
    }
    if (operation === 'rename' && /^(segment|snapshot)/.test(name)) {
      const synced = syncedFiles.delete(`${name}.tmp`) || syncedFiles.delete('spare')
      assert.ok(synced, `${name} is named before its content is durable`)
      named.add(name)
    }
    if (operation === 'open') assert.ok(!named.has(name), `${name} is written to before its name is durable`)
    // The log keeps no gap: were two gone and only the later removal durable, one would be missing in the middle.
    const leaves =
      (operation === 'remove' && /^segment-\d+\.log$/.test(name)) ||
      (operation === 'rename' && /^spare/.test(name))
    if (!leaves) continue
    removals++
    const number = Number(/\d+/.exec(name))
    assert.ok(number > lastGone, `${name} leaves behind ${lastGone}, which would have been a gap`)
    lastGone = number
    assert.ok(
      ![...named].some(isSnapshot),
      `${name} leaves before the snapshot in its place has its name for good`,
    )
    assert.equal(unsynced, null, `${name} leaves while another has not left for good`)
    unsynced = call
  }
  assert.ok(removals > 3)
})

for (const [durability, flag] of [
  ['sync', constants.O_DSYNC],
  ['os', 0],
] as const)
  test(`durability ${durability}: the log waits for the device with each write, or never`, async t => {
    /** How each log file was opened last. */
    const opened = new Map<string, number>()
    const open: SystemCalls['open'] = async (path, flags, mode) => {
      if (/segment-\d+\.log$/.test(path) && (flags & constants.O_WRONLY) !== 0) opened.set(path, flags)
      return blockingCalls.open(path, flags, mode)
    }
    const world = testWorld(new NodeDisk({ ...blockingCalls, open }))
    const dir = join(temporaryDirectory(t), 'data')
    const kuji = await openIn({ dir, durability, segmentBytes: 4096 }, world)
    await kuji.putPool({ id: 'p', items: [{ id: 'a', weight: 1, stock: 'unlimited' }] })
    for (let k = 0; k < 10; k++) await kuji.drawMany('p', 900)
    await kuji.close()
    assert.ok(opened.size > 2)
    for (const [path, flags] of opened) assert.equal(flags & constants.O_DSYNC, flag, path)
  })

test('what an earlier run left to the kernel is synced before a sync log goes on', async t => {
  const { directory } = await sample(t, { end: 'shutdown' })
  const synced = new Set<string>()
  const disk = new FaultyDisk(({ operation, name }) => {
    if (operation === 'sync') synced.add(name)
    return undefined
  })
  const segments = filesOf(directory, /^segment-\d+\.log$/)
  assert.ok(segments.length > 3)
  const kuji = await openIn({ dir: directory, durability: 'sync', segmentBytes: 4096 }, testWorld(disk))
  for (const name of segments) assert.ok(synced.has(name), name)
  await kuji.close()
})

test('a file is synced by the system, on whatever thread', async () => {
  // Only the system knows that there is no such file.
  for (const calls of [blockingCalls, pooledCalls])
    await assert.rejects(new NodeFile(calls, 2 ** 30).sync(), { code: 'EBADF', syscall: 'fsync' })
})
