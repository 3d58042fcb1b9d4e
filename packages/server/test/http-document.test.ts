import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Validator } from '@seriousme/openapi-schema-validator'
import { Compile } from 'typebox/schema'
import { accessOf, allScopes, openDoor } from './support/doors.ts'
import { type Answer, request } from './support/requests.ts'

interface Operation {
  readonly operationId: string
  readonly security?: readonly object[]
  readonly parameters?: readonly { readonly in: string; readonly name: string }[]
  readonly requestBody?: { readonly required: boolean }
  readonly responses: Record<string, { readonly content?: Record<string, { readonly schema: object }> }>
}

interface OpenApi {
  readonly openapi: string
  readonly security: readonly object[]
  readonly paths: Record<string, Record<string, Operation>>
  readonly components: {
    readonly schemas: Record<string, { properties?: object; additionalProperties?: unknown }>
  }
}

async function readDocument(url: string): Promise<OpenApi> {
  return (await request(url, 'GET', '/openapi.json')).body as unknown as OpenApi
}

const item = { id: 'a', weight: 1, stock: 5, metadata: { colour: 'red' } }
const rules = { items: [item, { id: 'b', weight: 99, stock: 'unlimited' }], metadata: [1] }
const pool = '/v1/pools/{pool}'
const draws = `${pool}/draws`
const json = { 'content-type': 'application/json' }

/** A run of requests: path of the document, method, path, body, headers, status. */
const run: readonly (readonly [string, string, string, unknown, Record<string, string>, number])[] = [
  [pool, 'PUT', '/v1/pools/p', rules, {}, 201],
  [pool, 'PUT', '/v1/pools/p', { ...rules, fallback: 'b' }, { 'if-match': '"1"' }, 200],
  [pool, 'PUT', '/v1/pools/p', rules, { 'if-match': '"1"' }, 409],
  [pool, 'PUT', '/v1/pools/p', { items: [] }, {}, 400],
  [pool, 'PUT', '/v1/pools/urn', { mode: 'urn', lastOne: 'z', items: [item2('a'), item2('z')] }, {}, 201],
  [pool, 'GET', '/v1/pools/p', undefined, {}, 200],
  [pool, 'GET', '/v1/pools/urn', undefined, {}, 200],
  [pool, 'GET', '/v1/pools/p', undefined, { 'if-none-match': '"2"' }, 200],
  [pool, 'GET', '/v1/pools/nowhere', undefined, {}, 404],
  ['/v1/pools', 'GET', '/v1/pools', undefined, {}, 200],
  ['/v1/pools', 'GET', '/v1/pools?limit=1', undefined, {}, 200],
  ['/v1/pools', 'GET', '/v1/pools?limit=x', undefined, {}, 400],
  [draws, 'POST', '/v1/pools/p/draws', undefined, {}, 201],
  [draws, 'POST', '/v1/pools/p/draws', { count: 100, recipient: 'r' }, { 'idempotency-key': 'k' }, 201],
  [draws, 'POST', '/v1/pools/p/draws', { count: 100, recipient: 'r' }, { 'idempotency-key': 'k' }, 200],
  [draws, 'POST', '/v1/pools/p/draws', { count: 7 }, { 'idempotency-key': 'k' }, 422],
  [draws, 'POST', '/v1/pools/p/draws', { count: 0 }, {}, 400],
  [draws, 'POST', '/v1/pools/p/draws', ' '.repeat(70_000), {}, 413],
  [draws, 'POST', '/v1/pools/p/draws', '{}', { 'content-type': 'text/plain' }, 415],
  [draws, 'POST', '/v1/pools/urn/draws', { count: 3 }, {}, 409],
  [draws, 'POST', '/v1/pools/urn/draws', { count: 3, partial: true }, {}, 201],
  [draws, 'POST', '/v1/pools/nowhere/draws', undefined, {}, 404],
  ['/v1/draws/{id}', 'GET', '/v1/draws/2', undefined, {}, 200],
  ['/v1/draws/{id}', 'GET', '/v1/draws/1', undefined, {}, 404],
  [`${pool}/items/{item}`, 'PATCH', '/v1/pools/p/items/a', { restock: 3 }, {}, 200],
  [`${pool}/items/{item}`, 'PATCH', '/v1/pools/p/items/z', { restock: 3 }, {}, 404],
  [`${pool}/items/{item}`, 'PATCH', '/v1/pools/p/items/a', {}, {}, 400],
  [`${pool}/pause`, 'POST', '/v1/pools/p/pause', undefined, {}, 200],
  [draws, 'POST', '/v1/pools/p/draws', undefined, {}, 409],
  [`${pool}/resume`, 'POST', '/v1/pools/p/resume', undefined, {}, 200],
  [`${pool}/close`, 'POST', '/v1/pools/p/close', undefined, {}, 200],
  [`${pool}/resume`, 'POST', '/v1/pools/p/resume', undefined, {}, 409],
  [pool, 'DELETE', '/v1/pools/p', undefined, {}, 200],
  [pool, 'DELETE', '/v1/pools/p', undefined, {}, 404],
  ['/healthz', 'GET', '/healthz', undefined, {}, 200],
  ['/readyz', 'GET', '/readyz', undefined, {}, 200],
  ['/v1/events', 'GET', '/v1/events?after=x', undefined, {}, 400],
]

function item2(id: string) {
  return { id, stock: 1 }
}

/** A check that also refuses what the document does not name. */
function compileStrictly(document: OpenApi, schema: object) {
  const components = structuredClone(document.components)
  for (const component of Object.values(components.schemas)) {
    if (component.properties !== undefined) component.additionalProperties ??= false
  }
  return Compile({ ...schema, components })
}

function assertDocumented(document: OpenApi, path: string, method: string, answer: Answer): void {
  const { responses } = document.paths[path]![method.toLowerCase()]!
  const response = responses[answer.status]
  const shown = `${method} ${path} ${answer.status} ${JSON.stringify(answer.body)}`
  assert.ok(response !== undefined, `not documented: ${shown}`)
  const [type = ''] = (answer.headers.get('content-type') ?? '').split(';')
  if (response.content === undefined) {
    assert.deepEqual(answer.body, {})
    return
  }
  const media = response.content[type]
  assert.ok(media !== undefined, `${type} is not documented: ${shown}`)
  const check = compileStrictly(document, media.schema)
  assert.ok(check.Check(answer.body), `${shown}\n${JSON.stringify(check.Errors(answer.body))}`)
}

test('the document is OpenAPI 3.1, as a validator of another maker judges', async context => {
  const { url } = await openDoor(context)
  const document = await readDocument(url)
  const { valid, errors } = await new Validator().validate({ ...structuredClone(document) })
  assert.ok(valid, JSON.stringify(errors))
  assert.equal(document.openapi, '3.1.0')
  const operations = Object.values(document.paths).flatMap(path => Object.values(path))
  const ids = operations.map(({ operationId }) => operationId)
  assert.deepEqual(
    ids.filter(id => !/^[a-z][A-Za-z]+$/.test(id)),
    [],
  )
  assert.equal(new Set(ids).size, ids.length)
  const draw = document.paths[draws]?.post
  assert.ok(draw?.parameters?.some(({ in: place, name }) => place === 'header' && name === 'idempotency-key'))
  assert.equal(draw?.requestBody?.required, false)
  assert.equal(document.paths[pool]?.put?.requestBody?.required, true)
  assert.equal(document.paths[`${pool}/pause`]?.post?.requestBody, undefined)
})

test('every answer is what the document says of it', async context => {
  const { url } = await openDoor(context)
  const document = await readDocument(url)
  for (const [path, method, target, body, headers, status] of run) {
    const answer = await request(url, method, target, body, {
      ...(body === undefined ? {} : json),
      ...headers,
    })
    assert.equal(answer.status, status, `${method} ${target}: ${JSON.stringify(answer.body)}`)
    assertDocumented(document, path, method, answer)
  }
  const seen = new Set(run.map(([path, method]) => `${method.toLowerCase()} ${path}`))
  const missing = Object.entries(document.paths)
    .flatMap(([path, methods]) => Object.keys(methods).map(method => `${method} ${path}`))
    // Metrics are text, and no document.
    .filter(name => !seen.has(name) && name !== 'get /metrics')
  assert.deepEqual(missing, [], 'each operation is asked for')
})

test('refusals of a caller are documented, and so is which requests need none', async context => {
  const access = accessOf({ spent: allScopes, nothing: [] })
  const { url } = await openDoor(context, { access })
  const document = await readDocument(url)
  assert.deepEqual(document.security, [{ key: [] }])
  for (const [path, method, target, body] of run) {
    if (document.paths[path]![method.toLowerCase()]!.security?.length === 0) continue
    for (const [authorization, status] of [
      ['Bearer nobody', 401],
      ['Bearer nothing', 403],
      ['Bearer spent', 429],
    ] as const) {
      const answer = await request(url, method, target, body, { ...json, authorization })
      if (answer.status !== 400 && answer.status !== 413)
        assert.equal(answer.status, status, `${method} ${target}`)
      assertDocumented(document, path, method, answer)
    }
  }
})

test('an event is what the document says of it', async context => {
  const { url } = await openDoor(context)
  const { schemas } = (await readDocument(url)).components
  const leave = new AbortController()
  const events = await fetch(`${url}/v1/events`, { signal: leave.signal })
  await request(url, 'PUT', '/v1/pools/p', rules)
  await request(url, 'POST', '/v1/pools/p/draws', { recipient: 'r' }, { 'idempotency-key': 'k' })
  let text = ''
  for await (const chunk of events.body!.pipeThrough(new TextDecoderStream())) {
    text += chunk
    if (text.includes('"draws"')) break
  }
  leave.abort()
  const check = Compile({ $ref: '#/components/schemas/LogEvent', components: { schemas } })
  const sent = [...text.matchAll(/^data: (.+)$/gm)].map(([, data = '']) => JSON.parse(data) as unknown)
  assert.ok(sent.length >= 2)
  for (const event of sent) assert.ok(check.Check(event), JSON.stringify(event))
})

test('the page that shows the document takes everything from this server, and allows nothing else', async context => {
  const { url } = await openDoor(context)
  const page = await fetch(`${url}/docs`)
  const html = await page.text()
  const policy = page.headers.get('content-security-policy') ?? ''
  assert.match(policy, /^default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self';/)
  assert.doesNotMatch(policy, /https?:|unsafe/)
  const links = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, link = '']) => link)
  assert.ok(links.length >= 5)
  for (const link of links) {
    assert.match(link, /^\//, 'on this server')
    const { status } = await fetch(url + link)
    assert.equal(status, 200, link)
  }
  assert.doesNotMatch(html, /<script>|<style|style=/)
})
