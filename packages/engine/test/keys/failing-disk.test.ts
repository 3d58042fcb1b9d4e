import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { DrawOptions, Kuji, KujiError } from '@kuji/engine'
import { openIn } from '../../src/open.ts'
import { codeOf, refusalOf } from '../support/codes.ts'
import type { Call, Intercept } from '../support/faulty-disk.ts'
import { FaultyDisk, systemError } from '../support/faulty-disk.ts'
import { gate } from '../support/gate.ts'
import { temporaryDirectory } from '../support/temporary.ts'
import { testWorld } from '../support/world.ts'

const endless = { id: 'p', items: [{ id: 'a', weight: 1, stock: 'unlimited' }] } as const
const isAppend = ({ operation, name }: Call): boolean =>
  operation === 'write' && /^segment-\d+\.log$/.test(name)
const isPreparation = ({ operation, name }: Call): boolean =>
  operation === 'create' && /^segment-\d+\.log\.tmp$/.test(name)

/** An engine whose disk meets the fault that is asked for. */
async function openFaulty(t: TestContext): Promise<{ kuji: Kuji; meet: (fault: Intercept) => void }> {
  let fault: Intercept = () => undefined
  const dir = temporaryDirectory(t)
  const options = { dir, durability: 'sync', segmentBytes: 4096, onEvent: () => undefined } as const
  const kuji = await openIn(options, testWorld(new FaultyDisk(call => fault(call))))
  await kuji.putPool(endless)
  return {
    kuji,
    meet: met => {
      fault = met
    },
  }
}

/** The answer that a sink is given. */
function answerOf(kuji: Kuji, options: DrawOptions): Promise<string> {
  return new Promise(resolve => {
    kuji.drawTo({ answer: (_, answer) => resolve((answer as KujiError).code) }, 0, 'p', options)
  })
}

test('a kept receipt is given while the disk is full, and another request under its key refused', async t => {
  const { kuji, meet } = await openFaulty(t)
  const first = await kuji.draw('p', { key: 'k' })
  meet(call => (isPreparation(call) ? { error: systemError('ENOSPC') } : undefined))
  while ((await codeOf(kuji.draw('p', { count: 500 }))) === 'done');
  for (let k = 0; (await codeOf(kuji.draw('p', { key: `fill ${k}` }))) === 'done'; k++);
  assert.deepEqual(await kuji.draw('p', { key: 'k' }), { ...first, replayed: true })
  assert.equal(await codeOf(kuji.draw('p', { key: 'k', count: 2 })), 'KEY_CONFLICT')
  assert.equal(await codeOf(kuji.draw('p', { key: 'other' })), 'READ_ONLY')
  // In a row, each is answered in its place.
  const row = ['k', 'new', 'k', 'newer', 'k'].map(key => codeOf(kuji.draw('p', { key })))
  assert.deepEqual(await Promise.all(row), ['done', 'READ_ONLY', 'done', 'READ_ONLY', 'done'])
  await kuji.close()
})

test('a retry of a draw whose write fails is told that the outcome is unknown, then and later', async t => {
  const { kuji, meet } = await openFaulty(t)
  const writing = gate()
  meet(async call => {
    if (!isAppend(call)) return undefined
    await writing.pass()
    return { error: systemError('EIO') }
  })
  const first = refusalOf('OUTCOME_UNKNOWN', kuji.draw('p', { key: 'k' }))
  await writing.reached
  const retry = refusalOf('OUTCOME_UNKNOWN', kuji.draw('p', { key: 'k' }))
  const keyless = refusalOf('INTERNAL', kuji.draw('p', { recipient: 'r' }))
  const retryToSink = answerOf(kuji, { key: 'k' })
  await new Promise(setImmediate)
  writing.open()
  await first
  assert.match((await retry).message, /not known whether .* the same key/)
  assert.match((await keyless).message, /nothing was changed/)
  assert.equal(await retryToSink, 'OUTCOME_UNKNOWN')
  await refusalOf('OUTCOME_UNKNOWN', kuji.draw('p', { key: 'k' }))
  assert.equal(await answerOf(kuji, { key: 'k' }), 'OUTCOME_UNKNOWN')
  assert.equal(await answerOf(kuji, { count: 2 }), 'INTERNAL')
  await refusalOf('INTERNAL', kuji.drawMany('p', 2))
  await kuji.close()
})
