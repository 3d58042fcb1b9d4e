import {
  type Code,
  codes,
  type ErrorFields,
  KujiError,
  type PoolState,
  type PoolSummary,
} from '@kuji/engine/contract'
import { systemReason } from '../failure.ts'
import { decodeReceipt, type ReceiptJson } from '../json.ts'
import { serverLimits } from '../limits.ts'
import type { PoolSource } from './source.ts'

/** Longer than a server takes to refuse by itself. */
const timeoutMs = 30_000

/** Pools behind a running server. */
export function connect(server: URL): PoolSource {
  const request = <Answer>(method: string, path: string, body?: object) =>
    exchange<Answer>(server, method, path, body)
  return {
    draw: async ({ pool, ...body }) =>
      decodeReceipt(await request<ReceiptJson>('POST', `/v1/pools/${encodeURIComponent(pool)}/draws`, body)),
    pool: id => request<PoolState>('GET', `/v1/pools/${encodeURIComponent(id)}`),
    pools: async () => {
      const pools: PoolSummary[] = []
      let after: string | undefined
      do {
        const query = new URLSearchParams({ limit: String(serverLimits.pageSize) })
        if (after !== undefined) query.set('after', after)
        const page = await request<{ pools: PoolSummary[]; next?: string }>('GET', `/v1/pools?${query}`)
        pools.push(...page.pools)
        after = page.next
      } while (after !== undefined)
      return pools
    },
    close: async () => {},
  }
}

async function exchange<Answer>(server: URL, method: string, path: string, body?: object): Promise<Answer> {
  let response: Response
  let text: string
  try {
    response = await fetch(new URL(path, server), {
      method,
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMs),
      ...(body === undefined
        ? {}
        : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
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
    return new KujiError(code as Code, detail, fields as ErrorFields)
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
  return new KujiError('OUTCOME_UNKNOWN', `${broken}; the draw may have taken place`)
}
