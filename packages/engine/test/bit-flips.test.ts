import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { KujiError } from '@kuji/engine'
import { openIn } from '../src/open.ts'
import { filesOf } from './support/directory.ts'
import { MemoryDisk } from './support/memory-disk.ts'
import { render } from './support/render.ts'
import { makeSample } from './support/sample-log.ts'
import { temporaryDirectory } from './support/temporary.ts'
import { testWorld } from './support/world.ts'

/**
 * One bit of the directory is wrong. It is opened right or refused with CORRUPT, never to another state. Every 101st
 * bit is tried; KUJI_BIT_STRIDE=1 tries all of them.
 */
const stride = Number(process.env.KUJI_BIT_STRIDE ?? 101)
const segmentBytes = 4096
/** Every third request is one of so many draws, with a key. */
const keyedCount = 20

async function open(disk: MemoryDisk, dir: string): Promise<string> {
  const kuji = await openIn(
    { dir, durability: 'os', segmentBytes, onEvent: () => undefined },
    testWorld(disk),
  )
  const { drawNumber, keys } = kuji.status()
  const state = `${drawNumber} ${render(await kuji.pool('p'))}`
  // Asked with a key each time: what is kept must be told as it was, what is not is drawn.
  const kept: string[] = []
  for (let place = 0; place < keys; place++) {
    const { id, items } = await kuji.draw('p', {
      count: keyedCount,
      key: `key-${place * 3}`,
      recipient: '誰か',
    })
    kept.push(`${id} ${items.join('')}`)
  }
  assert.equal(kuji.status().drawNumber, drawNumber)
  await kuji.close()
  return `${state} ${kept.join()}`
}

async function openOrRefuse(disk: MemoryDisk, dir: string): Promise<string> {
  try {
    return await open(disk, dir)
  } catch (error) {
    if (error instanceof KujiError && error.code === 'CORRUPT') return 'CORRUPT'
    throw error
  }
}

for (const end of ['idle', 'shutdown'] as const) {
  test(`one wrong bit anywhere is survived or refused, never believed: a log at ${end}`, async t => {
    const counts = Array.from({ length: 36 }, (_, k) => (k % 3 === 0 ? keyedCount : 250 + 50 * (k % 7)))
    const options = { segmentBytes, counts, end, snapshots: true, keyedUpTo: keyedCount }
    const { directory } = await makeSample(join(temporaryDirectory(t), 'data'), options)
    assert.equal(filesOf(directory, /^snapshot/).length, 2)
    const files = MemoryDisk.filesOf(directory)
    const right = await open(new MemoryDisk(files), directory)
    const ends = new Map<string, number>()
    let bit = end === 'idle' ? 0 : 50
    for (const [path, bytes] of files) {
      for (; bit < bytes.length * 8; bit += stride) {
        const wrong = bytes.slice()
        wrong[bit >> 3]! ^= 1 << (bit & 7)
        const state = await openOrRefuse(new MemoryDisk([...files, [path, wrong]]), directory)
        assert.ok(state === right || state === 'CORRUPT', `bit ${bit} of ${path}: ${state}, not ${right}`)
        ends.set(state, (ends.get(state) ?? 0) + 1)
      }
      bit -= bytes.length * 8
    }
    // Both happen: batches are refused; unused space, spare files and one bad snapshot of two are survived.
    assert.ok(
      ends.get(right)! > 100 / stride && ends.get('CORRUPT')! > 100 / stride,
      JSON.stringify([...ends]),
    )
  })
}
