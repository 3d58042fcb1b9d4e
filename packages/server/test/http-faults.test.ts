import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { Kuji } from '@kuji/engine'
import { type Code, KujiError } from '@kuji/engine/contract'
import { openDoor } from './support/doors.ts'
import { readLog } from './support/log-lines.ts'
import { assertProblem, request } from './support/requests.ts'

/** The answer of HTTP to a draw that its engine refuses. */
async function refuseDraw(context: TestContext, error: KujiError) {
  const kuji: Partial<Kuji> = { drawTo: (sink, token) => sink.answer(token, error) }
  const { url, lines } = await openDoor(context, { kuji })
  return { answer: await request(url, 'POST', '/v1/pools/any/draws'), lines }
}

test('refusals that pass say when to come back', async context => {
  for (const code of ['OVERLOADED', 'READ_ONLY'] as const satisfies Code[]) {
    const { answer, lines } = await refuseDraw(context, new KujiError(code, 'not now'))
    assertProblem(answer, code)
    assert.match(answer.headers.get('retry-after') ?? '', /^[1-9]\d*$/)
    assert.equal(lines(), '')
  }
})

test('the fields of an error stand beside the members of a problem, never in their place', async context => {
  const error = new KujiError('POOL_EMPTY', 'nothing left', { pool: 'any', status: 200, code: 'other' })
  const { answer } = await refuseDraw(context, error)
  assert.equal(assertProblem(answer, 'POOL_EMPTY').pool, 'any')
})

test('a defect is answered without its message, which stands in the log with the stack', async context => {
  const kuji: Partial<Kuji> = { pool: () => Promise.reject(new TypeError('secret of the implementation')) }
  const { url, lines } = await openDoor(context, { kuji })
  const answer = await request(url, 'GET', '/v1/pools/any')
  assert.doesNotMatch(JSON.stringify(assertProblem(answer, 'INTERNAL')), /secret/)
  const [line] = readLog(lines())
  assert.equal(line?.level, 'error')
  assert.equal(line?.msg, 'GET /v1/pools/any failed')
  assert.match(String(line?.stack), /^TypeError: secret of the implementation\n {4}at /)
})

test('a log that has failed is not told again for each request', async context => {
  const { answer, lines } = await refuseDraw(context, new KujiError('INTERNAL', 'the log has failed before'))
  assert.equal(assertProblem(answer, 'INTERNAL').detail, 'the log has failed before')
  assert.equal(lines(), '')
})
