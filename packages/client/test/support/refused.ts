import assert from 'node:assert/strict'
import { type Code, KujiError } from '../../src/index.ts'

/** Waits for a call to be refused, and returns its error. */
export async function assertRefused(call: Promise<unknown>, code: Code): Promise<KujiError> {
  const error = await call.then(
    value => assert.fail(`expected ${code}, got ${JSON.stringify(value)}`),
    (reason: unknown) => reason,
  )
  assert.ok(error instanceof KujiError, String(error))
  assert.equal(error.code, code, error.message)
  return error
}
