import {
  type ChangeOptions,
  type Code,
  codes,
  type ErrorFields,
  KujiError,
  type PoolState,
  type PoolSummary,
  type PutResult,
} from '@kuji/engine/contract'
import { systemReason } from '../failure.ts'
import { decodeReceipt, type ReceiptJson } from '../json.ts'
import { serverLimits } from '../limits.ts'
import type { PoolSource } from './source.ts'

/** Longer than a server takes to refuse by itself. */
const timeoutMs = 30_000

interface Request {
  readonly method: 'GET' | 'POST' | 'PUT'
  readonly path: string
  readonly body?: object
  readonly headers?: Readonly<Record<string, string>>
}

/** Pools behind a running server. */
export function connect(server: URL, apiKey: string | undefined): PoolSource {
  const authorization =
    apiKey === undefined ? {} : { authorization: `Bearer ${asHeader(apiKey, 'the API key')}` }
  const send = <Answer>(request: Request) =>
    exchange<Answer>(server, { ...request, headers: { ...request.headers, ...authorization } })
  return {
    draw: async ({ pool, key, ...body }) => {
      const path = `/v1/pools/${encodeURIComponent(pool)}/draws`
      const headers = key === undefined ? {} : { 'idempotency-key': quote(asHeader(key, 'key')) }
      return decodeReceipt(await send<ReceiptJson>({ method: 'POST', path, body, headers }))
    },
    pool: id => send<PoolState>({ method: 'GET', path: `/v1/pools/${encodeURIComponent(id)}` }),
    pools: async () => {
      const pools: PoolSummary[] = []
      let after: string | undefined
      do {
        const query = new URLSearchParams({ limit: String(serverLimits.pageSize) })
        if (after !== undefined) query.set('after', after)
        const path = `/v1/pools?${query}`
        const page = await send<{ pools: PoolSummary[]; next?: string }>({ method: 'GET', path })
        pools.push(...page.pools)
        after = page.next
      } while (after !== undefined)
      return pools
    },
    putPool: (manifest, options) => {
      const path = `/v1/pools/${encodeURIComponent(manifest.id)}`
      return send<PutResult>({ method: 'PUT', path, body: manifest, headers: conditionOf(options) })
    },
    close: async () => {},
  }
}

function conditionOf({ ifVersion }: ChangeOptions): Readonly<Record<string, string>> {
  if (ifVersion === undefined) return {}
  return ifVersion === 0 ? { 'if-none-match': '*' } : { 'if-match': `"${ifVersion}"` }
}

/** A string of RFC 9651. */
const quote = (text: string) => `"${text.replaceAll(/["\\]/g, '\\$&')}"`

/** Other characters would arrive as something else, or not at all. */
function asHeader(text: string, field: string): string {
  if (/^[ -~]+$/.test(text)) return text
  throw new KujiError('INVALID', `${field}: expected printable ASCII characters, which is what HTTP carries`)
}

async function exchange<Answer>(server: URL, { method, path, body, headers }: Request): Promise<Answer> {
  let response: Response
  let text: string
  try {
    response = await fetch(new URL(path, server), {
      method,
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMs),
      headers: { ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    text = await response.text()
  } catch (error) {
    throw describeFailure(server, method, error)
  }
  const answer = parse(text)
  if (response.ok && answer !== undefined) return answer as Answer
  throw describeRefusal(server, response.status, answer)
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function describeRefusal(server: URL, status: number, answer: unknown): KujiError {
  const { code, detail, type, title, status: _, ...fields } = (answer ?? {}) as Record<string, unknown>
  if (typeof code === 'string' && Object.hasOwn(codes, code) && typeof detail === 'string') {
    const hint = code === 'UNAUTHENTICATED' ? '; the variable KUJI_API_KEY gives one to this command' : ''
    return new KujiError(code as Code, detail + hint, fields as ErrorFields)
  }
  return new KujiError('INTERNAL', `${server.origin} answered ${status}, and not as a kuji server does`)
}

/** Errors of a connection that was never made: the request has certainly not taken place. */
const neverSent = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'EACCES'])

function describeFailure(server: URL, method: string, error: unknown): KujiError {
  const cause = (error as Error).cause ?? error
  const reason = systemReason(cause)
  if (method === 'GET' || neverSent.has((cause as NodeJS.ErrnoException).code ?? '')) {
    const hint = '`kuji serve` starts a server, --server names another one, --dir opens a directory'
    return new KujiError('INTERNAL', `no answer from ${server.origin}: ${reason}; ${hint}`)
  }
  const broken = `the connection to ${server.origin} broke before the answer: ${reason}`
  return new KujiError('OUTCOME_UNKNOWN', `${broken}; the request may have taken place`)
}
