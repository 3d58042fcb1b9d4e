import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Health } from '../src/index.ts'
import { serveBehindTrouble } from './support/served-pools.ts'

test('health has a type for all that a server tells, and nothing else', async context => {
  const { direct } = await serveBehindTrouble(context)
  await direct.draw('open')
  const health = await direct.health()
  const told: Required<Omit<Health, 'reason'>> = {
    ...{ state: 'open', durability: 'sync', drawNumber: 1, queued: 0, keys: 1, segment: 1, snapshotLsn: 0 },
    lsn: health.lsn,
    keyBytes: health.keyBytes,
    heapBytes: health.heapBytes,
    heapBytesMost: health.heapBytesMost,
    keysForgottenEarly: 0,
    oldestKeyMs: health.oldestKeyMs!,
  }
  assert.deepEqual(health, told)
  assert.ok(health.heapBytes > 0 && health.heapBytesMost > health.heapBytes)
  assert.ok(health.keyBytes > 0 && health.oldestKeyMs! >= 0)
})
