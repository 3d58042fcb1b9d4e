import assert from 'node:assert/strict'
import { test } from 'node:test'
import { codes } from '@kuji/engine/contract'
import { serveSample } from './support/processes.ts'
import { assertProblem, request } from './support/requests.ts'
import { sendRaw } from './support/sockets.ts'

const pools = 'pools: [{ id: open, items: [{ id: a, weight: 1, stock: unlimited }] }]'
const draws = '/v1/pools/open/draws'

test('what is not a good HTTP request is told so in a problem document', async context => {
  const { url } = await serveSample(context, pools)

  await context.test(
    'an unknown route is a problem with 404, a known one with another method 405',
    async () => {
      assertProblem(await request(url, 'GET', '/'), 'INVALID', 404)
      assertProblem(await request(url, 'GET', '/v2/pools'), 'INVALID', 404)
      assertProblem(await request(url, 'POST', '/v1/pools/open/draws/'), 'INVALID', 404)
      const answer = await request(url, 'DELETE', draws)
      assertProblem(answer, 'INVALID', 405)
      assert.equal(answer.headers.get('allow'), 'POST')
      assert.equal((await request(url, 'PUT', '/v1/pools')).headers.get('allow'), 'GET, HEAD')
    },
  )

  await context.test('a path that is no URL is a problem', async () => {
    assertProblem(await request(url, 'GET', '/v1/pools/%zz'), 'INVALID')
  })

  await context.test('a body that does not say it is JSON is refused with 415', async () => {
    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'application/xml',
      'nonsense',
      '',
    ]) {
      assertProblem(
        await request(url, 'POST', draws, '{"count":1}', { 'content-type': type }),
        'INVALID',
        415,
      )
    }
  })

  await context.test(
    'a body over 64 KiB is refused while it arrives, with its length told or not',
    async () => {
      assertProblem(await request(url, 'POST', draws, ' '.repeat(64 * 1024 + 1)), 'TOO_LARGE')
      assert.equal((await request(url, 'POST', draws, `${' '.repeat(64 * 1024 - 2)}{}`)).status, 201)
      const chunk = `4000\r\n${' '.repeat(0x4000)}\r\n`
      const head = `POST ${draws} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n`
      const { status, body } = await sendRaw(
        url,
        `${head}Transfer-Encoding: chunked\r\n\r\n${chunk.repeat(5)}`,
      )
      assert.equal(status, 413)
      assert.equal(JSON.parse(body).code, 'TOO_LARGE')
    },
  )

  await context.test('a header that a route does not take is refused rather than ignored', async () => {
    const rows = [
      ['PATCH', '/v1/pools/open/items/a', { weight: 1 }, 'Idempotency-Key'],
      ['POST', '/v1/pools/open/pause', undefined, 'Idempotency-Key'],
      ['POST', draws, undefined, 'If-Match'],
      ['DELETE', '/v1/pools/open', undefined, 'If-Match'],
      ['PATCH', '/v1/pools/open/items/a', { weight: 1 }, 'If-None-Match'],
    ] as const
    for (const [method, path, body, name] of rows) {
      const problem = assertProblem(await request(url, method, path, body, { [name]: '"1"' }), 'INVALID')
      assert.equal(problem.field, name, `${method} ${path}`)
    }
  })

  await context.test('requests that a web page from elsewhere can send are refused', async () => {
    const rebound = await sendRaw(
      url,
      `POST ${draws} HTTP/1.1\r\nHost: evil.example:80\r\nConnection: close\r\n\r\n`,
    )
    assert.equal(rebound.status, 400)
    assert.match(rebound.body, /"field":"Host"/)
    const missing = await sendRaw(url, `POST ${draws} HTTP/1.1\r\nConnection: close\r\n\r\n`)
    assert.equal(missing.status, 400)
    const foreign = assertProblem(
      await request(url, 'POST', draws, undefined, { origin: 'http://evil.example' }),
      'INVALID',
    )
    assert.equal(foreign.field, 'Origin')
    assertProblem(await request(url, 'POST', draws, undefined, { origin: 'null' }), 'INVALID')
    assert.equal((await request(url, 'POST', draws, undefined, { origin: url })).status, 201)
  })

  await context.test(
    'bytes that are no request are answered with a problem and the connection is closed',
    async () => {
      const rows = [
        ['nonsense\r\n\r\n', 400],
        [`GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`, 431],
      ] as const
      for (const [text, expected] of rows) {
        const { status, body } = await sendRaw(url, text)
        assert.equal(status, expected)
        assert.deepEqual(Object.keys(JSON.parse(body)), ['type', 'title', 'status', 'code', 'detail'])
        assert.equal(JSON.parse(body).title, codes.INVALID.meaning)
      }
    },
  )
})
