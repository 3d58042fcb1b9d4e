import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KujiError } from '@kuji/engine/contract'
import { createKey, hashKey } from '../src/access/api-key.ts'
import { KeyAccess } from '../src/access/key-access.ts'

/** A key with a limit, on a clock that stands still unless it is moved. */
function withLimit(requestsPerSecond: number, burst: number) {
  const key = createKey()
  const clock = { ms: 5_000 }
  const limit = { requestsPerSecond, burst }
  const apiKey = { name: 'shop', hash: hashKey(key), scopes: new Set(['draw'] as const), limit }
  const access = new KeyAccess([apiKey], () => clock.ms)
  const admit = (requests = 1) => access.authenticate(key).admit(requests)
  /** How many requests pass, one after the other, at this moment. */
  const passing = () => {
    let count = 0
    while (admit() === null) count++
    return count
  }
  return { clock, admit, passing }
}

test('a burst passes, and then as many as the time that has gone by brings', () => {
  const { clock, passing } = withLimit(10, 25)
  assert.equal(passing(), 25)
  for (const [ms, expected] of [
    [0, 0],
    [99, 0],
    [1, 1],
    [250, 2],
    [50, 1],
    [1000, 10],
    [3_600_000, 25],
  ] as const) {
    clock.ms += ms
    assert.equal(passing(), expected, `after ${ms} ms`)
  }
})

test('the refusal says after how many whole seconds to come back, and then a request passes', () => {
  for (const [requestsPerSecond, seconds] of [
    [1, 1],
    [1000, 1],
  ] as const) {
    const { clock, admit, passing } = withLimit(requestsPerSecond, 3)
    assert.equal(passing(), 3)
    const refusal = admit()
    assert.ok(refusal instanceof KujiError)
    assert.equal(refusal.code, 'LIMIT_REACHED')
    assert.deepEqual(refusal.fields, { retryAfterSeconds: seconds })
    clock.ms += seconds * 1000
    assert.equal(admit(), null)
  }
})

test('requests that come together pass together or not at all', () => {
  const { clock, admit } = withLimit(10, 10)
  assert.equal(admit(6), null)
  const refusal = admit(6)
  assert.equal(refusal?.fields.retryAfterSeconds, 1)
  assert.equal(admit(4), null, 'the refused ones took nothing')
  clock.ms += 10_000
  assert.equal(admit(50), null, 'more than ever fit take all there is')
  assert.equal(admit()?.code, 'LIMIT_REACHED')
})
