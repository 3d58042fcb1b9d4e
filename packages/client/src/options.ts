import { type ChangeOptions, type DrawOptions, KujiError, limits } from '@kuji/engine/contract'

/** Where the server is, and how much patience to have with it. */
export interface ClientOptions {
  /** Of the server, such as `http://127.0.0.1:7070`; a path in front of `/v1` may stand at its end. */
  readonly url: string | URL
  /** Sent as `Authorization: Bearer`. */
  readonly apiKey?: string
  /** The deadline of a call over all of its tries, in milliseconds from 1. Default 30,000. */
  readonly timeoutMs?: number
  /** How long one try may take before the next one, in milliseconds from 1. Default 10,000. */
  readonly tryTimeoutMs?: number
  /** Tries behind the first, 0 to 100. Default 10. */
  readonly retries?: number
  /** Instead of the global one. */
  readonly fetch?: typeof globalThis.fetch
}

/** What every call takes. */
export interface CallOptions {
  /** Ends the call, its requests and its waits; it then rejects with the signal's reason. */
  readonly signal?: AbortSignal
  /** Instead of the client's own. */
  readonly timeoutMs?: number
}

export interface ClientDrawOptions extends DrawOptions, CallOptions {}

export interface ClientChangeOptions extends ChangeOptions, CallOptions {}

/** Options of a client with every default in its place. */
export interface Settings {
  /** Without a slash at its end. */
  readonly base: string
  /** What messages call the server. */
  readonly origin: string
  readonly headers: Readonly<Record<string, string>>
  readonly timeoutMs: number
  readonly tryTimeoutMs: number
  readonly retries: number
  readonly fetch: typeof globalThis.fetch
}

const defaults = { timeoutMs: 30_000, tryTimeoutMs: 10_000, retries: 10 } as const

/** What timers can wait. */
const longestMs = 2 ** 31 - 1
const mostRetries = 100

/** Throws `INVALID`, naming the option. */
export function readOptions(options: ClientOptions): Settings {
  const { url, apiKey, fetch = globalThis.fetch } = checkObject(options, 'options')
  const { timeoutMs = defaults.timeoutMs, tryTimeoutMs = defaults.tryTimeoutMs } = options
  const { retries = defaults.retries } = options
  const { origin, base } = readUrl(url)
  if (apiKey !== undefined && !/^[!-~]+$/.test(apiKey))
    throw invalid('apiKey', 'expected printable ASCII characters without spaces')
  return {
    base,
    origin,
    headers: apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` },
    timeoutMs: checkWhole(timeoutMs, 'timeoutMs', 1, longestMs),
    tryTimeoutMs: checkWhole(tryTimeoutMs, 'tryTimeoutMs', 1, longestMs),
    retries: checkWhole(retries, 'retries', 0, mostRetries),
    // Called as a function: a browser's own refuses to be a method of something else.
    fetch: (input, init) => fetch(input, init),
  }
}

function readUrl(value: string | URL): { origin: string; base: string } {
  let url: URL
  try {
    url = new URL(value)
  } catch {
    throw invalid('url', 'expected a URL, like http://127.0.0.1:7070')
  }
  const { protocol, username, password, search, hash, origin, pathname } = url
  if ((protocol !== 'http:' && protocol !== 'https:') || username + password + search + hash !== '')
    throw invalid('url', 'expected http: or https:, a host and at most a path')
  return { origin, base: origin + pathname.replace(/\/+$/, '') }
}

export function checkTimeout(value: number | undefined, settings: Settings): number {
  return value === undefined ? settings.timeoutMs : checkWhole(value, 'timeoutMs', 1, longestMs)
}

/** A header holds ASCII; a key that would arrive as another one must not be sent. */
export function checkKey(key: string): string {
  if (typeof key === 'string' && key.length <= limits.keyLength && /^[ -~]+$/.test(key)) return key
  throw invalid('key', `expected 1 to ${limits.keyLength} printable ASCII characters`)
}

/** An id as a segment of a path; `.` and `..`, which are no ids, would lead to another route. */
export function segment(id: string, field: string): string {
  if (typeof id === 'string' && !/^\.{0,2}$/.test(id)) return encodeURIComponent(id)
  throw invalid(field, `expected the id of ${field === 'item' ? 'an item' : 'a pool'}`)
}

/** What a program without types may give in place of an object. */
export function checkObject<Given extends object>(value: Given, field: string): Given {
  if (typeof value === 'object' && value !== null) return value
  throw invalid(field, 'expected an object')
}

export function checkWhole(value: number, field: string, from: number, to: number): number {
  if (Number.isSafeInteger(value) && value >= from && value <= to) return value
  throw invalid(field, `expected a whole number from ${from} to ${to}`)
}

function invalid(field: string, message: string): KujiError {
  return new KujiError('INVALID', `${field}: ${message}`, { field })
}
