import { type Code, type ErrorFields, KujiError } from '@kuji/engine/contract'
import { parseJson } from './answers.ts'
import { type Failure, foreign, noAnswer, readProblem, refused } from './failure.ts'
import { clientLimits } from './limits.ts'
import { type CallOptions, checkObject, checkTimeout, type Settings } from './options.ts'
import { randomFraction } from './random.ts'
import { readText } from './read-text.ts'
import { wait } from './wait.ts'

/** What may be done about a try of which nobody knows whether it took place. */
export type Repeat =
  /** Ask again: it changes nothing. */
  | 'read'
  /** Ask again: the key makes it one draw, whatever arrives how often. */
  | 'keyed'
  /** Ask again: what is so already is made so once more. */
  | 'same'
  /** Ask again: the version lets it happen once. A conflict may then be with ourselves. */
  | 'versioned'
  /** Stop: done twice it would do something else. */
  | 'never'

export interface Call<Result> {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Behind the base of the client. */
  readonly path: string
  readonly body?: object
  readonly headers?: Readonly<Record<string, string>>
  readonly repeat: Repeat
  readonly decode: (json: unknown) => Result | undefined
  /** Of the answer, where it may be larger than most are. */
  readonly mostBytes?: number
  /** What an `OUTCOME_UNKNOWN` carries. */
  readonly fields?: ErrorFields
}

const firstPauseMs = 100
/** Also how long a stream of events has to last to count as a good one. */
export const longestPauseMs = 5_000

/**
 * After a try in doubt, what a keyed draw is refused with says that no try has drawn: the key is looked up first. Other
 * refusals (a key for access that was taken back, say) tell nothing about the try before.
 */
const settling: ReadonlySet<Code> = new Set<Code>([
  ...(['POOL_EMPTY', 'INSUFFICIENT_STOCK', 'POOL_PAUSED', 'POOL_CLOSED', 'POOL_NOT_FOUND'] as const),
  ...(['KEY_CONFLICT', 'INVALID', 'TOO_LARGE'] as const),
])

/** Makes calls of tries. */
export class Requester {
  readonly settings: Settings

  constructor(settings: Settings) {
    this.settings = settings
  }

  /** Tries until there is a result, a refusal that stays, no try or no time left. */
  async run<Result>(call: Call<Result>, options: CallOptions): Promise<Result> {
    const { signal, timeoutMs } = checkObject(options, 'options')
    const deadline = performance.now() + checkTimeout(timeoutMs, this.settings)
    // Once: every try has the same bytes, or the server would take them for different requests.
    const body = call.body === undefined ? undefined : JSON.stringify(call.body)
    let doubt = false
    for (let tries = 1; ; tries++) {
      signal?.throwIfAborted()
      const limitMs = Math.min(this.settings.tryTimeoutMs, Math.ceil(deadline - performance.now()))
      const outcome = await this.#try(call, body, limitMs, signal)
      if ('result' in outcome) return outcome.result
      doubt ||= outcome.doubt
      const pauseMs = outcome.retryAfterMs + backoffMs(tries)
      const again = isWorthAnother(outcome, call.repeat)
      if (!again || tries > this.settings.retries || performance.now() + pauseMs >= deadline)
        throw conclude(call, outcome.error, doubt, tries)
      await wait(pauseMs, signal)
    }
  }

  /** One request with the client's headers. A caller's signal that aborts is thrown; all else `fetch` throws is too. */
  async send(
    path: string,
    init: RequestInit & { readonly headers?: Readonly<Record<string, string>> },
  ): Promise<Response> {
    const { base, headers, fetch } = this.settings
    // A server of kuji never redirects; what follows one could send the key for access somewhere else.
    return fetch(base + path, { ...init, headers: { ...headers, ...init.headers }, redirect: 'manual' })
  }

  async #try<Result>(
    call: Call<Result>,
    body: string | undefined,
    limitMs: number,
    signal: AbortSignal | undefined,
  ): Promise<{ readonly result: Result } | Failure> {
    const { origin } = this.settings
    try {
      const limit = AbortSignal.timeout(Math.max(limitMs, 1))
      const response = await this.send(call.path, {
        method: call.method,
        headers: { ...call.headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
        ...(body === undefined ? {} : { body }),
        signal: signal === undefined ? limit : AbortSignal.any([signal, limit]),
      })
      const text = await readText(response, call.mostBytes ?? clientLimits.answerBytes)
      const result = response.ok ? call.decode(parseJson(text)) : undefined
      if (result !== undefined) return { result }
      const problem = response.ok ? undefined : readProblem(text)
      if (problem === undefined) return foreign(origin, response)
      return refused(problem, response.headers.get('retry-after'))
    } catch (error) {
      signal?.throwIfAborted()
      return noAnswer(origin, error)
    }
  }
}

/** Exponential, with full jitter: callers that failed together do not come back together. */
export function backoffMs(tries: number): number {
  return randomFraction() * Math.min(longestPauseMs, firstPauseMs * 2 ** (tries - 1))
}

function isWorthAnother({ again, doubt }: Failure, repeat: Repeat): boolean {
  return again && !(doubt && repeat === 'never')
}

/** What a call that came to nothing is refused with. */
function conclude(call: Call<unknown>, error: KujiError, doubt: boolean, tries: number): KujiError {
  const { repeat, method, path, fields = {} } = call
  if (!doubt || repeat === 'read' || (repeat === 'keyed' && settling.has(error.code))) return error
  const times = tries === 1 ? 'once' : `${tries} times`
  const message = `${method} ${path} was tried ${times} and may have taken place; the last try: ${error.message}`
  return new KujiError('OUTCOME_UNKNOWN', message, { ...fields, last: error.code, tries }, { cause: error })
}
