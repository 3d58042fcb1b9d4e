import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import type { EngineEvent } from '@kuji/engine'
import { LocalKeeper } from '../../src/helper/local-keeper.ts'
import { openIn } from '../../src/open.ts'
import { filesOf } from '../support/directory.ts'
import { eventually } from '../support/eventually.ts'
import { FaultyDisk, systemError } from '../support/faulty-disk.ts'
import { segmentBytes, segmentsOf } from '../support/starts.ts'
import { temporaryDirectory } from '../support/temporary.ts'
import { testWorld } from '../support/world.ts'

for (const [what, file] of [
  ['a snapshot', /^snapshot-\d+\.snap\.tmp$/],
  ['an archive', /\.zst\.tmp$/],
] as const)
  test(`where there is no room for ${what}, that is told, nothing goes, and the next file is another try`, async t => {
    const dir = temporaryDirectory(t)
    let full = true
    const disk = new FaultyDisk(({ operation, name }) =>
      full && operation === 'create' && file.test(name) ? { error: systemError('ENOSPC') } : undefined,
    )
    const events: EngineEvent[] = []
    const onEvent = (event: EngineEvent): number => events.push(event)
    const count = (type: string): number => events.filter(event => event.type === type).length
    const world = testWorld(disk)
    const keeper: typeof world.keeper = (start, tell) => new LocalKeeper(start, disk, world.clock, tell)
    const kuji = await openIn({ dir, durability: 'os', segmentBytes, onEvent }, { ...world, keeper })
    await kuji.putPool({ id: 'p', items: [{ id: 'a', weight: 1, stock: 'unlimited' }] })
    const drawUntil = async (come: () => boolean): Promise<void> => {
      for (let turn = 0; !come(); turn++) {
        assert.ok(turn < 1000, 'it never comes')
        await kuji.drawMany('p', 900)
        // The keeper waits for timers, which draws alone never let come.
        await new Promise(setImmediate)
      }
    }
    await drawUntil(() => count('helper-failed') >= 2)
    assert.equal(segmentsOf(dir)[0], 1, 'the log keeps all that nothing else has')
    full = false
    await drawUntil(() => count('segment-archived') >= 3)
    await eventually(() => segmentsOf(dir)[0]! > 3)
    await kuji.close()
    const archived = filesOf(join(dir, 'archive'), /^segment-\d+\.log\.zst$/)
    const all = [...archived.map(name => Number(name.slice(8, 18))), ...segmentsOf(dir)]
    assert.deepEqual(
      [...new Set(all)].sort((a, b) => a - b),
      Array.from({ length: segmentsOf(dir).at(-1)! }, (_, index) => index + 1),
    )
  })
