import assert from 'node:assert/strict'
import { test } from 'node:test'
import { accessOf, allScopes, openDoor } from './support/doors.ts'
import { assertProblem, request } from './support/requests.ts'
import { sendRaw } from './support/sockets.ts'

const access = accessOf({
  all: allScopes,
  drawer: ['draw'],
  reader: ['read'],
  admin: ['admin'],
  spent: allScopes,
})

const rules = { items: [{ id: 'a', weight: 1, stock: 'unlimited' }] }
const bearer = (key: string) => ({ authorization: `Bearer ${key}` })

/** Every request there is with the scope that it needs. */
const requests = [
  ['admin', 'PUT', '/v1/pools/p', rules],
  ['admin', 'PATCH', '/v1/pools/p/items/a', { weight: 2 }],
  ['draw', 'POST', '/v1/pools/p/draws', {}],
  ['read', 'GET', '/v1/pools', undefined],
  ['read', 'GET', '/v1/pools/p', undefined],
  ['read', 'GET', '/v1/draws/1', undefined],
  ['read', 'GET', '/v1/events', undefined],
  ['admin', 'POST', '/v1/pools/p/pause', undefined],
  ['admin', 'POST', '/v1/pools/p/resume', undefined],
  ['admin', 'POST', '/v1/pools/p/close', undefined],
  ['admin', 'DELETE', '/v1/pools/p', undefined],
] as const

test('without a known key every request is refused, and told which scheme to use', async context => {
  const { url } = await openDoor(context, { access })
  const wrong = [{}, bearer('nobody'), bearer(''), bearer('all more'), { authorization: 'all' }]
  const others = [
    { authorization: 'Basic YWxsOg==' },
    { authorization: 'Bearer' },
    { authorization: 'BearerX all' },
  ]
  for (const [, method, path, body] of requests) {
    for (const headers of [...wrong, ...others]) {
      const answer = await request(url, method, path, body, headers as Record<string, string>)
      assertProblem(answer, 'UNAUTHENTICATED')
      assert.equal(answer.headers.get('www-authenticate'), 'Bearer')
    }
  }
})

test('a key does what its scopes say, and no scope includes another', async context => {
  const { url } = await openDoor(context, { access })
  const keys = { draw: 'drawer', read: 'reader', admin: 'admin' } as const
  for (const [scope, method, path, body] of requests) {
    for (const [held, key] of Object.entries(keys)) {
      if (held === scope) continue
      const refused = assertProblem(await request(url, method, path, body, bearer(key)), 'FORBIDDEN')
      assert.equal(refused.scope, scope, `${key} ${method} ${path}`)
    }
    if (path === '/v1/events') continue
    const allowed = await request(url, method, path, body, bearer(keys[scope]))
    assert.ok(allowed.status < 300 || allowed.body.code === 'DRAW_NOT_FOUND', `${method} ${path}`)
  }
})

test('the scheme is read in any case, and a key without requests left is told when to come back', async context => {
  const { url } = await openDoor(context, { access })
  const put = (authorization: string) => request(url, 'PUT', '/v1/pools/p', rules, { authorization })
  assert.equal((await put('bearer all')).status, 201)
  assert.equal((await put('BEARER  all')).status, 200)
  const answer = await request(url, 'POST', '/v1/pools/p/draws', {}, bearer('spent'))
  assertProblem(answer, 'LIMIT_REACHED')
  assert.equal(answer.headers.get('retry-after'), '7')
})

test('health and documents are open, and no web page is told that it may read anything', async context => {
  const { url } = await openDoor(context, { access })
  for (const path of ['/healthz', '/openapi.json', '/docs', '/docs/static/swagger-ui.css']) {
    const answer = await fetch(url + path)
    assert.equal(answer.status, 200, path)
    assert.equal(answer.headers.get('access-control-allow-origin'), null)
    await answer.text()
  }
  const foreign = { ...bearer('all'), origin: 'https://shop.example' }
  const answer = await request(url, 'GET', '/v1/pools', undefined, foreign)
  assert.equal(answer.status, 200)
  assert.equal(answer.headers.get('access-control-allow-origin'), null)
  assertProblem(await request(url, 'OPTIONS', '/v1/pools', undefined, foreign), 'INVALID', 405)
})

test('with keys any Host is served, and one there has to be', async context => {
  const { url } = await openDoor(context, { access })
  const send = (host: string) =>
    sendRaw(url, `GET /v1/pools HTTP/1.1\r\n${host}Authorization: Bearer all\r\nConnection: close\r\n\r\n`)
  assert.equal((await send('Host: draws.example\r\n')).status, 200)
  assert.equal((await send('')).status, 400)
})

test('who may not draw is refused before the body is looked at', async context => {
  const { url } = await openDoor(context, { access })
  const head = 'POST /v1/pools/p/draws HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n'
  const { status } = await sendRaw(url, `${head}Connection: close\r\nContent-Length: 2\r\n\r\n{]`)
  assert.equal(status, 401)
})
