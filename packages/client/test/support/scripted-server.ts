import type { ClientOptions } from '../../src/index.ts'
import { KujiClient } from '../../src/index.ts'

export interface Sent {
  readonly url: string
  readonly init: RequestInit
}

/** Gives one answer, or throws what `fetch` would throw. */
export type Answer = (sent: Sent) => Response | Promise<Response>

/** A client whose `fetch` gives these answers in order, the last one for ever. */
export function scriptedClient(
  answers: readonly Answer[],
  options: Omit<ClientOptions, 'url'> & { readonly url?: string } = {},
): { client: KujiClient; sent: Sent[] } {
  const sent: Sent[] = []
  const fetch = async (input: unknown, init: RequestInit = {}) => {
    sent.push({ url: String(input), init })
    const answer = answers[Math.min(sent.length, answers.length) - 1]!
    return answer({ url: String(input), init })
  }
  const client = new KujiClient({
    url: 'http://kuji.test',
    ...options,
    fetch: fetch as typeof globalThis.fetch,
  })
  return { client, sent }
}

export const json =
  (value: unknown, status = 200, headers: Record<string, string> = {}): Answer =>
  () =>
    new Response(JSON.stringify(value), { status, headers })

export const problem = (code: string, status: number, fields: object = {}, headers = {}): Answer =>
  json(
    { type: `urn:kuji:error:${code}`, title: '', status, code, detail: `${code} it is`, ...fields },
    status,
    headers,
  )

export const receipt = json(
  { id: 7, pool: 'p', items: ['a'], version: 1, at: '2026-11-27T05:00:00.250Z', replayed: false },
  201,
)

/** The connection broke, and nobody knows when. */
export const broken: Answer = () => {
  throw new TypeError('fetch failed', {
    cause: Object.assign(new Error('other side closed'), { code: 'UND_ERR_SOCKET' }),
  })
}

/** There was no connection to break. */
export const unreachable: Answer = () => {
  throw new TypeError('fetch failed', {
    cause: Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }),
  })
}

/** Nothing comes until the request is given up. */
export const silent: Answer = ({ init }) =>
  new Promise((_, reject) => {
    init.signal?.addEventListener('abort', () => reject(init.signal?.reason))
  })
