import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Violation } from '../src/sim/model/violation.ts'
import { type Due, watch } from '../src/sim/watchdog.ts'
import { VirtualTime } from '../src/sim/world/virtual-time.ts'

const [one, other] = [{}, {}]
const hour = 3_600_000

/** What a watch over something says that is due like this for an hour. */
async function watched(look: (looks: number) => Due | null): Promise<Error | null> {
  const time = new VirtualTime()
  let looks = 0
  let told: Error | null = null
  watch(
    time,
    () => look(looks++),
    error => {
      told ??= error
    },
  )
  await time.run(time.wait(hour))
  assert.ok(looks > 3)
  return told
}

test('what is due for long while nothing is under way is told', async () => {
  assert.ok((await watched(() => ({ by: one, first: other }))) instanceof Violation)
  assert.ok((await watched(() => ({ by: one, first: null }))) instanceof Violation)
})

test('what goes on, waits for the disk or has nothing to do is left alone', async () => {
  assert.equal(await watched(() => null), null)
  assert.equal(await watched(() => ({ by: one, first: {} })), null)
  assert.equal(await watched(() => ({ by: {}, first: null })), null)
  assert.equal(await watched(looks => (looks % 2 === 0 ? { by: one, first: one } : null)), null)
})
