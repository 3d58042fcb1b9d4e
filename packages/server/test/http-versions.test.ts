import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openDoor } from './support/doors.ts'
import { type Answer, assertProblem, request } from './support/requests.ts'

const path = '/v1/pools/odds'
const rules = (weight: number) => ({ items: [{ id: 'a', weight, stock: 'unlimited' }] })

/** A pool at this version, and requests to change it under conditions. */
async function preparePool(context: Parameters<typeof openDoor>[0], version: number) {
  const { url } = await openDoor(context)
  for (let weight = 1; weight <= version; weight++) await request(url, 'PUT', path, rules(weight))
  let weight = 100
  return {
    url,
    put: (headers: Record<string, string>): Promise<Answer> =>
      request(url, 'PUT', path, rules(weight++), headers),
    patch: (headers: Record<string, string>): Promise<Answer> =>
      request(url, 'PATCH', `${path}/items/a`, { weight: weight++ }, headers),
    version: async () => (await request(url, 'GET', path)).body.version,
  }
}

test('reading and changing a pool gives its version as the entity tag', async context => {
  const { url, put, patch } = await preparePool(context, 1)
  assert.equal((await request(url, 'GET', path)).headers.get('etag'), '"1"')
  assert.equal((await put({})).headers.get('etag'), '"2"')
  assert.equal((await patch({})).headers.get('etag'), '"3"')
  const again = await request(url, 'PUT', '/v1/pools/other', rules(1))
  assert.equal(again.headers.get('etag'), '"1"')
  assert.equal((await request(url, 'PUT', '/v1/pools/other', rules(1))).headers.get('etag'), '"1"')
})

test('If-Match lets a change pass for the version that it names, and no other', async context => {
  for (const method of ['put', 'patch'] as const) {
    const pool = await preparePool(context, 3)
    for (const tag of ['"2"', '"4"', '"0"', '"03"', '"3a"', '""', 'W/"3"', '"1", "2"', 'W/"3", W/"2"']) {
      assertProblem(await pool[method]({ 'if-match': tag }), 'VERSION_CONFLICT')
    }
    assert.equal(await pool.version(), 3)
    for (const [index, tag] of ['"3"', '"1", "4"', 'W/"9" ,"9",\t"5"', '"6", "5"', '*', ' * '].entries()) {
      assert.equal((await pool[method]({ 'if-match': tag })).status, 200, tag)
      assert.equal(await pool.version(), 4 + index)
    }
  }
})

test('If-Match creates nothing, and If-None-Match: * nothing but a new pool', async context => {
  const { url, put } = await preparePool(context, 0)
  assertProblem(await put({ 'if-match': '*' }), 'VERSION_CONFLICT')
  assertProblem(await put({ 'if-match': '"1"' }), 'VERSION_CONFLICT')
  assertProblem(await request(url, 'GET', path), 'POOL_NOT_FOUND')
  assert.equal((await put({ 'if-none-match': '*' })).status, 201)
  const conflict = assertProblem(await put({ 'if-none-match': '*' }), 'VERSION_CONFLICT')
  assert.equal(conflict.version, 1)
})

test('of changes made together for one version one passes', async context => {
  const { put, version } = await preparePool(context, 1)
  const answers = await Promise.all(Array.from({ length: 10 }, () => put({ 'if-match': '"1"' })))
  assert.equal(answers.filter(({ status }) => status === 200).length, 1)
  assert.equal(answers.filter(({ body }) => body.code === 'VERSION_CONFLICT').length, 9)
  assert.equal(await version(), 2)
})

test('conditions that are none are refused', async context => {
  const { put, version } = await preparePool(context, 2)
  for (const tag of ['2', '', ',', '"2', '"2",', '"2" "3"', '"2", 3', '* , "2"', 'w/"2"', '"a b"']) {
    assert.equal(assertProblem(await put({ 'if-match': tag }), 'INVALID').field, 'If-Match', tag)
  }
  for (const tag of ['"2"', '"7"', 'any'])
    assert.equal(assertProblem(await put({ 'if-none-match': tag }), 'INVALID').field, 'If-None-Match')
  assertProblem(await put({ 'if-match': '"2"', 'if-none-match': '*' }), 'INVALID')
  assert.equal(await version(), 2)
})

test('a read is never answered with 304: stock moves under a version that stays', async context => {
  const { url } = await preparePool(context, 2)
  const read = async (tag: string) => {
    const answer = await fetch(url + path, { headers: { 'if-none-match': tag }, cache: 'no-store' })
    assert.equal(answer.status, 200, tag)
    assert.equal(answer.headers.get('etag'), '"2"')
    assert.equal(answer.headers.get('cache-control'), 'no-store')
    return ((await answer.json()) as { drawn: number }).drawn
  }
  for (const tag of ['"2"', 'W/"2"', '"1", "2"', '*', '"1"']) assert.equal(await read(tag), 0)
  assert.equal((await request(url, 'POST', `${path}/draws`)).status, 201)
  assert.equal(await read('"2"'), 1)
})
