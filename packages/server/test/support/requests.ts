import assert from 'node:assert/strict'
import { type Code, codes, type PoolState } from '@kuji/engine/contract'
import type { ReceiptJson } from '../../src/json.ts'

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly body: Record<string, unknown>
}

/** One request; a body that is no text is sent as JSON. */
export async function request(
  url: string,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const response = await fetch(url + path, {
    method,
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    headers: body === undefined ? headers : { 'content-type': 'application/json', ...headers },
  })
  const text = await response.text()
  return {
    status: response.status,
    headers: response.headers,
    body: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>),
  }
}

export async function draw(url: string, pool: string, body?: object): Promise<ReceiptJson> {
  const answer = await request(url, 'POST', `/v1/pools/${pool}/draws`, body)
  assert.equal(answer.status, 201, JSON.stringify(answer.body))
  return answer.body as unknown as ReceiptJson
}

export async function readPool(url: string, pool: string): Promise<PoolState> {
  const answer = await request(url, 'GET', `/v1/pools/${pool}`)
  assert.equal(answer.status, 200, JSON.stringify(answer.body))
  return answer.body as unknown as PoolState
}

/** Checks that an answer is a whole problem document with this code, and returns it. */
export function assertProblem(
  answer: Answer,
  code: Code,
  status: number = codes[code].status,
): Answer['body'] {
  const { body } = answer
  assert.equal(body.code, code, JSON.stringify(body))
  assert.equal(answer.status, status)
  assert.equal(body.status, status)
  assert.match(answer.headers.get('content-type') ?? '', /^application\/problem\+json/)
  assert.equal(body.type, `urn:kuji:error:${code}`)
  assert.equal(body.title, codes[code].meaning)
  assert.equal(typeof body.detail, 'string')
  return body
}
