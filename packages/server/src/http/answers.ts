import { type Code, codes } from '@kuji/engine/contract'
import type { TSchema } from 'typebox'
import { ProblemSchema } from '../schema/answers.ts'

interface HeaderDocument {
  readonly type: 'string' | 'integer'
  readonly description: string
}

type Headers = Readonly<Record<string, HeaderDocument>>

/** What a route answers when all is well: what it means, its schema, its content type, its headers. */
interface Answer {
  readonly description: string
  readonly schema?: TSchema
  readonly contentType?: string
  readonly headers?: Headers
}

export const etag: Headers = {
  ETag: { type: 'string', description: 'The version of the rules, in quotes.' },
}

/** Any request may be refused so. */
const always: readonly Code[] = ['INVALID', 'OVERLOADED', 'OUTCOME_UNKNOWN', 'INTERNAL']
/** Any request that needs a caller. */
export const ofCallers: readonly Code[] = ['UNAUTHENTICATED', 'FORBIDDEN', 'LIMIT_REACHED']
/** Any request with a body. */
const ofBodies: readonly Code[] = ['TOO_LARGE']
/** Any request that changes something. */
export const ofChanges: readonly Code[] = [...ofCallers, ...ofBodies, 'READ_ONLY']

const retryAfter: Headers = {
  'Retry-After': { type: 'integer', description: 'Seconds after which to try again.' },
}
const headersOfRefusals: Readonly<Record<number, Headers>> = {
  401: { 'WWW-Authenticate': { type: 'string', description: '`Bearer`' } },
  429: retryAfter,
  503: retryAfter,
}

/**
 * The `response` of a route's schema: what it answers, and the codes that it refuses with. It documents, and nothing is
 * serialised by it; a test holds real answers to it.
 */
export function answers(good: Readonly<Record<number, Answer>>, ...refusals: readonly (readonly Code[])[]) {
  const response: Record<string, object> = {}
  for (const [status, { description, schema, contentType = 'application/json', headers }] of Object.entries(
    good,
  )) {
    response[status] = {
      description,
      ...(headers === undefined ? {} : { headers }),
      ...(schema === undefined ? { type: 'null' } : { content: { [contentType]: { schema } } }),
    }
  }
  const byStatus = Map.groupBy(new Set([...always, ...refusals.flat()]), code => codes[code].status)
  // HTTP has a status of its own for a body of the wrong type.
  const media: [number, Code[]][] = refusals.includes(ofChanges) ? [[415, ['INVALID']]] : []
  for (const [status, refused] of [...byStatus, ...media].sort(([a], [b]) => a - b)) {
    const headers = headersOfRefusals[status]
    response[status] = {
      description: refused.map(code => `\`${code}\`: ${codes[code].meaning}`).join('\n\n'),
      ...(headers === undefined ? {} : { headers }),
      content: { 'application/problem+json': { schema: ProblemSchema } },
    }
  }
  return response
}
