import assert from 'node:assert/strict'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { NodeDisk } from '../src/disk/node-disk.ts'
import type { SystemCalls } from '../src/disk/system-calls.ts'
import { blockingCalls } from '../src/disk/system-calls.ts'
import { openIn } from '../src/open.ts'
import { filesOf } from './support/directory.ts'
import type { Call } from './support/faulty-disk.ts'
import { FaultyDisk } from './support/faulty-disk.ts'
import { sample } from './support/starts.ts'
import { temporaryDirectory } from './support/temporary.ts'
import { testWorld } from './support/world.ts'

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
  await kuji.putPool({ id: 'p', items: [{ id: 'a', weight: 1, stock: 'unlimited' }] })
  for (let k = 0; k < 40; k++) await kuji.drawMany('p', 900)
  await kuji.close()
  let unsynced: Call | null = null
  const syncedFiles = new Set<string>()
  let removals = 0
  for (const call of calls) {
    const { operation, name } = call
    if (operation === 'sync') syncedFiles.add(name.replace(/^spare.*/, 'spare'))
    if (operation === 'syncDirectory' && name === 'data') unsynced = null
    if (operation === 'rename' && /^(segment|snapshot)/.test(name)) {
      const synced = syncedFiles.delete(`${name}.tmp`) || syncedFiles.delete('spare')
      assert.ok(synced, `${name} is named before its content is durable`)
    }
    // The log keeps no gap: were two gone and only the later removal durable, one would be missing in the middle.
    const leaves =
      (operation === 'remove' && /^segment-\d+\.log$/.test(name)) ||
      (operation === 'rename' && /^spare/.test(name))
    if (!leaves) continue
    removals++
    assert.equal(unsynced, null, `${name} leaves while another has not left for good`)
    unsynced = call
  }
  assert.ok(removals > 3)
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
