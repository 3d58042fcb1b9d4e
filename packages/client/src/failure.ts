import { type Code, codes, type ErrorFields, KujiError } from '@kuji/engine/contract'
import { asFields, parseJson } from './answers.ts'

/** Why a try gave no result. */
export interface Failure {
  readonly error: KujiError
  /** Another try may end otherwise. */
  readonly again: boolean
  /** The request may have taken place all the same. */
  readonly doubt: boolean
  /** What the server asks to wait, in milliseconds. */
  readonly retryAfterMs: number
}

/** Refusals that pass: nothing was done, and after a while something will be. */
const passing: ReadonlySet<Code> = new Set(['OVERLOADED', 'READ_ONLY', 'LIMIT_REACHED'])

/** Errors of a connection that was never made, as Node has them; a browser does not tell. */
const neverSent = new Set([
  ...['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'EACCES'],
  'UND_ERR_CONNECT_TIMEOUT',
])

/**
 * What stands in the way of every connection to this address, and so of every try: a certificate that is not accepted
 * (by OpenSSL's names), a server that does not speak TLS, a port that `fetch` does not go to. All of it comes up before
 * the request is sent.
 */
const certificateFault =
  /^(?:CERT|CRL|ERROR_IN|UNABLE_TO|DEPTH_ZERO|SELF_SIGNED|INVALID_(?:CA|PURPOSE)|HOSTNAME)(?:_|$)/
const neverConnects = new Set(['ERR_TLS_CERT_ALTNAME_INVALID', 'ERR_SSL_WRONG_VERSION_NUMBER'])

/** A refusal of the server, by the problem document that it sent. */
export function refused(error: KujiError, retryAfter: string | null): Failure {
  const unknown = error.code === 'OUTCOME_UNKNOWN'
  const again = unknown || passing.has(error.code)
  return { error, again, doubt: unknown, retryAfterMs: readRetryAfter(retryAfter) }
}

/**
 * An answer that no kuji server gives. A proxy that could not reach one says so with 5xx, or that it took too long with
 * 408, and may have passed the request on; one that holds requests back, with 429, has not.
 */
export function foreign(origin: string, response: Response): Failure {
  const { status, headers } = response
  const error = new KujiError('INTERNAL', `${origin} answered ${status}, and not as a kuji server does`)
  const doubt = response.ok || status >= 500 || status === 408
  return {
    error,
    again: doubt || status === 429,
    doubt,
    retryAfterMs: readRetryAfter(headers.get('retry-after')),
  }
}

/** No answer, or half of one: `cause` is what `fetch` threw. */
export function noAnswer(origin: string, cause: unknown): Failure {
  const { name, message, cause: inner } = cause as Error
  const { code, message: reason = message } = (inner ?? {}) as { code?: string; message?: string }
  const why = name === 'TimeoutError' ? 'it took too long' : reason || code || String(cause)
  const error = new KujiError('INTERNAL', `no answer from ${origin}: ${why}`, {}, { cause })
  const hopeless = neverConnects.has(code ?? '') || certificateFault.test(code ?? '') || reason === 'bad port'
  return { error, again: !hopeless, doubt: !hopeless && !neverSent.has(code ?? ''), retryAfterMs: 0 }
}

/** The error that a problem document tells of, or undefined where it is none of kuji's. */
export function readProblem(text: string): KujiError | undefined {
  const { code, detail, type, title, status, ...fields } = asFields(parseJson(text))
  if (typeof code !== 'string' || !Object.hasOwn(codes, code) || typeof detail !== 'string') return undefined
  return new KujiError(code as Code, detail, fields as ErrorFields)
}

/** Seconds or a date (RFC 9110, 10.2.3). */
function readRetryAfter(value: string | null): number {
  if (value === null) return 0
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now()
  return Number.isFinite(ms) ? Math.max(ms, 0) : 0
}
