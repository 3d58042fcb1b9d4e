import assert from 'node:assert/strict'
import type { Code } from '@kuji/engine'
import { KujiError } from '@kuji/engine'

/** The outcome of a call in one word: its code where it was refused, `done` where it was not. */
export async function codeOf(call: Promise<unknown> | (() => unknown)): Promise<Code | 'done'> {
  try {
    await (typeof call === 'function' ? call() : call)
    return 'done'
  } catch (error) {
    if (error instanceof KujiError) return error.code
    throw error
  }
}

/** The refusal itself, for looking at its message and fields. Any other end fails the test. */
export async function refusalOf(code: Code, call: Promise<unknown>): Promise<KujiError> {
  try {
    await call
  } catch (error) {
    assert.ok(error instanceof KujiError, `expected ${code}, got ${error}`)
    assert.equal(error.code, code, error.message)
    return error
  }
  assert.fail(`expected ${code}, but it was done`)
}
