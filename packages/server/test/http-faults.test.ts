import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { Kuji } from '@kuji/engine'
import { type Code, KujiError } from '@kuji/engine/contract'
import { openAccess } from '../src/access/open-access.ts'
import { startHttp } from '../src/http/server.ts'
import { createLogger } from '../src/logger.ts'
import { DoorMeter } from '../src/metrics/meter.ts'
import { Service } from '../src/service.ts'
import { assertProblem, request } from './support/requests.ts'

/** HTTP over an engine of which every draw ends with this error. */
async function serveError(context: TestContext, error: Error) {
  let lines = ''
  const log = createLogger(text => {
    lines += text
  })
  const kuji = { draw: () => Promise.reject(error) } as unknown as Kuji
  const service = new Service(kuji, openAccess, log)
  const meter = new DoorMeter('http')
  const http = await startHttp({ service, listen: { host: '127.0.0.1', port: 0 }, log, meter })
  context.after(() => http.stop(0))
  return { answer: await request(http.url, 'POST', '/v1/pools/any/draws'), lines: () => lines }
}

test('refusals that pass say when to come back', async context => {
  for (const code of ['OVERLOADED', 'READ_ONLY'] as const satisfies Code[]) {
    const { answer, lines } = await serveError(context, new KujiError(code, 'not now'))
    assertProblem(answer, code)
    assert.match(answer.headers.get('retry-after') ?? '', /^[1-9]\d*$/)
    assert.equal(lines(), '')
  }
})

test('the fields of an error stand beside the members of a problem, never in their place', async context => {
  const error = new KujiError('POOL_EMPTY', 'nothing left', { pool: 'any', status: 200, code: 'other' })
  const { answer } = await serveError(context, error)
  assert.equal(assertProblem(answer, 'POOL_EMPTY').pool, 'any')
})

test('a defect is answered without its message, which stands in the log with the stack', async context => {
  const { answer, lines } = await serveError(context, new TypeError('secret of the implementation'))
  assert.doesNotMatch(JSON.stringify(assertProblem(answer, 'INTERNAL')), /secret/)
  assert.match(
    lines(),
    /error POST \/v1\/pools\/any\/draws failed\nTypeError: secret of the implementation\n {4}at /,
  )
})

test('a log that has failed is not told again for each request', async context => {
  const { answer, lines } = await serveError(context, new KujiError('INTERNAL', 'the log has failed before'))
  assert.equal(assertProblem(answer, 'INTERNAL').detail, 'the log has failed before')
  assert.equal(lines(), '')
})
