import { KujiClient } from '@kuji/client'
import { KujiError, type PoolSummary } from '@kuji/engine/contract'
import type { PoolSource } from './source.ts'

/** Longer than a server takes to refuse by itself. */
const timeoutMs = 30_000

/**
 * Pools behind a running server. Each call is one request: what to do about a failure is said to the person who typed
 * the command, and is theirs to decide.
 */
export function connect(server: URL, apiKey: string | undefined): PoolSource {
  const client = new KujiClient({
    url: server,
    ...(apiKey === undefined ? {} : { apiKey }),
    ...{ timeoutMs, tryTimeoutMs: timeoutMs, retries: 0 },
  })
  return {
    draw: ({ pool, ...options }) => client.draw(pool, options).catch(explain),
    pool: id => client.pool(id).catch(explain),
    pools: async () => {
      const pools: PoolSummary[] = []
      try {
        for await (const pool of client.pools()) pools.push(pool)
      } catch (error) {
        explain(error)
      }
      return pools
    },
    putPool: (manifest, options) => client.putPool(manifest, options).catch(explain),
    close: async () => {},
  }
}

/** Says what a person at a terminal can do about it. */
function explain(error: unknown): never {
  if (!(error instanceof KujiError)) throw error
  const { code, message, fields, cause } = error
  if (code === 'UNAUTHENTICATED')
    throw new KujiError(code, `${message}; the variable KUJI_API_KEY gives one to this command`, fields)
  // The cause is why the one request failed: how often it was tried is no news here.
  if (code === 'OUTCOME_UNKNOWN' && cause instanceof KujiError)
    throw new KujiError(code, `${cause.message}; the request may have taken place`, fields, { cause })
  if (!isRefusedConnection(cause)) throw error
  const hint = '`kuji serve` starts a server, --server names another one, --dir opens a directory'
  throw new KujiError(code, `${message}; ${hint}`, fields, { cause })
}

/** Of what `fetch` threw: nothing listens there. */
function isRefusedConnection(cause: unknown): boolean {
  const inner = cause instanceof TypeError ? (cause.cause as NodeJS.ErrnoException | undefined) : undefined
  return inner?.code === 'ECONNREFUSED'
}
