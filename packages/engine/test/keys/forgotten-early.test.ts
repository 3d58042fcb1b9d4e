import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EngineEvent } from '@kuji/engine'
import { openIn } from '../../src/open.ts'
import { temporaryDirectory } from '../support/temporary.ts'
import { worldAt } from '../support/world.ts'

const endless = { id: 'p', items: [{ id: 'a', weight: 1, stock: 'unlimited' }] } as const
const started = 1_790_000_000_000
const minute = 60_000

test('keys that go before their time are counted and told of, now and then; expired ones are not', async t => {
  let passed = 0
  const events: EngineEvent[] = []
  const keys = { retentionMs: 60 * minute, most: 10 }
  const options = {
    dir: temporaryDirectory(t),
    durability: 'os',
    segmentBytes: 65_536,
    keys,
    onEvent,
  } as const
  function onEvent(event: EngineEvent): void {
    if (event.type === 'keys-full') events.push(event)
  }
  const world = worldAt({ now: () => started + passed, elapsed: () => passed })
  let kuji = await openIn(options, world)
  await kuji.putPool(endless)
  assert.equal(kuji.status().oldestKeyMs, undefined, 'there is none')
  const draw = async (count: number): Promise<void> => {
    for (let k = 0; k < count; k++) await kuji.draw('p', { key: `${passed} ${k}` })
  }
  await draw(10)
  passed += minute
  assert.deepEqual([kuji.status().keysForgottenEarly, kuji.status().oldestKeyMs], [0, minute])
  assert.equal(events.length, 0, 'full, and nothing is lost by it')

  await draw(4)
  assert.deepEqual([kuji.status().keysForgottenEarly, kuji.status().oldestKeyMs], [4, minute])
  assert.equal(events.length, 1)
  const told = events[0]!
  assert.match(
    told.message,
    /go after 60 s instead of 3600 s, .*: no more than 10 are kept; raise keys\.most/,
  )
  assert.deepEqual([told.level, told.full, told.forgotten, told.oldestMs], ['warn', 'number', 1, minute])

  passed += 9 * minute
  await draw(1)
  assert.equal(events.length, 1, 'not for each of them')
  passed += minute
  await draw(1)
  assert.deepEqual(
    events.map(({ forgotten }) => forgotten),
    [1, 5],
    'all since it was told',
  )
  passed += 61 * minute
  await draw(8)
  assert.equal(kuji.status().keysForgottenEarly, 6)
  await kuji.close()

  kuji = await openIn(options, world)
  assert.equal(kuji.status().keysForgottenEarly, 0, 'since it was opened')
  await draw(12)
  assert.equal(kuji.status().keysForgottenEarly, 2)
  await kuji.close()
})
